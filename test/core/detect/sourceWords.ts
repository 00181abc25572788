/** Every word and sign the normalizer's own sources name: what wakes a wrapper, an operator, a decoder or a reader of some language. */
import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../../extension/core/normalize/', import.meta.url);
/** Texts in quotes, and regexes. */
const LITERAL = /'((?:[^'\\\n]|\\.){1,400})'|`((?:[^`\\]|\\.){1,400})`|\/((?:[^/\\\n]|\\.){1,4000})\/[a-z]{1,4}\b/gu;
const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$|^import .*$/gmu;
const MAX_WORD = 24;

export function sourceWords(): readonly string[] {
  const words = new Set<string>();
  for (const name of readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const text = readFileSync(new URL(name, FOLDER), 'utf8').replace(COMMENT, '');
    for (const [, quoted, template, regex] of text.matchAll(LITERAL)) {
      const parts = regex === undefined ? (quoted ?? template ?? '').split(/\s+/u) : (regex.match(/[A-Za-z][\w-]{1,23}/gu) ?? []);
      for (const part of parts) {
        const word = unescaped(part);
        if (word !== '' && word.length <= MAX_WORD) words.add(word);
      }
    }
  }
  return [...words].sort();
}

const unescaped = (text: string): string =>
  text
    .replace(/\\u\{?([0-9a-f]{2,6})\}?|\\x([0-9a-f]{2})/giu, (_, long?: string, short?: string) =>
      String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(long ?? short ?? '0', 16))),
    )
    .replace(/\\n/gu, '\n')
    .replace(/\\r/gu, '\r')
    .replace(/\\t/gu, '\t')
    .replace(/\\(.)/gsu, '$1');
