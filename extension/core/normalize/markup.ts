/**
 * The parts of a text that whoever looks at it rendered does not see: comments, hidden elements, attributes, titles,
 * terminal escapes, what stands behind much blank space. One pass; every part is bounded, and a bound that cuts is said.
 */
import { displayed } from '#core/normalize/decoders/respelt.ts';

export interface HiddenPart {
  readonly text: string;
  readonly how: 'comment' | 'element' | 'attribute' | 'title' | 'style' | 'terminal' | 'blank' | 'frontmatter' | 'direction';
  readonly start: number;
  readonly end: number;
}

export interface HiddenParts {
  readonly parts: readonly HiddenPart[];
  /** There were more than are looked at. */
  readonly cut: boolean;
}

const NONE: HiddenParts = { parts: [], cut: false };
const MAX_PARTS = 2000;
const MAX_ELEMENT = 20_000;
const MAX_TAG = 4000;
/** All parts together; they are searched once more beside the text. */
const MAX_UNITS = 256 * 1024;

const HIDING =
  /display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}(?:hidden|collapse)|opacity\s{0,3}:\s{0,3}0?(?:\.0\d?)?(?![.\d])|font-size\s{0,3}:\s{0,3}(?:0|1px|0?\.\d)|(?:^|[^-\w])color\s{0,3}:\s{0,3}(?:transparent|white|#fff(?:fff)?\b|rgba?\(\s{0,3}255\s{0,3},\s{0,3}255\s{0,3},\s{0,3}255|rgba\([^)]{1,40},\s{0,3}0(?:\.0)?\s{0,3}\))|(?:left|top|right|text-indent|margin-left)\s{0,3}:\s{0,3}-\d{3,}|clip\s{0,3}:\s{0,3}rect\(\s{0,3}0|clip-path\s{0,3}:\s{0,3}inset\(\s{0,3}(?:50|100)%|(?:max-)?(?:height|width)\s{0,3}:\s{0,3}[01](?:px)?\s{0,3}(?:;|["']|$)|scale\(\s{0,3}0|(?:^|\s)hidden(?:\s|=|\/|$)|aria-hidden\s{0,3}=\s{0,3}["']?true|class\s{0,3}=\s{0,3}["'][^"']{0,200}\b(?:sr-only|visually-hidden|screen-reader-text|d-none|invisible)\b/iu;
const SILENT: ReadonlySet<string> = new Set(['template', 'noscript', 'noembed', 'noframes']);
const VOID: ReadonlySet<string> = new Set([
  'area',
  'base',
  'br',
  'col',
  'embed',
  'hr',
  'img',
  'input',
  'link',
  'meta',
  'source',
  'track',
  'wbr',
]);
const TELLING =
  /\b(?:alt|title|content|summary|placeholder|value|label|aria-[a-z]{1,20}|data-[a-z-]{1,40})\s{0,3}=\s{0,3}(?:"([^"]{12,4000})"|'([^']{12,4000})')/giu;

export function hiddenIn(text: string): HiddenParts {
  const tags = text.includes('<');
  const links = text.includes('](') || text.includes(']:');
  const escapes = text.includes('\u001b') || text.includes('\u009b');
  const blanks = text.includes(BLANK_LINES) || text.includes(BLANKS);
  const front = text.startsWith('---\n');
  const turned = /[\u202d\u202e]/u.test(text);
  if (!(tags || links || escapes || blanks || front || turned)) return NONE;
  const parts: HiddenPart[] = [];
  let units = MAX_UNITS;
  let cut = false;
  const add = (part: string, how: HiddenPart['how'], start: number, end: number): void => {
    const plain = part.trim();
    if (plain.length < 4) return;
    if (parts.length >= MAX_PARTS || units < plain.length) cut = true;
    else {
      units -= plain.length;
      parts.push({ text: plain, how, start, end });
    }
  };
  if (tags) readTags(text, add);
  if (links) readLinks(text, add);
  if (escapes) readTerminal(text, add);
  if (blanks) readBlank(text, add);
  if (front) {
    const end = text.indexOf('\n---', 4);
    if (end > 0) add(text.slice(4, Math.min(end, MAX_TAG)), 'frontmatter', 4, end);
  }
  if (turned)
    for (const hit of text.matchAll(/[^\n]{0,4000}[\u202d\u202e][^\n]{0,4000}/gu))
      add(displayed(hit[0]), 'direction', hit.index, hit.index + hit[0].length);
  return { parts, cut };
}

type Add = (part: string, how: HiddenPart['how'], start: number, end: number) => void;

