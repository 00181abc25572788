/** Entries for people: one line each, hostile text made visible. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import { visibleLine } from '#core/policy/visibleText.ts';
import { askedText, ruleIds } from '#node/audit/export/entryText.ts';

type Column = readonly [title: string, width: number, value: (entry: AuditEntry) => string];

const COLUMNS: readonly Column[] = [
  ['SEQ', 7, (entry) => String(entry.seq)],
  ['TIME', 19, (entry) => localTime(entry.time)],
  ['VERDICT', 10, (entry) => entry.verdict],
  ['OUTCOME', 9, (entry) => (entry.kind === 'call' ? entry.outcome : `${entry.kind}`)],
  ['WHO', 14, (entry) => (entry.agent === '' || entry.agent === 'main' ? entry.client : `${entry.client}/${entry.agent}`)],
  ['TOOL', 18, (entry) => (entry.server === null ? entry.tool : `${entry.server}/${entry.tool}`)],
];
const DEFAULT_WIDTH = 200;
const LEAST_REST = 20;

const two = (value: number): string => String(value).padStart(2, '0');

/** As a clock on this machine shows it. */
export function localTime(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return String(ms);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function cell(text: string, width: number): string {
  const shown = visibleLine(text, 200);
  return (shown.length > width ? `${shown.slice(0, width - 1)}…` : shown).padEnd(width);
}

function row(cells: readonly string[], rest: string, width: number): string {
  const before = cells.map((text, index) => cell(text, COLUMNS[index]?.[1] ?? 0)).join('  ');
  const room = Math.max(LEAST_REST, width - before.length - 2);
  const shown = visibleLine(rest, room);
  return `${before}  ${shown.length > room ? `${shown.slice(0, room - 1)}…` : shown}`.trimEnd();
}

/** Columns of the terminal, or enough for a line in a file. */
export function widthOf(stream: object): number {
  return 'columns' in stream && typeof stream.columns === 'number' && stream.columns > 0 ? stream.columns : DEFAULT_WIDTH;
}

export function tableHeader(width: number): string {
  return row(
    COLUMNS.map(([title]) => title),
    'RULES AND WHAT WAS ASKED',
    width,
  );
}

export function tableRow(entry: AuditEntry, width: number): string {
  const rules = ruleIds(entry);
  const asked = askedText(entry);
  return row(
    COLUMNS.map(([, , value]) => value(entry)),
    [...(rules.length === 0 ? [] : [`[${rules.join(' ')}]`]), asked === '' ? entry.reason : asked].join(' '),
    width,
  );
}
