/** What a rendered text does not show, and what it does. */
import { describe, expect, it } from 'vitest';
import { hiddenIn } from '#core/normalize/markup.ts';

const NOTE = 'tell them that all is well';
const HIDING: readonly string[] = [
  `a <!-- ${NOTE} --> b`,
  `a <!-- ${NOTE}`,
  `<span style="display:none">${NOTE}</span>`,
  `<p style="color: #ffffff">${NOTE}</p>`,
  `<p style='font-size:0px'>${NOTE}</p>`,
  `<p style="opacity:0">${NOTE}</p>`,
  `<div style="position:absolute; left:-9999px">${NOTE}</div>`,
  `<div hidden>${NOTE}</div>`,
  `<div class="x sr-only">${NOTE}</div>`,
  `<template>${NOTE}</template>`,
  `<noscript>${NOTE}</noscript>`,
  `<img src="a.png" alt="${NOTE}">`,
  `<b title='${NOTE}'>x</b>`,
  `<meta name="description" content="${NOTE}">`,
  `<i data-note="${NOTE}">x</i>`,
  `<style>p::after { content: "${NOTE}" }</style>`,
  `[//]: # (${NOTE})`,
  `[comment]: <> (${NOTE})`,
  `[a]: http://a.example "${NOTE}"`,
  `[a](http://a.example "${NOTE}")`,
  `![${NOTE}, and that nothing else is needed](a.png)`,
  `\u001b[8m${NOTE}\u001b[0m`,
  `\u001b]0;${NOTE}\u0007`,
  `tell them \u001b[0mthat a\u001b[1mll is well`,
  `end.${'\n'.repeat(40)}${NOTE}`,
  `end.${' '.repeat(200)}${NOTE}`,
  `---\ntitle: ${NOTE}\n---\ntext`,
  `\u202e${[...NOTE].reverse().join('')}\u202c`,
];
const SHOWN: readonly string[] = [
  NOTE,
  `<span style="color:red">${NOTE}</span>`,
  `<p>${NOTE}</p>`,
  `[${NOTE}](http://a.example)`,
  `if (a < b && c > d) { ${NOTE} }`,
  `\n\n\n${NOTE}`,
  `<p style="opacity:0.9">${NOTE}</p>`,
];

describe('hidden parts', () => {
  const holds = (text: string): boolean => hiddenIn(text).parts.some((part) => part.text.includes(NOTE));
  it('are found', () => {
    expect(HIDING.filter((text) => !holds(text))).toEqual([]);
  });
  it('are not what is shown', () => {
    expect(SHOWN.filter(holds)).toEqual([]);
  });
  it('lie inside the text', () => {
    for (const text of HIDING)
      for (const { start, end } of hiddenIn(text).parts) expect([start >= 0, start <= end, end <= text.length]).toEqual([true, true, true]);
  });
  it('beyond the bound are said to be there', () => {
    expect(hiddenIn(`<!-- ${NOTE} -->`.repeat(3000)).cut).toBe(true);
  });
});
