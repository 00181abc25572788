/**
 * `features.unified_exec_tty = false`: Codex never calls a hook for what is typed into a shell it has already opened
 * (`write_stdin`), so an allowed `bash -i` on a terminal would run everything after it unseen.
 */
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { type Refused, refuse } from '#node/clients/adapter.ts';
import type { Splice } from '#node/clients/splices.ts';
import { lineEnding, placeOf } from '#node/clients/textPlace.ts';
import { asTable, removeStatements, samePath, type TomlTable } from '#node/clients/tomlEdit.ts';
import { scanToml, type TomlStatement } from '#node/clients/tomlScan.ts';

export const TTY_PATH = ['features', 'unified_exec_tty'] as const;
const NOTE = '# Callgate: text typed into a terminal passes no hook';
const SETTING = `unified_exec_tty = false ${NOTE}`;

export interface TerminalPlan {
  readonly kind: 'planned';
  readonly splices: readonly Splice[];
  /** Lines for our own block, when the file has no `features` at all. */
  readonly header: readonly string[];
  readonly notes: JsonObject;
  readonly summary: readonly string[];
}

export function planTerminal(body: string, statements: readonly TomlStatement[], config: TomlTable): TerminalPlan | Refused {
  const features = asTable(config['features']);
  const planned = (splices: readonly Splice[], header: readonly string[], notes: JsonObject, summary: string): TerminalPlan => ({
    kind: 'planned',
    splices,
    header,
    notes,
    summary: summary === '' ? [] : [summary],
  });
  const current = features?.['unified_exec_tty'];
  if (current === false) return planned([], [], { how: 'kept' }, '');
  const add = 'set features.unified_exec_tty = false, so that nothing can be typed past the hook';

  const line = statements.find((one) => one.kind === 'pair' && samePath(one.path, TTY_PATH));
  if (line) {
    const removed = body.slice(line.start, line.end);
    const inserted = `${body.slice(line.start, line.valueStart)}false ${NOTE}${body.slice(line.valueEnd, line.end)}`;
    return planned(
      [{ at: line.start, removed, inserted }],
      [],
      { how: 'replaced', line: removed },
      `${add} (now ${JSON.stringify(current)})`,
    );
  }
  const inline = statements.find((one) => one.kind === 'pair' && samePath(one.path, ['features']));
  if (inline) {
    if (current !== undefined)
      return refuse('UNSUPPORTED_SHAPE', {
        ...placeOf(body, inline.start),
        message: 'unified_exec_tty is set inside an inline table; write [features] as an ordinary table and try again',
      });
    const removed = body.slice(inline.start, inline.end);
    const inside = body.slice(inline.valueStart + 1, inline.valueEnd - 1).trimEnd();
    const separator = inside.trim() === '' ? '' : inside.endsWith(',') ? '' : ',';
    const value = `{${inside}${separator} unified_exec_tty = false }`;
    const inserted = `${body.slice(inline.start, inline.valueStart)}${value} ${NOTE}${body.slice(inline.valueEnd, inline.end)}`;
    return planned([{ at: inline.start, removed, inserted }], [], { how: 'replaced', line: removed }, add);
  }
  const eol = lineEnding(body);
  const header = statements.findIndex((one) => one.kind === 'table' && samePath(one.path, ['features']));
  if (header >= 0) {
    const behind = statements.slice(header + 1);
    const length = behind.findIndex((one) => one.kind !== 'pair');
    const at = statements[header + (length < 0 ? behind.length : length)]?.end ?? body.length;
    return planned([{ at, removed: '', inserted: eol + SETTING }], [], { how: 'added' }, add);
  }
  const dotted = statements
    .filter((one) => one.kind === 'pair' && one.path.length > 1 && one.path[0] === 'features' && rootPair(statements, one))
    .at(-1);
  if (dotted) return planned([{ at: dotted.end, removed: '', inserted: `${eol}features.${SETTING}` }], [], { how: 'added' }, add);
  return planned([], ['[features]', SETTING], { how: 'added', table: true }, add);
}

/** Above the first table header: only there does a dotted key start at the root. */
function rootPair(statements: readonly TomlStatement[], pair: TomlStatement): boolean {
  const firstTable = statements.find((one) => one.kind !== 'pair');
  return firstTable === undefined || pair.start < firstTable.start;
}

/** Takes our setting back where our note still marks it; a line the user has made their own stays. */
export function removeTerminal(text: string, notes: JsonValue): string {
  const statements = scanToml(text);
  const index = statements.findIndex(
    (one) => one.kind === 'pair' && one.path[0] === 'features' && text.slice(one.valueEnd, one.end).includes(NOTE),
  );
  const line = statements[index];
  if (!line) return text;
  const previous = isObject(notes) && notes['how'] === 'replaced' && typeof notes['line'] === 'string' ? notes['line'] : null;
  if (previous !== null) return text.slice(0, line.start) + previous + text.slice(line.end);
  const header = statements[index - 1];
  const ownTable =
    isObject(notes) &&
    notes['table'] === true &&
    header?.kind === 'table' &&
    samePath(header.path, ['features']) &&
    statements[index + 1]?.kind !== 'pair';
  return removeStatements(text, ownTable ? [header, line] : [line]);
}
