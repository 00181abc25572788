/**
 * Codex CLI: our hook goes inline into `config.toml`, not into `hooks.json`: one stray byte there drops every hook in
 * silence, while a broken config.toml stops Codex.
 */
import { posix, win32 } from 'node:path';
import { isObject, type JsonValue } from '#core/model/json.ts';
import { HOOK_TIMEOUT_SECONDS } from '#home/settings.ts';
import { type AgentAdapter, type EditResult, isOurs, NO_LAUNCHER, type Protection, refuse, type UndoInfo } from '#node/clients/adapter.ts';
import {
  CODEX_EVENTS,
  CODEX_GATE,
  CODEX_RECORDED,
  type CodexEvent,
  codexHook,
  codexSwitchedOff,
  groupsOf,
  ownHooks,
  trustHash,
  trustKey,
} from '#node/clients/codexHooks.ts';
import {
  groupPath,
  hookTables,
  inspectRecording,
  isInline,
  planRecording,
  RECORD_CLOSE,
  RECORD_OPEN,
  trustState,
  updateCommand,
} from '#node/clients/codexRecording.ts';
import { planTerminal, removeTerminal, TTY_PATH } from '#node/clients/codexTerminal.ts';
import { applySplices, type Splice, undoSplices } from '#node/clients/splices.ts';
import { lineEnding, placeOf, splitBom } from '#node/clients/textPlace.ts';
import {
  arrayTableGroup,
  asTable,
  isUnder,
  parseTomlText,
  removeStatements,
  samePath,
  sameToml,
  type TomlTable,
} from '#node/clients/tomlEdit.ts';
import { scanToml, type TomlStatement } from '#node/clients/tomlScan.ts';

const OPEN = '# >>> callgate: asks before every tool call';
const CLOSE = '# <<< callgate';
const GROUP = groupPath(CODEX_GATE);

export const codex: AgentAdapter = {
  id: 'codex',
  name: 'Codex CLI',
  locate(platform, home, env) {
    const { join } = platform === 'win32' ? win32 : posix;
    const folder = env['CODEX_HOME'];
    return join(folder !== undefined && folder !== '' ? folder : join(home, '.codex'), 'config.toml');
  },
  plan,
  inspect,
  unplan,
};

function plan(text: string | null, command: string, record: string | null = null): EditResult {
  const { bom, body: before } = splitBom(text ?? '');
  const body = record === null ? withoutRecording(before) : before;
  const parsed = parseTomlText(body);
  if ('problem' in parsed) return refuse('INVALID_FILE', parsed.problem);
  const statements = scanToml(body);
  const [first, second] = ownHooks(parsed.table, CODEX_GATE);
  if (second)
    return refuse('UNSUPPORTED_SHAPE', {
      ...groupPlace(body, statements, second.group),
      message: 'Callgate is there twice; delete this [[hooks.PreToolUse]] and try again',
    });

  const terminal = planTerminal(body, statements, parsed.table);
  if (terminal.kind === 'refused') return terminal;
  const splices: Splice[] = [...terminal.splices];
  const summary: string[] = [...(body === before ? [] : ['remove the hooks that only record']), ...terminal.summary];
  if (first) {
    const update = updateCommand(body, statements, first, command);
    splices.push(...update);
    if (update.length > 0) summary.push('bring the Callgate hook up to date; Codex will want to trust it again');
  } else {
    if (isInline(parsed.table, statements, CODEX_GATE)) {
      const at = statements.find((one) => isUnder(one.path, GROUP) || samePath(one.path, ['hooks']))?.start ?? 0;
      return refuse('UNSUPPORTED_SHAPE', {
        ...placeOf(body, at),
        message: 'hooks.PreToolUse is written as an inline value; write it as [[hooks.PreToolUse]] tables and try again',
      });
    }
    summary.push(`add a [[hooks.PreToolUse]] hook for every tool, ${HOOK_TIMEOUT_SECONDS} s, behind your own hooks`);
  }
  // Behind everything: Codex remembers trust by position, so a hook in front of the user's would un-trust theirs.
  const block = [...(first ? [] : hookBlock(command, terminal.header)), ...(first ? terminal.header : [])];
  const recording = planRecording(body, statements, parsed.table, record);
  splices.push(...recording.splices);
  summary.push(...recording.summary);
  const blocks = [block, recording.block].filter((lines) => lines.length > 0);
  if (blocks.length > 0)
    splices.push(
      appendBlock(
        body,
        blocks.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines])),
      ),
    );

  const after = applySplices(body, splices);
  const proof = parseTomlText(after);
  if ('problem' in proof || !sameToml(proof.table, wanted(parsed.table, command, recording.events, record))) {
    const at = 'problem' in proof ? proof.problem : { line: 1, column: 1, message: '' };
    return refuse('UNSUPPORTED_SHAPE', {
      ...at,
      message:
        'this file is written in a way the edit would not carry over safely; write [hooks] and [features] as ordinary tables and try again',
    });
  }
  return {
    kind: 'edited',
    text: bom + after,
    undo: {
      splices: body === before ? splices : [],
      notes: { terminal: terminal.notes, hadState: asTable(asTable(parsed.table['hooks'])?.['state']) !== undefined, trustKeys: [] },
    },
    summary,
    warnings: [...codexSwitchedOff(parsed.table), ...recording.warnings],
  };
}

