/** The options that all `callgate audit` subcommands share: which entries are meant. */
import { resolve } from 'node:path';
import type { Severity } from '#core/model/finding.ts';
import { VERDICTS, type Verdict } from '#core/model/verdict.ts';
import { CLIENT_NAMES, DECIDERS, ENTRY_KINDS, OUTCOMES, SEVERITIES } from '#home/journal/entryShape.ts';
import type { AuditFilter } from '#node/audit/auditFilter.ts';
import { parseTime, TIME_FORMS } from '#node/cli/auditTime.ts';

export const FILTER_USAGE = `filters (given twice or with commas where words are fixed: any of them):
  --verdict clean|flag|quarantine|block     --outcome delivered|refused|asked|held|expired
  --kind call|hold|response|prompt|session|grant|config|broker|journal
  --by gate|person|grant|timeout|failure|client        --client claude|codex|mcp|cli
  --severity low|medium|high|critical (high+: that or worse)   --category NAME   --rule ID (with *)
  --agent NAME  --tool NAME  --server NAME  --session ID  --workspace FOLDER
  --since TIME  --until TIME (2026-01-31, 2026-01-31T14:05Z, 2h, yesterday)
  --text WORDS  --seq A..B  --limit N|all`;

/** What one subcommand takes beside the filters. */
export interface OptionSpec {
  readonly flags: readonly string[];
  readonly values: readonly string[];
}

export interface AuditOptions {
  readonly filter: AuditFilter;
  /** Infinity for `all`, null when it was not said. */
  readonly limit: number | null;
  readonly flags: ReadonlySet<string>;
  /** Every value given for a name, in order. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
}

const FILTER_VALUES =
  'verdict outcome kind by client severity category rule agent tool server session workspace since until text seq limit'.split(' ');

class Wrong extends Error {}

/** @returns the problem in one line when the words cannot be understood */
export function parseAuditOptions(
  args: readonly string[],
  spec: OptionSpec,
  { now, cwd }: { readonly now: number; readonly cwd: string },
): AuditOptions | { readonly problem: string } {
  try {
    const split = splitArguments(args, spec);
    const last = (name: string): string | undefined => split.values.get(name)?.at(-1);
    const limit = last('limit');
    return { ...split, filter: filterFrom(split.values, now, cwd), limit: limit === undefined ? null : limitFrom(limit) };
  } catch (error) {
    if (error instanceof Wrong) return { problem: error.message };
    throw error;
  }
}

function splitArguments(args: readonly string[], spec: OptionSpec): Pick<AuditOptions, 'flags' | 'values' | 'words'> {
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  const words: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    const name = /^--?([a-z][a-z-]*)/.exec(arg)?.[1];
    if (name === undefined || !arg.startsWith('-')) {
      words.push(arg);
      continue;
    }
    const equals = arg.indexOf('=');
    if (spec.flags.includes(name) && equals < 0) flags.add(name);
    else if (spec.values.includes(name) || FILTER_VALUES.includes(name)) {
      if (equals < 0) index += 1;
      const value = equals < 0 ? args[index] : arg.slice(equals + 1);
      if (value === undefined) throw new Wrong(`--${name} wants a value`);
      values.set(name, [...(values.get(name) ?? []), value]);
    } else throw new Wrong(`there is no option ${arg}`);
  }
  return { flags, values, words };
}

function limitFrom(text: string): number {
  if (text === 'all') return Number.POSITIVE_INFINITY;
  const limit = Number(text);
  if (!Number.isSafeInteger(limit) || limit < 1) throw new Wrong('--limit wants a number from 1 on, or all');
  return limit;
}

function filterFrom(values: ReadonlyMap<string, readonly string[]>, now: number, cwd: string): AuditFilter {
  const free = (name: string): readonly string[] | undefined => values.get(name);
  const fixed = <T extends string>(name: string, known: readonly T[]): readonly T[] | undefined =>
    values.get(name)?.flatMap((value) => value.split(',').map((word) => oneOf(name, word, known)));
  const time = (name: string): number | undefined => {
    const value = values.get(name)?.at(-1);
    if (value === undefined) return undefined;
    const ms = parseTime(value, now);
    if (ms === null) throw new Wrong(`--${name} wants ${TIME_FORMS}; not ${JSON.stringify(value)}`);
    return ms;
  };
  const severity = values.get('severity')?.flatMap((value) =>
    value.split(',').flatMap((word): readonly Severity[] => {
      if (!word.endsWith('+')) return [oneOf('severity', word, SEVERITIES)];
      return SEVERITIES.slice(SEVERITIES.indexOf(oneOf('severity', word.slice(0, -1), SEVERITIES)));
    }),
  );
  const text = values.get('text')?.at(-1);
  const seq = values.get('seq')?.at(-1);
  return defined({
    verdict: fixed<Verdict>('verdict', VERDICTS),
    outcome: fixed('outcome', OUTCOMES),
    kind: fixed('kind', ENTRY_KINDS),
    by: fixed('by', DECIDERS),
    client: fixed('client', CLIENT_NAMES),
    severity,
    category: free('category'),
    rule: free('rule'),
    agent: free('agent'),
    tool: free('tool'),
    server: free('server'),
    session: free('session'),
    workspace: free('workspace')?.map((folder) => resolve(cwd, folder)),
    since: time('since'),
    until: time('until'),
    text,
    seq: seq === undefined ? undefined : seqRange(seq),
  });
}

function oneOf<T extends string>(name: string, word: string, known: readonly T[]): T {
  const found = known.find((item) => item === word);
  if (found === undefined) throw new Wrong(`--${name} wants ${known.join(', ')}; not ${JSON.stringify(word)}`);
  return found;
}

/** `7`, `7..12`, `7..`, `..12`. */
function seqRange(text: string): { readonly from: number; readonly to: number } {
  const [, from, dots, to] = /^(\d{1,15})?(\.\.)?(\d{1,15})?$/.exec(text) ?? [];
  const first = from === undefined ? 1 : Number(from);
  const range = { from: first, to: to === undefined ? (dots === undefined ? first : Number.MAX_SAFE_INTEGER) : Number(to) };
  if (text === '' || (from === undefined && dots === undefined) || range.from > range.to || text === '..')
    throw new Wrong(`--seq wants A..B, numbers of entries; not ${JSON.stringify(text)}`);
  return range;
}

/** Without what is undefined: absent and undefined are not the same to the compiler. */
function defined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