function readTags(text: string, add: Add): void {
  // Where each closing tag was not found any more: an element without an end is not looked for twice.
  const missing = new Set<string>();
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at + 1)) {
    const next = text.charCodeAt(at + 1) | 32;
    if (text.startsWith('<!--', at)) {
      const close = missing.has('-->') ? -1 : text.indexOf('-->', at + 4);
      if (close < 0) missing.add('-->');
      const end = close < 0 ? Math.min(text.length, at + MAX_ELEMENT) : close;
      add(text.slice(at + 4, end), 'comment', at, end);
      if (close < 0) return;
      at = close;
      continue;
    }
    if (next < 97 || next > 122) continue;
    const head = text.slice(at, at + MAX_TAG);
    const close = head.indexOf('>');
    if (close < 0) continue;
    const tag = head.slice(1, close);
    const name = /^[a-z][a-z0-9-]{0,30}/iu.exec(tag)?.[0].toLowerCase() ?? '';
    const attributes = tag.slice(name.length);
    if (attributes.length > 12)
      for (const hit of attributes.matchAll(TELLING))
        add(hit[1] ?? hit[2] ?? '', 'attribute', at + 1 + name.length + hit.index, at + 1 + name.length + hit.index + hit[0].length);
    const inside = at + close + 1;
    if (name === 'style') {
      for (const hit of text
        .slice(inside, inside + MAX_ELEMENT)
        .matchAll(/content\s{0,3}:\s{0,3}(?:"([^"\n]{8,2000})"|'([^'\n]{8,2000})')/gu))
        add(hit[1] ?? hit[2] ?? '', 'style', inside + hit.index, inside + hit.index + hit[0].length);
    } else if (!VOID.has(name) && (SILENT.has(name) || (attributes.length > 5 && HIDING.test(attributes))) && !missing.has(name)) {
      // As it was opened: a page that mixes case is read to the bound instead, so nothing is lost by it.
      const found = text.indexOf(`</${tag.slice(0, name.length)}`, inside);
      if (found < 0) missing.add(name);
      const end = found < 0 ? inside + MAX_ELEMENT : Math.min(found, inside + MAX_ELEMENT);
      const content = text.slice(inside, end);
      add(content.includes('<') ? content.replace(/<[^<>]{0,400}>/gu, ' ') : content, 'element', inside, inside + content.length);
      // What is inside is reported as a whole; deeper hidden elements add nothing but time.
      at = inside + content.length - 1;
    }
  }
}

/** Comments and titles that Markdown does not show. */
function readLinks(text: string, add: Add): void {
  for (const hit of text.matchAll(
    /^ {0,3}\[[^\]\n]{1,200}\]:[ \t]{1,4}(?:<[^>\n]{0,400}>|[^\s"'(]{0,400})[ \t]{1,20}(?:"([^"\n]{1,4000})"|'([^'\n]{1,4000})'|\(([^\n]{1,4000})\))/gmu,
  ))
    add(
      hit[1] ?? hit[2] ?? hit[3] ?? '',
      /^ {0,3}\[(?:\/\/|comment|#|_|-)/iu.test(hit[0]) ? 'comment' : 'title',
      hit.index,
      hit.index + hit[0].length,
    );
  for (const hit of text.matchAll(/\]\([^()[\]\s"']{0,1000}[ \t]{1,4}(?:"([^"\n]{12,2000})"|'([^'\n]{12,2000})')\)/gu))
    add(hit[1] ?? hit[2] ?? '', 'title', hit.index, hit.index + hit[0].length);
  for (const hit of text.matchAll(/!\[([^\][\n]{40,2000})\]\(/gu)) add(hit[1] ?? '', 'attribute', hit.index, hit.index + hit[0].length);
}

/** Control sequences of terminals. Sources: ECMA-48; xterm's control sequences (OSC 8 links, OSC 52 clipboard). */
function readTerminal(text: string, add: Add): void {
  for (const hit of text.matchAll(/(?:\u001b\[|\u009b)(?:\d{1,3};){0,6}8(?:;\d{1,3}){0,6}m([^\u001b]{1,4000})/gu))
    add(hit[1] ?? '', 'terminal', hit.index, hit.index + hit[0].length);
  for (const hit of text.matchAll(/\u001b\](?:8;[^;\u0007\u001b]{0,200};|52;[a-z0-9]{0,8};|[012];)([^\u0007\u001b]{1,4000})/gu))
    add(hit[1] ?? '', 'terminal', hit.index, hit.index + hit[0].length);
  // What is left when the sequences are gone: words may be split by them.
  const plain = withoutControls(text);
  if (plain !== text) add(plain.slice(0, MAX_ELEMENT * 3), 'terminal', 0, text.length);
}

const withoutControls = (text: string): string =>
  text.replace(/(?:\u001b\[|\u009b)[\d;:?<=>]{0,40}[ -/]{0,3}[@-~]|\u001b\][^\u0007\u001b]{0,4000}(?:\u0007|\u001b\\)?|\u001b[@-_]/gu, '');

const BLANK_LINES = '\n'.repeat(25);
const BLANKS = ' '.repeat(120);

/** What stands where nobody scrolls: behind very many empty lines or spaces. */
function readBlank(text: string, add: Add): void {
  for (const [run, blank, lines] of [
    [BLANK_LINES, 10, 20],
    [BLANKS, 32, 1],
  ] as const) {
    for (let at = text.indexOf(run); at >= 0; at = text.indexOf(run, at)) {
      const start = at;
      at += run.length;
      while (text.charCodeAt(at) === blank) at++;
      const shown = text
        .slice(at, at + MAX_TAG)
        .split('\n', lines)
        .join('\n');
      if (blank === 10 || (start > 0 && text.charCodeAt(start - 1) !== 10)) add(shown, 'blank', start, at + shown.length);
      at += Math.max(1, shown.length);
    }
  }
}
