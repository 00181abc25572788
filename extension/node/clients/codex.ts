/**
 * Codex CLI: our hook goes inline into `config.toml`, not into `hooks.json`: one stray byte there drops every hook in
 * silence, while a broken config.toml stops Codex.
 */
import { posix, win32 } from 'node:path';
import { isObject, type JsonValue } from '#core/model/json.ts';
import { HOOK_TIMEOUT_SECONDS } from '#home/settings.ts';
import { type AgentAdapter, type EditResult, isOurs, NO_LAUNCHER, type Protection, refuse, type UndoInfo } from '#node/clients/adapter.ts';
import { codexHook, codexSwitchedOff, ownHooks, preToolUse, trustHash, trustKey } from '#node/clients/codexHooks.ts';
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
  tomlString,
  type TomlTable,
} from '#node/clients/tomlEdit.ts';
import { scanToml, type TomlStatement } from '#node/clients/tomlScan.ts';

const OPEN = '# >>> callgate: asks before every tool call';
const CLOSE = '# <<< callgate';
const GROUP = ['hooks', 'PreToolUse'];

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

function plan(text: string | null, command: string): EditResult {
  const { bom, body } = splitBom(text ?? '');
  const parsed = parseTomlText(body);
  if ('problem' in parsed) return refuse('INVALID_FILE', parsed.problem);
  const statements = scanToml(body);
  const own = ownHooks(parsed.table);
  const [first, second] = own;
  if (second)
    return refuse('UNSUPPORTED_SHAPE', {
      ...groupPlace(body, statements, second.group),
      message: 'Callgate is there twice; delete this [[hooks.PreToolUse]] and try again',
    });

  const terminal = planTerminal(body, statements, parsed.table);
  if (terminal.kind === 'refused') return terminal;
  const splices: Splice[] = [...terminal.splices];
  const summary: string[] = [...terminal.summary];
  if (first) {
    const update = updateCommand(body, statements, first, command);
    splices.push(...update);
    if (update.length > 0) summary.push('bring the Callgate hook up to date; Codex will want to trust it again');
  } else {
    const inline =
      preToolUse(parsed.table) !== undefined && !statements.some((one) => one.kind === 'arrayTable' && samePath(one.path, GROUP));
    if (inline) {
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
  if (block.length > 0) splices.push(appendBlock(body, block));

  const after = applySplices(body, splices);
  const proof = parseTomlText(after);
  if ('problem' in proof || !sameToml(proof.table, wanted(parsed.table, command, first?.group))) {
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
      splices,
      notes: { terminal: terminal.notes, hadState: asTable(asTable(parsed.table['hooks'])?.['state']) !== undefined, trustKeys: [] },
    },
    summary,
    warnings: codexSwitchedOff(parsed.table),
  };
}

function hookBlock(command: string, header: readonly string[]): readonly string[] {
  return [
    OPEN,
    ...header,
    '[[hooks.PreToolUse]]',
    '[[hooks.PreToolUse.hooks]]',
    'type = "command"',
    `command = ${tomlString(command)}`,
    `timeout = ${HOOK_TIMEOUT_SECONDS}`,
    CLOSE,
  ];
}

function appendBlock(body: string, lines: readonly string[]): Splice {
  const eol = lineEnding(body);
  const lead = body === '' ? '' : body.endsWith('\n') ? eol : eol + eol;
  return { at: body.length, removed: '', inserted: lead + lines.join(eol) + eol };
}

function groupPlace(body: string, statements: readonly TomlStatement[], group: number): { line: number; column: number } {
  return placeOf(body, arrayTableGroup(statements, GROUP, group)[0]?.start ?? 0);
}

/** An older entry of ours: only the values that differ change, so its position and the user's comments stay. */
function updateCommand(
  body: string,
  statements: readonly TomlStatement[],
  own: { readonly group: number; readonly command: string },
  command: string,
): readonly Splice[] {
  const pairs = arrayTableGroup(statements, GROUP, own.group).filter((one) => one.kind === 'pair');
  const values: readonly (readonly [string, string])[] = [
    ['command', tomlString(command)],
    ['timeout', String(HOOK_TIMEOUT_SECONDS)],
  ];
  return values.flatMap(([key, value]) => {
    const pair = pairs.find((one) => samePath(one.path, [...GROUP, 'hooks', key]));
    const removed = pair ? body.slice(pair.valueStart, pair.valueEnd) : '';
    const already = key === 'command' ? own.command === command : removed === value;
    return pair && !already ? [{ at: pair.valueStart, removed, inserted: value }] : [];
  });
}

/** What the edited file has to mean. */
function wanted(config: TomlTable, command: string, at: number | undefined): TomlTable {
  const hooks = asTable(config['hooks']) ?? {};
  const groups: readonly unknown[] = Array.isArray(hooks['PreToolUse']) ? hooks['PreToolUse'] : [];
  const ours = { hooks: [codexHook(command)] };
  return {
    ...config,
    features: { ...asTable(config['features']), unified_exec_tty: false },
    hooks: { ...hooks, PreToolUse: at === undefined ? [...groups, ours] : groups.map((group, index) => (index === at ? ours : group)) },
  };
}

function inspect(text: string | null, command: string | null, file: string): Protection {
  const parsed = parseTomlText(splitBom(text ?? '').body);
  if ('problem' in parsed) {
    const { line, column, message } = parsed.problem;
    return { state: 'broken', detail: `Line ${line}, column ${column}: ${message}. Codex does not start with it; mend it first.` };
  }
  const own = ownHooks(parsed.table)[0];
  if (!own) return { state: 'unprotected', detail: 'Adds a hook that Codex asks before every tool call.' };
  const off = codexSwitchedOff(parsed.table)[0];
  if (off !== undefined) return { state: 'broken', detail: `${off}.` };
  if (command === null) return { state: 'broken', detail: NO_LAUNCHER };
  if (!sameToml(parsed.table, wanted(parsed.table, command, own.group)))
    return {
      state: 'broken',
      detail: 'The Callgate hook there is incomplete or from another version; protect again to bring it up to date.',
    };
  const state = trustState(parsed.table, file, own);
  if (state?.['enabled'] === false)
    return { state: 'broken', detail: 'The Callgate hook is switched off in Codex (/hooks); switch it on there.' };
  if (state?.['trusted_hash'] !== trustHash(command))
    return {
      state: 'broken',
      detail: 'Codex skips the Callgate hook until you trust it; protect again, or trust it in Codex under /hooks.',
    };
  return { state: 'protected', detail: 'Every tool call passes the gate.' };
}

/** Codex may spell its home folder in another way than we do (links, letter case); the file's name and position remain. */
function trustState(config: TomlTable, file: string, own: { readonly group: number; readonly hook: number }): TomlTable | undefined {
  const states = asTable(asTable(config['hooks'])?.['state']) ?? {};
  const exact = trustKey(file, own.group, own.hook);
  const key = Object.hasOwn(states, exact)
    ? exact
    : Object.keys(states).find((one) => one.endsWith(trustKey('config.toml', own.group, own.hook)));
  return key === undefined ? undefined : asTable(states[key]);
}

function unplan(text: string, undo: UndoInfo | null, file: string): EditResult {
  const { bom, body } = splitBom(text);
  const parsed = parseTomlText(body);
  if ('problem' in parsed) return refuse('INVALID_FILE', parsed.problem);
  const own = ownHooks(parsed.table);
  if (own.length === 0) return refuse('NO_RECORD', { line: 1, column: 1, message: 'no Callgate hook is in this file' });
  const notes = isObject(undo?.notes) ? undo.notes : {};
  const keys = [...own.map((one) => trustKey(file, one.group, one.hook)), ...strings(notes['trustKeys'])];
  const untouched = undo ? undoSplices(body, undo.splices) : null;
  for (const candidate of [untouched && forgetTrust(untouched, keys, notes['hadState'] === true), removeStructurally(body, keys, notes)]) {
    const again = candidate === null ? null : parseTomlText(candidate);
    if (candidate !== null && again && 'table' in again && sameToml(bare(again.table, []), bare(parsed.table, keys))) {
      const groups = preToolUse(parsed.table);
      const followers = Array.isArray(groups) && own.some((one) => one.group < groups.length - 1);
      const warnings = followers ? ['hooks behind ours move up by one; Codex will ask you to trust those again (/hooks)'] : [];
      return {
        kind: 'edited',
        text: bom + candidate,
        undo: { splices: [], notes: null },
        summary: ['remove the Callgate hook, its trust and our unified_exec_tty setting'],
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
  let current = forgetTrust(text, keys, notes['hadState'] === true);
  for (;;) {
    const parsed = parseTomlText(current);
    if ('problem' in parsed) return null;
    const own = ownHooks(parsed.table)[0];
    if (!own) break;
    const group = arrayTableGroup(scanToml(current), GROUP, own.group);
    const hooks = arrayTableGroup(group, [...GROUP, 'hooks'], own.hook);
    const alone = group.filter((one) => one.kind === 'arrayTable' && one.path.length === 3).length <= 1;
    const cut = alone ? group : hooks;
    if (cut.length === 0 || !current.slice(cut[0]?.start, cut.at(-1)?.end).includes('.callgate')) return null;
    current = removeStatements(current, cut);
  }
  current = removeTerminal(current, notes['terminal'] ?? null);
  return removeStatements(current, markerLines(current));
}

function markerLines(text: string): readonly { readonly start: number; readonly end: number }[] {
  return [OPEN, CLOSE].flatMap((marker) => {
    // Whole lines, and of several the last: ours stand at the end, the user may have quoted them above.
    const last = [...text.matchAll(/^.*$/gmu)].findLast(([line]) => line.trimEnd() === marker);
    return last === undefined ? [] : [{ start: last.index, end: last.index + marker.length }];
  });
}

/** The config without our parts and without what an undo may or may not leave empty; `unified_exec_tty` is proved by place. */
function bare(config: TomlTable, keys: readonly string[]): TomlTable {
  const { hooks, features, ...rest } = config;
  const { PreToolUse, state, ...otherHooks } = asTable(hooks) ?? {};
  const groups = (Array.isArray(PreToolUse) ? PreToolUse : []).flatMap((group: unknown) => {
    const list = asTable(group)?.['hooks'];
    const kept = Array.isArray(list) ? list.filter((hook: unknown) => !isOurs(asTable(hook)?.['command'])) : [];
    return Array.isArray(list) && kept.length < list.length ? (kept.length > 0 ? [{ ...asTable(group), hooks: kept }] : []) : [group];
  });
  const states = Object.fromEntries(Object.entries(asTable(state) ?? {}).filter(([key]) => !keys.includes(key)));
  const { [TTY_PATH[1]]: _tty, ...otherFeatures } = asTable(features) ?? {};
  return { rest, otherHooks, groups, states, otherFeatures };
}
