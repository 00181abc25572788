/** Codex: our hooks out of `config.toml` again, by the record of the edit if that still fits, else piece by piece; either way proved. */
import { isObject, type JsonValue } from '#core/model/json.ts';
import { type EditResult, isOurs, refuse, type UndoInfo } from '#node/clients/adapter.ts';
import { CODEX_EVENTS, CODEX_GATE, CODEX_RECORDED, type CodexEvent, groupsOf, ownHooks, trustKey } from '#node/clients/codexHooks.ts';
import { groupPath, RECORD_CLOSE, RECORD_OPEN } from '#node/clients/codexRecording.ts';
import { removeTerminal, TTY_PATH } from '#node/clients/codexTerminal.ts';
import { undoSplices } from '#node/clients/splices.ts';
import { placeOf, splitBom } from '#node/clients/textPlace.ts';
import { arrayTableGroup, asTable, isUnder, parseTomlText, removeStatements, sameToml, type TomlTable } from '#node/clients/tomlEdit.ts';
import { scanToml, type TomlStatement } from '#node/clients/tomlScan.ts';

/** Around the hook that gates; RECORD_OPEN and RECORD_CLOSE are around those that only record. */
export const HOOK_OPEN = '# >>> callgate: asks before every tool call';
export const HOOK_CLOSE = '# <<< callgate';

/** Where the group of that number begins, for what a person is told. */
export function gatePlace(body: string, statements: readonly TomlStatement[], group: number): { line: number; column: number } {
  return placeOf(body, arrayTableGroup(statements, groupPath(CODEX_GATE), group)[0]?.start ?? 0);
}

export function unplan(text: string, undo: UndoInfo | null, file: string): EditResult {
  const { bom, body } = splitBom(text);
  const parsed = parseTomlText(body);
  if ('problem' in parsed) return refuse('INVALID_FILE', parsed.problem);
  const own = CODEX_EVENTS.flatMap((event) => ownHooks(parsed.table, event));
  if (own.length === 0) return refuse('NO_RECORD', { line: 1, column: 1, message: 'no Callgate hook is in this file' });
  const notes = isObject(undo?.notes) ? undo.notes : {};
  const keys = [...own.map((one) => trustKey(file, one.group, one.hook, one.event)), ...strings(notes['trustKeys'])];
  const untouched = undo ? undoSplices(body, undo.splices) : null;
  for (const candidate of [untouched && forgetTrust(untouched, keys, notes['hadState'] === true), removeStructurally(body, keys, notes)]) {
    const again = candidate === null ? null : parseTomlText(candidate);
    if (candidate !== null && again && 'table' in again && sameToml(bare(again.table, []), bare(parsed.table, keys))) {
      const followers = own.some(({ event, group }) => {
        const groups = groupsOf(parsed.table, event);
        return Array.isArray(groups) && group < groups.length - 1;
      });
      const warnings = followers ? ['hooks behind ours move up by one; Codex will ask you to trust those again (/hooks)'] : [];
      return {
        kind: 'edited',
        text: bom + candidate,
        undo: { splices: [], notes: null },
        summary: ['remove the Callgate hooks, their trust and our unified_exec_tty setting'],
        warnings,
      };
    }
  }
  return refuse('CANNOT_UNDO', {
    ...gatePlace(body, scanToml(body), own[0]?.group ?? 0),
    message: 'the Callgate hook was mixed with others; delete the hook whose command holds ".callgate/bin" by hand',
  });
}

function strings(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item: JsonValue) => typeof item === 'string') : [];
}

function forgetTrust(text: string, keys: readonly string[], hadState: boolean): string {
  const statements = scanToml(text);
  const state = statements.filter((one) => isUnder(one.path, ['hooks', 'state']));
  const ours = state.filter((one) => keys.includes(one.path[2] ?? ''));
  const header = state.find((one) => one.kind === 'table' && one.path.length === 2);
  const lonely = header && !hadState && ours.length > 0 && state.length === ours.length + 1 ? [header] : [];
  return removeStatements(text, [...ours, ...lonely]);
}

function removeStructurally(text: string, keys: readonly string[], notes: { readonly [key: string]: JsonValue }): string | null {
  const cut = cutHooks(forgetTrust(text, keys, notes['hadState'] === true), CODEX_EVENTS);
  if (cut === null) return null;
  const rest = removeTerminal(cut, notes['terminal'] ?? null);
  return removeStatements(rest, markerLines(rest, [HOOK_OPEN, HOOK_CLOSE, RECORD_OPEN, RECORD_CLOSE]));
}

/** Our hooks of these events out, one by one; null when one of them stands where it cannot be taken out alone. */
function cutHooks(text: string, events: readonly CodexEvent[]): string | null {
  let current = text;
  for (;;) {
    const parsed = parseTomlText(current);
    if ('problem' in parsed) return null;
    const own = events.flatMap((event) => ownHooks(parsed.table, event))[0];
    if (!own) return current;
    const path = groupPath(own.event);
    const group = arrayTableGroup(scanToml(current), path, own.group);
    const hooks = arrayTableGroup(group, [...path, 'hooks'], own.hook);
    const alone = group.filter((one) => one.kind === 'arrayTable' && one.path.length === 3).length <= 1;
    const cut = alone ? group : hooks;
    if (cut.length === 0 || !current.slice(cut[0]?.start, cut.at(-1)?.end).includes('.callgate')) return null;
    current = removeStatements(current, cut);
  }
}

/** The text without the hooks that only record; as it is when that cannot be told. Their trust stays: it trusts nothing that is there. */
export function removeRecording(text: string): string {
  const cut = cutHooks(text, CODEX_RECORDED);
  if (cut === null || cut === text) return text;
  return removeStatements(cut, markerLines(cut, [RECORD_OPEN, RECORD_CLOSE]));
}

function markerLines(text: string, markers: readonly string[]): readonly { readonly start: number; readonly end: number }[] {
  return markers.flatMap((marker) => {
    // Whole lines, and of several the last: ours stand at the end, the user may have quoted them above.
    const last = [...text.matchAll(/^.*$/gmu)].findLast(([line]) => line.trimEnd() === marker);
    return last === undefined ? [] : [{ start: last.index, end: last.index + marker.length }];
  });
}

/** The config without our parts and without what an undo may or may not leave empty; `unified_exec_tty` is proved by place. */
function bare(config: TomlTable, keys: readonly string[]): TomlTable {
  const { hooks, features, ...rest } = config;
  const { state, ...lists } = asTable(hooks) ?? {};
  const others = Object.entries(lists).map(([event, list]) => {
    if (!CODEX_EVENTS.some((one) => one === event) || !Array.isArray(list)) return [event, list];
    return [
      event,
      list.flatMap((group: unknown) => {
        const inside = asTable(group)?.['hooks'];
        const kept = Array.isArray(inside) ? inside.filter((hook: unknown) => !isOurs(asTable(hook)?.['command'])) : [];
        return Array.isArray(inside) && kept.length < inside.length
          ? kept.length > 0
            ? [{ ...asTable(group), hooks: kept }]
            : []
          : [group];
      }),
    ];
  });
  const otherHooks = Object.fromEntries(others.filter(([, list]) => !(Array.isArray(list) && list.length === 0)));
  const states = Object.fromEntries(Object.entries(asTable(state) ?? {}).filter(([key]) => !keys.includes(key)));
  const { [TTY_PATH[1]]: _tty, ...otherFeatures } = asTable(features) ?? {};
  return { rest, otherHooks, states, otherFeatures };
}
