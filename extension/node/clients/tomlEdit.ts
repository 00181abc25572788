/**
 * TOML text, edited by hand-placed splices and then proved: smol-toml reads the result, and its meaning has to be
 * exactly the old meaning plus what we wanted. Otherwise nothing is written.
 */
import { parse, TomlDate, TomlError } from 'smol-toml';
import type { TomlStatement } from '#node/clients/tomlScan.ts';
import type { Problem } from '#node/clients/textPlace.ts';

export type TomlTable = { readonly [key: string]: unknown };

export function parseTomlText(text: string): { readonly table: TomlTable } | { readonly problem: Problem } {
  try {
    return { table: parse(text, { integersAsBigInt: 'asNeeded' }) };
  } catch (error) {
    if (error instanceof TomlError)
      return { problem: { line: error.line, column: error.column, message: error.message.split('\n')[0] ?? 'not valid TOML' } };
    return { problem: { line: 1, column: 1, message: String(error) } };
  }
}

export function asTable(value: unknown): TomlTable | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof TomlDate)
    ? (value as TomlTable)
    : undefined;
}

/** Same meaning, key order aside. */
export function sameToml(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => sameToml(item, b[index]));
  if (a instanceof TomlDate && b instanceof TomlDate) return a.toISOString() === b.toISOString();
  const [left, right] = [asTable(a), asTable(b)];
  if (!left || !right) return Object.is(a, b);
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => Object.hasOwn(right, key) && sameToml(left[key], right[key]));
}

/** A string as TOML, the most readable form that can carry it. */
export function tomlString(value: string): string {
  const plain = !/[\u0000-\u0008\u000A-\u001F\u007F]/u.test(value);
  if (plain && !value.includes("'")) return `'${value}'`;
  if (plain && !value.includes("'''") && !value.endsWith("'")) return `'''${value}'''`;
  return JSON.stringify(value).replaceAll('\u007F', '\\u007f');
}

export function samePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((part, index) => part === b[index]);
}

export function isUnder(path: readonly string[], prefix: readonly string[]): boolean {
  return path.length >= prefix.length && prefix.every((part, index) => part === path[index]);
}

/** The statements of the `index`-th `[[path]]`: its header and everything up to the next table that is not part of it. */
export function arrayTableGroup(statements: readonly TomlStatement[], path: readonly string[], index: number): readonly TomlStatement[] {
  const group: TomlStatement[] = [];
  let seen = -1;
  for (const statement of statements) {
    const opens = statement.kind === 'arrayTable' && samePath(statement.path, path);
    if (opens) seen += 1;
    else if (seen === index && !isUnder(statement.path, path)) break;
    if (seen > index) break;
    if (seen === index) group.push(statement);
  }
  return group;
}

/** Removes whole statements with their lines; of the blank lines around a gap one side goes. */
export function removeStatements(text: string, statements: readonly { readonly start: number; readonly end: number }[]): string {
  let result = text;
  for (const { start, end } of [...statements].sort((a, b) => b.start - a.start)) {
    const behind = /^\r?\n/u.exec(result.slice(end))?.[0].length ?? 0;
    let from = start;
    const blank = /(?:\r?\n)(?:[ \t]*\r?\n)*$/u.exec(result.slice(0, start))?.[0];
    const next = result.slice(end + behind);
    if (blank !== undefined && /^[ \t]*(?:\r?\n|$)/u.test(next)) {
      const firstBreak = blank.startsWith('\r\n') ? 2 : 1;
      from = start - blank.length + firstBreak;
    }
    result = result.slice(0, from) + next;
  }
  return result;
}

/** A key as TOML: bare where that is allowed. */
export function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/u.test(key) ? key : JSON.stringify(key).replaceAll('\u007F', '\\u007f');
}

/** A parsed value on one line. */
export function tomlValue(value: unknown): string {
  if (typeof value === 'string') return tomlString(value);
  if (value instanceof TomlDate) return value.toISOString();
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`;
  const table = asTable(value);
  if (table) {
    const pairs = Object.entries(table).map(([key, item]) => `${tomlKey(key)} = ${tomlValue(item)}`);
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
  }
  if (typeof value !== 'number') return String(value);
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0.0' : String(value);
}

/** A table under its own header, tables in it inline. */
export function tomlTableText(path: readonly string[], table: TomlTable): string {
  const pairs = Object.entries(table).map(([key, item]) => `${tomlKey(key)} = ${tomlValue(item)}`);
  return [`[${path.map(tomlKey).join('.')}]`, ...pairs].join('\n');
}
