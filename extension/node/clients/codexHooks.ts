/** How Codex sees our hook in a parsed config: which group it is, and whether Codex would run it. */
import { createHash } from 'node:crypto';
import { canonicalJson, type JsonObject } from '#core/model/json.ts';
import { HOOK_TIMEOUT_SECONDS, RECORD_TIMEOUT_SECONDS } from '#home/settings.ts';
import { isOurs } from '#node/clients/adapter.ts';
import { asTable, type TomlTable } from '#node/clients/tomlEdit.ts';

/** The one event that gates calls, and those that only go into the record. */
export const CODEX_GATE = 'PreToolUse';
export const CODEX_RECORDED = [
  'UserPromptSubmit',
  'PostToolUse',
  'SessionStart',
  'SessionEnd',
  'SubagentStart',
  'SubagentStop',
  'Stop',
] as const;
export type CodexEvent = typeof CODEX_GATE | (typeof CODEX_RECORDED)[number];
export const CODEX_EVENTS: readonly CodexEvent[] = [CODEX_GATE, ...CODEX_RECORDED];

/** Codex 0.169 gives a hook at a session's end at most this long, whatever its entry says, and hashes that number. */
const MOST_AT_SESSION_END = 3;

/** In seconds. */
export function timeoutOf(event: CodexEvent): number {
  if (event === CODEX_GATE) return HOOK_TIMEOUT_SECONDS;
  return event === 'SessionEnd' ? Math.min(MOST_AT_SESSION_END, RECORD_TIMEOUT_SECONDS) : RECORD_TIMEOUT_SECONDS;
}

export function codexHook(command: string, event: CodexEvent = CODEX_GATE): JsonObject {
  return { type: 'command', command, timeout: timeoutOf(event) };
}

export function groupsOf(config: TomlTable, event: CodexEvent): unknown {
  return asTable(config['hooks'])?.[event];
}

export interface OwnHook {
  readonly event: CodexEvent;
  readonly group: number;
  readonly hook: number;
  readonly command: string;
}

/** Positions of our hooks: trust in Codex is by position. */
export function ownHooks(config: TomlTable, event: CodexEvent): readonly OwnHook[] {
  const groups = groupsOf(config, event);
  if (!Array.isArray(groups)) return [];
  return groups.flatMap((group: unknown, groupIndex) => {
    const hooks = asTable(group)?.['hooks'];
    if (!Array.isArray(hooks)) return [];
    return hooks.flatMap((hook: unknown, hookIndex) => {
      const command = asTable(hook)?.['command'];
      return typeof command === 'string' && isOurs(command) ? [{ event, group: groupIndex, hook: hookIndex, command }] : [];
    });
  });
}

/** As Codex writes an event's name in its own state: `PreToolUse` is `pre_tool_use`. */
const stateName = (event: CodexEvent): string => event.replaceAll(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();

/** The key under `hooks.state`, as Codex 0.169 forms it. */
export function trustKey(file: string, group: number, hook: number, event: CodexEvent = CODEX_GATE): string {
  return `${file}:${stateName(event)}:${group}:${hook}`;
}

/** What Codex 0.169 calls `currentHash` of a command hook without matcher; used to tell, never to grant, trust. */
export function trustHash(command: string, event: CodexEvent = CODEX_GATE): string {
  const text = canonicalJson({
    event_name: stateName(event),
    hooks: [{ async: false, command, timeout: timeoutOf(event), type: 'command' }],
  });
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** What in a config of any scope turns user hooks off. */
export function codexSwitchedOff(config: TomlTable): readonly string[] {
  const features = asTable(config['features']);
  return [
    ...(features?.['hooks'] === false ? ['"features.hooks" is false: Codex calls no hook at all; remove it'] : []),
    ...(config['allow_managed_hooks_only'] === true
      ? ['"allow_managed_hooks_only" is true: your organisation lets only its own hooks run; ask it to add Callgate']
      : []),
  ];
}
