/** Which hooks we want in Claude Code's settings, and which of those there are ours. */
import type { Node } from 'jsonc-parser';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { HOOK_TIMEOUT_SECONDS, RECORD_TIMEOUT_SECONDS } from '#home/settings.ts';
import { isOurs } from '#node/clients/adapter.ts';
import { nodeValue } from '#node/clients/jsonEdit.ts';

/** PreToolUse gates calls; ConfigChange keeps an agent from switching the hooks off in mid-session. */
export const GATE_EVENTS = ['PreToolUse', 'ConfigChange'] as const;
/** What only goes into the record: these hooks say nothing, and Claude goes on when they fail. */
export const RECORD_EVENTS = [
  'UserPromptSubmit',
  'PostToolUse',
  'PostToolUseFailure',
  'SessionStart',
  'SessionEnd',
  'SubagentStart',
  'SubagentStop',
  'Stop',
] as const;
export const CLAUDE_EVENTS: readonly string[] = [...GATE_EVENTS, ...RECORD_EVENTS];

/** Event and what is to stand there, in the order in which they are written. */
export function wantedEntries(command: string, record: string | null): readonly (readonly [event: string, entry: JsonObject])[] {
  const gate = { matcher: '*', hooks: [{ type: 'command', command, timeout: HOOK_TIMEOUT_SECONDS, onFailure: 'block' }] };
  const noted = { hooks: [{ type: 'command', command: record, timeout: RECORD_TIMEOUT_SECONDS }] };
  return [
    ...GATE_EVENTS.map((event) => [event, gate] as const),
    ...(record === null ? [] : RECORD_EVENTS.map((event) => [event, noted] as const)),
  ];
}

/** The groups of an event's list that run a command of ours. */
export function ownGroups(list: Node | undefined): readonly Node[] {
  return (list?.children ?? []).filter((group) => ownGroup(nodeValue(group)));
}

export function ownGroup(group: JsonValue): boolean {
  return isObject(group) && Array.isArray(group['hooks']) && group['hooks'].some(ownHook);
}

export function ownHook(hook: JsonValue): boolean {
  return isObject(hook) && isOurs(hook['command']);
}

/** What in a settings file of any scope turns user hooks off. */
export function claudeSwitchedOff(settings: JsonValue): readonly string[] {
  if (!isObject(settings)) return [];
  return [
    ...(settings['disableAllHooks'] === true ? ['"disableAllHooks" is true: Claude calls no hook at all; remove it'] : []),
    ...(settings['allowManagedHooksOnly'] === true
      ? ['"allowManagedHooksOnly" is true: your organisation lets only its own hooks run; ask it to add Callgate']
      : []),
  ];
}
