/**
 * A strict look at one line of JSON-RPC. The relay forwards the line's own bytes and reasons about a parsed copy, so
 * the two must mean the same to every parser on the other side: what another parser could read differently
 * (repeated keys, broken UTF-8, a lone carriage return) is reported here and refused by the caller.
 */
import { isObject } from '#core/model/json.ts';
import type { JsonObject } from '#core/model/json.ts';

/** One message: its own bytes, its parsed copy, and the shallowest repeated key. */
export interface Part {
  readonly bytes: Buffer;
  readonly value: unknown;
  /** Depth 1 is a member of the message itself. Null when every object names its keys once. */
  readonly repeated: { readonly key: string; readonly depth: number } | null;
  /** How deep its objects and lists are nested. */
  readonly depth: number;
}

export type LineLook =
  | { readonly kind: 'blank' }
  /** `tooMuch`: it may be a good message, whose id nobody looked for. */
  | { readonly kind: 'unreadable'; readonly code: -32700 | -32600; readonly why: string; readonly tooMuch?: true }
  | { readonly kind: 'single'; readonly part: Part }
  | { readonly kind: 'batch'; readonly parts: readonly Part[] };

/** Members of a batch; each of 32 MiB of `0,` would cost an object. */
const MAX_BATCH = 10_000;

/**
 * Values in one line, and its nesting. Reading millions of them takes seconds and a gigabyte, and whoever else the broker serves waits
 * meanwhile; the largest tables and trees that models are given have some ten thousand.
 */
const MAX_VALUES = 1_000_000;
const MAX_NESTING = 10_000;
/** Shorter lines are read whatever they hold. */
const LONG_LINE = 1024 * 1024;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function readLine(line: Buffer): LineLook {
  // Readers with universal newlines (Python's text streams) end a line at a carriage return too: a message hidden
  // between two of them would be one value to us and a call of its own to them. Raw U+2028 needs no such care: it is
  // legal only inside strings, where no text can be a message in both readings.
  const carriage = line.indexOf(13);
  if (carriage !== -1 && carriage < line.length - 2)
    return { kind: 'unreadable', code: -32600, why: 'a carriage return inside the message' };
  if (line.length > LONG_LINE && isTooMuch(line))
    return {
      kind: 'unreadable',
      code: -32600,
      why: `more than ${MAX_VALUES} values, or nested deeper than ${MAX_NESTING} levels`,
      tooMuch: true,
    };
  let text: string;
  try {
    text = strictUtf8.decode(line);
  } catch {
    return { kind: 'unreadable', code: -32700, why: 'bytes that are not UTF-8' };
  }
  if (text.trim() === '') return { kind: 'blank' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return {
      kind: 'unreadable',
      code: -32700,
      why: `invalid JSON (${error instanceof Error ? error.message.slice(0, 120) : 'unreadable'})`,
    };
  }
  if (Array.isArray(value) && value.length > MAX_BATCH)
    return { kind: 'unreadable', code: -32600, why: `a batch of more than ${MAX_BATCH} messages` };
  const scan = scanJson(text);
  if (!Array.isArray(value)) return { kind: 'single', part: { bytes: line, value, repeated: scan.repeated, depth: scan.depth } };
  const parts = value.map((member: unknown, at): Part => {
    const [start, end] = scan.members[at] ?? [0, 0];
    const source = text.slice(start, end).trim();
    // A member stands on a line of its own when it is forwarded alone; a raw newline can only be white space here.
    const bytes = Buffer.from(`${source}\n`);
    return { bytes, value: member, ...scanOf(source) };
  });
  return { kind: 'batch', parts };
}

/** Counts brackets, colons and commas outside of strings; what is no JSON is told by who parses it. */
function isTooMuch(line: Buffer): boolean {
  let values = 0;
  let depth = 0;
  for (let at = 0; at < line.length; at++) {
    const byte = line[at] as number;
    if (byte === 0x22) {
      at = line.indexOf(0x22, at + 1);
      while (at !== -1 && isEscapedByte(line, at)) at = line.indexOf(0x22, at + 1);
      if (at === -1) return false;
    } else if (byte === 0x2c || byte === 0x3a) values++;
    else if (byte === 0x7b || byte === 0x5b) {
      values++;
      depth++;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
    if (values > MAX_VALUES || depth > MAX_NESTING) return true;
  }
  return false;
}

function isEscapedByte(line: Buffer, quote: number): boolean {
  let backslashes = 0;
  for (let at = quote - 1; line[at] === 0x5c; at--) backslashes++;
  return backslashes % 2 === 1;
}

function scanOf(source: string): Pick<Part, 'repeated' | 'depth'> {
  const { repeated, depth } = scanJson(source);
  return { repeated, depth };
}

interface Scan {
  readonly repeated: { readonly key: string; readonly depth: number } | null;
  /** Spans of the members of a top-level array; empty otherwise. */
  readonly members: readonly (readonly [number, number])[];
  readonly depth: number;
}

/** Finds repeated keys. `text` must already be valid JSON, which keeps this to brackets, strings and colons. */
export function scanJson(text: string): Scan {
  /** One entry per open bracket: the keys seen so far, or null for an array. */
  const open: (Set<string> | null)[] = [];
  const members: [number, number][] = [];
  let memberStart = 0;
  let repeated: Scan['repeated'] = null;
  let keyExpected = false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        let end = text.indexOf('"', at + 1);
        while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
        const keys = open.at(-1);
        if (keyExpected && keys) {
          const raw = text.slice(at, end + 1);
          const key = raw.includes('\\') ? String(JSON.parse(raw)) : raw.slice(1, -1);
          if (keys.has(key) && (repeated === null || open.length < repeated.depth))
            repeated = { key: key.slice(0, 80), depth: open.length };
          keys.add(key);
          keyExpected = false;
        }
        at = end;
        break;
      }
      case 0x7b: // {
        open.push(new Set());
        depth = Math.max(depth, open.length);
        keyExpected = true;
        break;
      case 0x5b: // [
        if (open.length === 0) memberStart = at + 1;
        open.push(null);
        depth = Math.max(depth, open.length);
        keyExpected = false;
        break;
      case 0x2c: // ,
        if (open.length === 1 && open[0] === null) {
          members.push([memberStart, at]);
          memberStart = at + 1;
        }
        keyExpected = open.at(-1) instanceof Set;
        break;
      case 0x7d: // }
        open.pop();
        keyExpected = false;
        break;
      case 0x5d: // ]
        open.pop();
        keyExpected = false;
        if (open.length === 0) members.push([memberStart, at]);
        break;
      default:
        break;
    }
  }
  return { repeated, members, depth };
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  for (let at = quote - 1; text.charCodeAt(at) === 0x5c; at--) backslashes++;
  return backslashes % 2 === 1;
}

export function memberObject(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isObject(value) ? value : {};
}
