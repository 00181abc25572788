/**
 * Edits to JSON text that leave every other byte alone. The tree with its offsets comes from jsonc-parser, the
 * editor's own library; its `modify` is not used because it reformats the lines around an edit.
 */
import { type Node, type ParseError, createScanner, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { JsonValue } from '#core/model/json.ts';
import type { Splice } from '#node/clients/splices.ts';
import { indentAt, lineEnding, placeOf, type Problem } from '#node/clients/textPlace.ts';

/** json: what JSON.parse takes · jsonc: comments and trailing commas, as VS Code's own files. */
export type JsonDialect = 'json' | 'jsonc';

export type Parsed = { readonly root: Node; readonly value: JsonValue } | { readonly problem: Problem };

/** The parser calls itself for each level; a file from a stranger's repository must not exhaust the stack. */
const MAX_DEPTH = 200;

/** Where the text is nested deeper than we read; null when it is not. */
function tooDeepAt(text: string): number | null {
  // As numbers, because SyntaxKind is a const enum that single-file compilers cannot see: { and [, } and ], the end.
  const opening = new Set<number>([1, 3]);
  const closing = new Set<number>([2, 4]);
  const end = 17;
  const scanner = createScanner(text, true);
  let depth = 0;
  for (let token: number = scanner.scan(); token !== end; token = scanner.scan()) {
    if (opening.has(token)) depth++;
    else if (closing.has(token)) depth--;
    if (depth > MAX_DEPTH) return scanner.getTokenOffset();
  }
  return null;
}

export function parseJson(text: string, dialect: JsonDialect): Parsed {
  const deep = tooDeepAt(text);
  if (deep !== null)
    return { problem: { ...placeOf(text, deep), message: `it is nested deeper than ${MAX_DEPTH} levels, which no configuration needs` } };
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, {
    disallowComments: dialect === 'json',
    allowTrailingComma: dialect === 'jsonc',
    allowEmptyContent: false,
  });
  const first = [...errors].sort((a, b) => a.offset - b.offset)[0];
  if (first) return { problem: { ...placeOf(text, first.offset), message: describe(printParseErrorCode(first.error), dialect) } };
  if (!root) return { problem: { line: 1, column: 1, message: 'the file holds no JSON value' } };
  const twice = repeatedKey(root);
  if (twice)
    return {
      problem: {
        ...placeOf(text, twice.offset),
        message: `the key ${text.slice(twice.offset, twice.offset + twice.length)} is there twice in the same object; keep one of them`,
      },
    };
  const value = nodeValue(root);
  if (dialect === 'json') {
    const strict = strictProblem(text);
    if (strict) return { problem: strict };
  }
  return { root, value };
}

/**
 * jsonc-parser forgives a few things a strict client does not; JSON.parse has the last word on those. Its value is not
 * compared: V8 (seen in Node 24.21) reads the key "\"" as a backslash once it has met an object with that key.
 */
function strictProblem(text: string): Problem | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return { line: 1, column: 1, message: error instanceof Error ? error.message : String(error) };
  }
}

function describe(code: string, dialect: JsonDialect): string {
  if (code === 'InvalidCommentToken') return 'comments are not allowed in this file: the client ignores the whole file because of one';
  const words = code.replaceAll(/(?<=[a-z])(?=[A-Z])/gu, ' ').toLowerCase();
  return dialect === 'json' ? `${words} (this file is strict JSON: no comments, no trailing commas)` : words;
}

function repeatedKey(node: Node): Node | null {
  const seen = new Set<unknown>();
  for (const child of node.children ?? []) {
    const key = child.type === 'property' ? child.children?.[0] : undefined;
    if (key) {
      if (seen.has(key.value)) return key;
      seen.add(key.value);
    }
    const deeper = repeatedKey(child);
    if (deeper) return deeper;
  }
  return null;
}

/** Own properties only, `__proto__` included: unlike jsonc-parser's getNodeValue this cannot lose a key. */
export function nodeValue(node: Node): JsonValue {
  if (node.type === 'array') return (node.children ?? []).map(nodeValue);
  if (node.type !== 'object') return node.value as JsonValue;
  return Object.fromEntries(members(node).map((member) => [member.key, nodeValue(member.value)]));
}

export interface Member {
  readonly key: string;
  readonly keyNode: Node;
  readonly value: Node;
  /** The whole `"key": value`. */
  readonly node: Node;
}

