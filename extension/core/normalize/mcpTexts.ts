/**
 * What an MCP message says beyond its single strings: text blocks read one after another, a definition at a glance, the
 * text in binary content. Sources: MCP specification 2025-06-18 (tools, resources, prompts, sampling, elicitation).
 */
import { isObject, type JsonObject } from '#core/model/json.ts';

/** Of a long block only its ends are joined with its neighbours: it was judged whole by itself. */
const BLOCK_END = 1000;
/** Binary content of which a beginning is looked at; metadata stands in front. */
const BINARY_HEAD = 16 * 1024;
/** Shortest run of printable characters in binary content that can say something. */
const RUN = /[\t\n\u0020-\u007e]{24,4000}/gu;
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const CUT = '\n […] \n';

/** The texts as they stand one after another, once with line breaks between them and once without: a word may be split too. */
export function joinedBlocks(blocks: readonly string[]): readonly string[] {
  if (blocks.length < 2) return [];
  const parts = blocks.map((block) => (block.length <= 2 * BLOCK_END ? block : block.slice(0, BLOCK_END) + CUT + block.slice(-BLOCK_END)));
  return [parts.join('\n'), parts.join('')];
}

/**
 * One line that says what a definition claims to be: `tool name(parameter, …) readOnlyHint=true`. Rules see names of
 * parameters and the hints there, which are no texts of their own. Null when the value is no definition.
 */
export function signatureOf(value: JsonObject): string | null {
  const schema = ['inputSchema', 'input_schema', 'parameters', 'requestedSchema'].map((key) => value[key]).find(isObject);
  const annotations = value['annotations'];
  if (schema === undefined && !(typeof value['name'] === 'string' && isObject(annotations))) return null;
  const properties = schema === undefined ? undefined : schema['properties'];
  const names = isObject(properties) ? Object.keys(properties) : [];
  const hints = isObject(annotations)
    ? Object.entries(annotations).flatMap(([key, hint]) => (typeof hint === 'boolean' ? [`${key}=${hint}`] : []))
    : [];
  const kind = isObject(value['requestedSchema']) ? 'form' : 'tool';
  const name = typeof value['name'] === 'string' ? value['name'] : '';
  return `${kind} ${name}(${names.join(', ')})${hints.map((hint) => ` ${hint}`).join('')}`;
}

/** Readable text in base64 content: all of it when it is text, else its longer printable runs (comments, titles, XMP). */
export function textInBinary(base64: string): readonly string[] {
  const bytes = bytesOf(base64);
  let text = '';
  let odd = 0;
  for (const byte of bytes) {
    if (byte < 9 || (byte > 13 && byte < 32) || byte === 127) odd++;
    text += String.fromCharCode(byte);
  }
  if (bytes.length === 0) return [];
  if (odd * 20 < bytes.length) {
    const utf8 = fromUtf8(bytes);
    if (utf8 !== null) return [utf8];
  }
  return text.match(RUN) ?? [];
}

/** Content that is base64 by its place: a resource's blob, an image's or a recording's data. */
export function isBinary(parent: JsonObject | null, key: string): boolean {
  if (parent === null) return false;
  if (key === 'blob') return typeof parent['uri'] === 'string' || typeof parent['mimeType'] === 'string';
  return key === 'data' && typeof parent['mimeType'] === 'string';
}

function bytesOf(base64: string): number[] {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (let index = 0; index < base64.length && bytes.length < BINARY_HEAD; index++) {
    const char = base64[index] as string;
    const value = BASE64.indexOf(char === '-' ? '+' : char === '_' ? '/' : char);
    if (value < 0) continue;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
    }
  }
  return bytes;
}

function fromUtf8(bytes: readonly number[]): string | null {
  try {
    return decodeURIComponent(bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
  } catch {
    // Not UTF-8, or cut in the middle of a character: the caller looks at its printable runs instead.
    return null;
  }
}

/**
 * The text with its escapes resolved, when it looks like JSON or a printed value inside a string (`{'body': 'a\\nb'}`):
 * there line breaks and quotes stand as two characters each. Null when nothing changes.
 */
export function unescaped(text: string): string | null {
  if (!/\\[nrt"'\\/]/u.test(text) || !/^\s{0,200}[[{"'(]|\\n\s{0,20}\\n/u.test(text)) return null;
  return text.replace(/\\([nrt"'\\/])/gu, (_, code: string) => (code === 'n' || code === 'r' ? '\n' : code === 't' ? '\t' : code));
}