function hookBlock(command: string, header: readonly string[]): readonly string[] {
  return [OPEN, ...header, ...hookTables(command, CODEX_GATE), CLOSE];
}

function appendBlock(body: string, lines: readonly string[]): Splice {
  const eol = lineEnding(body);
  const lead = body === '' ? '' : body.endsWith('\n') ? eol : eol + eol;
  return { at: body.length, removed: '', inserted: lead + lines.join(eol) + eol };
}

function groupPlace(body: string, statements: readonly TomlStatement[], group: number): { line: number; column: number } {
  return placeOf(body, arrayTableGroup(statements, GROUP, group)[0]?.start ?? 0);
}

/** What the edited file has to mean. */
function wanted(config: TomlTable, command: string, recorded: readonly CodexEvent[], record: string | null): TomlTable {
  const hooks = asTable(config['hooks']) ?? {};
  const withOurs = (event: CodexEvent, text: string): readonly unknown[] => {
    const groups: readonly unknown[] = Array.isArray(hooks[event]) ? hooks[event] : [];
    const at = ownHooks(config, event)[0]?.group;
    const ours = { hooks: [codexHook(text, event)] };
    return at === undefined ? [...groups, ours] : groups.map((group, index) => (index === at ? ours : group));
  };
  return {
    ...config,
    features: { ...asTable(config['features']), unified_exec_tty: false },
    hooks: {
      ...hooks,
      [CODEX_GATE]: withOurs(CODEX_GATE, command),
      ...(record === null ? {} : Object.fromEntries(recorded.map((event) => [event, withOurs(event, record)]))),
    },
  };
}

function inspect(text: string | null, command: string | null, file: string, record: string | null = null): Protection {
  const parsed = parseTomlText(splitBom(text ?? '').body);
  if ('problem' in parsed) {
    const { line, column, message } = parsed.problem;
    return { state: 'broken', detail: `Line ${line}, column ${column}: ${message}. Codex does not start with it; mend it first.` };
  }
  const { table } = parsed;
  const own = ownHooks(table, CODEX_GATE)[0];
  if (!own) return { state: 'unprotected', detail: 'Adds a hook that Codex asks before every tool call.' };
  const off = codexSwitchedOff(table)[0];
  if (off !== undefined) return { state: 'broken', detail: `${off}.` };
  if (command === null) return { state: 'broken', detail: NO_LAUNCHER };
  if (!sameToml(table, wanted(table, command, [], null)))
    return {
      state: 'broken',
      detail: 'The Callgate hook there is incomplete or from another version; protect again to bring it up to date.',
    };
  const state = trustState(table, file, own);
  if (state?.['enabled'] === false)
    return { state: 'broken', detail: 'The Callgate hook is switched off in Codex (/hooks); switch it on there.' };
  if (state?.['trusted_hash'] !== trustHash(command))
    return {
      state: 'broken',
      detail: 'Codex skips the Callgate hook until you trust it; protect again, or trust it in Codex under /hooks.',
    };
  return inspectRecording(table, scanToml(splitBom(text ?? '').body), file, record);
}

function unplan(text: string, undo: UndoInfo | null, file: string): EditResult {
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
    ...groupPlace(body, scanToml(body), own[0]?.group ?? 0),
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
  return removeStatements(rest, markerLines(rest, [OPEN, CLOSE, RECORD_OPEN, RECORD_CLOSE]));
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
function withoutRecording(text: string): string {
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