export function members(node: Node | undefined): readonly Member[] {
  if (node?.type !== 'object') return [];
  return (node.children ?? []).flatMap((child) => {
    const [keyNode, value] = child.children ?? [];
    return keyNode && value ? [{ key: String(keyNode.value), keyNode, value, node: child }] : [];
  });
}

export function memberOf(node: Node | undefined, key: string): Member | undefined {
  return members(node).find((member) => member.key === key);
}

export function textOf(text: string, node: Node): string {
  return text.slice(node.offset, node.offset + node.length);
}

export function replaceNode(text: string, node: Node, inserted: string): Splice {
  return { at: node.offset, removed: textOf(text, node), inserted };
}

/** `[key, value]` for objects; arrays ignore the key. */
export type Addition = readonly [key: string, value: JsonValue];

/** Adds `additions` behind the last child of `container`, in the file's own indentation. */
export function appendChildren(text: string, container: Node, additions: readonly Addition[]): Splice {
  const isObject = container.type === 'object';
  const last = container.children?.at(-1);
  const open = container.offset + 1;
  const close = container.offset + container.length - 1;
  const eol = lineEnding(text);
  const outer = indentAt(text, container.offset);
  const oneLine = last !== undefined && !/[\r\n]/u.test(text.slice(open, close));
  const inner =
    last && text.slice(text.lastIndexOf('\n', last.offset) + 1, last.offset).trim() === ''
      ? indentAt(text, last.offset)
      : outer + indentUnit(text);
  const render = ([key, value]: Addition): string => {
    const rendered = oneLine ? JSON.stringify(value) : JSON.stringify(value, null, indentUnit(text)).replaceAll('\n', eol + inner);
    return isObject ? `${JSON.stringify(key)}: ${rendered}` : rendered;
  };
  const body = additions.map(render).join(oneLine ? ', ' : `,${eol}${inner}`);
  if (!last) {
    const space = text.slice(open, close);
    // Brackets included: without them the text could also be found behind a neighbour's comma when it is taken back.
    if (space.trim() === '')
      return {
        at: container.offset,
        removed: textOf(text, container),
        inserted: `${text[container.offset]}${eol}${inner}${body}${eol}${outer}${text[close]}`,
      };
    // Only comments inside: ours goes behind them.
    return { at: open + space.trimEnd().length, removed: '', inserted: eol + inner + body };
  }
  const end = last.offset + last.length;
  const comma = commaBehind(text, end, close);
  const from = comma === null ? end : comma + 1;
  const note = oneLine ? 0 : sameLineComment(text.slice(from, close));
  const kept = text.slice(from, from + note);
  return { at: from, removed: kept, inserted: (comma === null ? ',' : '') + kept + (oneLine ? ' ' : eol + inner) + body };
}

/** Offset of the comma that follows, comments skipped; null if the container ends first. */
function commaBehind(text: string, from: number, close: number): number | null {
  const gap = /^(?:\s|\/\/[^\r\n]*|\/\*[^]*?\*\/)*/u.exec(text.slice(from, close))?.[0].length ?? 0;
  return from + gap < close && text[from + gap] === ',' ? from + gap : null;
}

/** Length of a comment on the same line: it belongs to the child in front of it and stays there. */
function sameLineComment(text: string): number {
  return /^[ \t]*(?:\/\/[^\r\n]*|\/\*[^\r\n]*?\*\/[ \t]*(?=[\r\n]))/u.exec(text)?.[0].length ?? 0;
}

/** What one level of indentation is in this file: the first indented line shows it; two spaces otherwise. */
export function indentUnit(text: string): string {
  return /\n([ \t]+)["[{\]}]/u.exec(text)?.[1] ?? '  ';
}

/** Removes one child of strict JSON, with its comma and the white space in front of it. */
export function removeChild(text: string, container: Node, child: Node): string {
  const close = container.offset + container.length - 1;
  const previous = container.children?.[container.children.indexOf(child) - 1];
  const behind = commaBehind(text, child.offset + child.length, close);
  const lead = /\s*$/u.exec(text.slice(0, child.offset))?.[0].length ?? 0;
  if (behind === null && previous) return text.slice(0, previous.offset + previous.length) + text.slice(child.offset + child.length);
  return text.slice(0, child.offset - lead) + text.slice(behind === null ? child.offset + child.length : behind + 1);
}
