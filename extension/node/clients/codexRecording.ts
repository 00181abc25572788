/** Codex: hooks that only record, beside the one that gates. Nothing about them is worth refusing a protection for. */
import { RECORD_TIMEOUT_SECONDS } from '#home/settings.ts';
import type { Protection } from '#node/clients/adapter.ts';
import {
  CODEX_RECORDED,
  type CodexEvent,
  groupsOf,
  type OwnHook,
  ownHooks,
  timeoutOf,
  trustHash,
  trustKey,
} from '#node/clients/codexHooks.ts';
import type { Splice } from '#node/clients/splices.ts';
import { arrayTableGroup, asTable, samePath, tomlString, type TomlTable } from '#node/clients/tomlEdit.ts';
import type { TomlStatement } from '#node/clients/tomlScan.ts';

export const RECORD_OPEN = '# >>> callgate: records what was asked and what came back';
export const RECORD_CLOSE = '# <<< callgate records';
export const groupPath = (event: CodexEvent): readonly string[] => ['hooks', event];

export function isInline(config: TomlTable, statements: readonly TomlStatement[], event: CodexEvent): boolean {
  const path = groupPath(event);
  return groupsOf(config, event) !== undefined && !statements.some((one) => one.kind === 'arrayTable' && samePath(one.path, path));
}

export interface RecordingPlan {
  readonly splices: readonly Splice[];
  readonly block: readonly string[];
  /** What is to be recorded when the plan is carried out. */
  readonly events: readonly CodexEvent[];
  readonly summary: readonly string[];
  readonly warnings: readonly string[];
}

/** Nothing here is worth refusing a protection for: what cannot be added is said. */
export function planRecording(body: string, statements: readonly TomlStatement[], config: TomlTable, record: string | null): RecordingPlan {
  if (record === null) return { splices: [], block: [], events: [], summary: [], warnings: [] };
  const inline = CODEX_RECORDED.filter((event) => isInline(config, statements, event));
  const events = CODEX_RECORDED.filter((event) => !inline.includes(event));
  const own = events.flatMap((event) => ownHooks(config, event).slice(0, 1));
  const fresh = events.filter((event) => !own.some((one) => one.event === event));
  const splices = own.flatMap((one) => updateCommand(body, statements, one, record));
  return {
    splices,
    block: fresh.length === 0 ? [] : [RECORD_OPEN, ...fresh.flatMap((event) => hookTables(record, event)), RECORD_CLOSE],
    events,
    summary: [
      ...(splices.length > 0 ? ['bring the hooks that only record up to date; Codex will want to trust them again'] : []),
      ...(fresh.length > 0
        ? [`add hooks that only record, to hooks.${fresh.join(', ')}: ${RECORD_TIMEOUT_SECONDS} s; Codex goes on when they fail`]
        : []),
    ],
    warnings: inline.map((event) => `hooks.${event} is written as an inline value, so what it would tell is not recorded`),
  };
}

export function hookTables(command: string, event: CodexEvent): readonly string[] {
  return [
    `[[hooks.${event}]]`,
    `[[hooks.${event}.hooks]]`,
    'type = "command"',
    `command = ${tomlString(command)}`,
    `timeout = ${timeoutOf(event)}`,
  ];
}

/** An older entry of ours: only the values that differ change, so its position and the user's comments stay. */
export function updateCommand(body: string, statements: readonly TomlStatement[], own: OwnHook, command: string): readonly Splice[] {
  const path = groupPath(own.event);
  const pairs = arrayTableGroup(statements, path, own.group).filter((one) => one.kind === 'pair');
  const values: readonly (readonly [string, string])[] = [
    ['command', tomlString(command)],
    ['timeout', String(timeoutOf(own.event))],
  ];
  return values.flatMap(([key, value]) => {
    const pair = pairs.find((one) => samePath(one.path, [...path, 'hooks', key]));
    const removed = pair ? body.slice(pair.valueStart, pair.valueEnd) : '';
    const already = key === 'command' ? own.command === command : removed === value;
    return pair && !already ? [{ at: pair.valueStart, removed, inserted: value }] : [];
  });
}

/** The gate is in order; whether what it is to record beside is. */
export function inspectRecording(table: TomlTable, statements: readonly TomlStatement[], file: string, record: string | null): Protection {
  const own = CODEX_RECORDED.flatMap((event) => ownHooks(table, event).slice(0, 1));
  if (record === null && own.length > 0)
    return {
      state: 'broken',
      detail: 'Every tool call passes the gate. Hooks that only record are still there although that is off; protect again to remove them.',
    };
  const events = record === null ? [] : CODEX_RECORDED.filter((event) => !isInline(table, statements, event));
  const missing = events.filter((event) => own.find((one) => one.event === event)?.command !== record);
  const untrusted = own.filter((one) => record !== null && trustState(table, file, one)?.['trusted_hash'] !== trustHash(record, one.event));
  if (missing.length === 0 && untrusted.length === 0) return { state: 'protected', detail: 'Every tool call passes the gate.' };
  return {
    state: 'broken',
    detail: `Every tool call passes the gate, but prompts and results are not recorded${missing.length > 0 ? '' : ' until you trust those hooks in Codex'}; protect again to add that.`,
  };
}

/** Codex may spell its home folder in another way than we do (links, letter case); the file's name and position remain. */
export function trustState(config: TomlTable, file: string, own: OwnHook): TomlTable | undefined {
  const states = asTable(asTable(config['hooks'])?.['state']) ?? {};
  const exact = trustKey(file, own.group, own.hook, own.event);
  const key = Object.hasOwn(states, exact)
    ? exact
    : Object.keys(states).find((one) => one.endsWith(trustKey('config.toml', own.group, own.hook, own.event)));
  return key === undefined ? undefined : asTable(states[key]);
}
