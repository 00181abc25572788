/**
 * Claude Code's user settings: `settings.json` in `~/.claude` (or CLAUDE_CONFIG_DIR). Strict JSON: one comment, one
 * trailing comma or one invalid sibling key makes Claude ignore the whole file, hooks included.
 */
import { posix, win32 } from 'node:path';
import type { Node } from 'jsonc-parser';
import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { HOOK_TIMEOUT_SECONDS, RECORD_TIMEOUT_SECONDS } from '#home/settings.ts';
import { type AgentAdapter, type EditResult, isOurs, NO_LAUNCHER, type Protection, refuse, type UndoInfo } from '#node/clients/adapter.ts';
import { type Addition, appendChildren, memberOf, nodeValue, parseJson, removeChild, replaceNode } from '#node/clients/jsonEdit.ts';
import { applySplices, type Splice, undoSplices } from '#node/clients/splices.ts';
import { placeOf, splitBom } from '#node/clients/textPlace.ts';

/** PreToolUse gates calls; ConfigChange keeps an agent from switching the hooks off in mid-session. */
const GATE_EVENTS = ['PreToolUse', 'ConfigChange'] as const;
/** What only goes into the record: these hooks say nothing, and Claude goes on when they fail. */
const RECORD_EVENTS = [
  'UserPromptSubmit',
  'PostToolUse',
  'PostToolUseFailure',
  'SessionStart',
  'SessionEnd',
  'SubagentStart',
  'SubagentStop',
  'Stop',
] as const;
const EVENTS: readonly string[] = [...GATE_EVENTS, ...RECORD_EVENTS];

/** Event and what is to stand there, in the order in which they are written. */
function wantedEntries(command: string, record: string | null): readonly (readonly [event: string, entry: JsonObject])[] {
  const gate = { matcher: '*', hooks: [{ type: 'command', command, timeout: HOOK_TIMEOUT_SECONDS, onFailure: 'block' }] };
  const noted = { hooks: [{ type: 'command', command: record, timeout: RECORD_TIMEOUT_SECONDS }] };
  return [
    ...GATE_EVENTS.map((event) => [event, gate] as const),
    ...(record === null ? [] : RECORD_EVENTS.map((event) => [event, noted] as const)),
  ];
}

export const claude: AgentAdapter = {
  id: 'claude',
  name: 'Claude Code',
  locate(platform, home, env) {
    const { join } = platform === 'win32' ? win32 : posix;
    const folder = env['CLAUDE_CONFIG_DIR'];
    return join(folder !== undefined && folder !== '' ? folder : join(home, '.claude'), 'settings.json');
  },
  plan,
  inspect,
  unplan,
};

function plan(text: string | null, command: string, record: string | null = null): EditResult {
  const wanted = wantedEntries(command, record);
  if (text === null || text.trim() === '') {
    const whole = `${JSON.stringify({ hooks: Object.fromEntries(wanted.map(([event, entry]) => [event, [entry]])) }, null, 2)}\n`;
    return {
      kind: 'edited',
      text: whole,
      undo: { splices: [], notes: { created: ['hooks', ...wanted.map(([event]) => event)] } },
      summary: summaryOf(wanted.map(([event]) => event)),
      warnings: [],
    };
  }
  const { bom, body: before } = splitBom(text);
  const body = record === null ? withoutRecording(before) : before;
  const parsed = parseJson(body, 'json');
  if ('problem' in parsed) return refuse('INVALID_FILE', parsed.problem);
  const { root } = parsed;
  if (root.type !== 'object') return refuse('INVALID_FILE', { line: 1, column: 1, message: 'the settings must be one JSON object' });
  const hooks = memberOf(root, 'hooks')?.value;
  if (hooks && hooks.type !== 'object')
    return refuse('INVALID_FILE', { ...placeOf(body, hooks.offset), message: '"hooks" must be an object' });

  const splices: Splice[] = [];
  const missing: Addition[] = [];
  const created: string[] = hooks ? [] : ['hooks'];
  const fresh: string[] = [];
  const summary: string[] = body === before ? [] : ['remove the hooks that only record'];
  for (const [event, entry] of wanted) {
    const list = memberOf(hooks, event)?.value;
    if (list && list.type !== 'array')
      return refuse('INVALID_FILE', { ...placeOf(body, list.offset), message: `"hooks.${event}" must be an array` });
    if (!list) {
      missing.push([event, [entry]]);
      created.push(event);
      fresh.push(event);
      continue;
    }
    const [first, ...extra] = ownGroups(list);
    if (extra.length > 0)
      return refuse('UNSUPPORTED_SHAPE', {
        ...placeOf(body, extra[0]?.offset ?? 0),
        message: `"hooks.${event}" holds Callgate twice; delete this entry and try again`,
      });
    if (!first) {
      // Behind the user's own hooks: Claude runs all of them side by side and lets the strictest answer win, so the
      // place decides nothing, and this way their order and their lines in a diff stay as they were.
      splices.push(appendChildren(body, list, [['', entry]]));
      fresh.push(event);
    } else if (!isDeepStrictEqual(nodeValue(first), entry)) {
      splices.push(replaceNode(body, first, JSON.stringify(entry)));
      summary.push(`bring the Callgate hook in hooks.${event} up to date`);
    }
  }
  if (missing.length > 0) {
    splices.push(hooks ? appendChildren(body, hooks, missing) : appendChildren(body, root, [['hooks', Object.fromEntries(missing)]]));
  }
  return {
    kind: 'edited',
    text: bom + applySplices(body, splices),
    // Splices of a text that was cut first do not lead back to the one there was.
    undo: { splices: body === before ? splices : [], notes: { created } },
    summary: [...summary, ...summaryOf(fresh)],
    warnings: switchedOff(nodeValue(root)),
  };
}

function summaryOf(events: readonly string[]): readonly string[] {
  const recording = RECORD_EVENTS.filter((event) => events.includes(event));
  const line = `add hooks that only record, to hooks.${recording.join(', ')}: ${RECORD_TIMEOUT_SECONDS} s; Claude goes on when they fail`;
  return [...GATE_EVENTS.filter((event) => events.includes(event)).map(added), ...(recording.length === 0 ? [] : [line])];
}

function added(event: string): string {
  return `add a hook to hooks.${event}: ${event === 'PreToolUse' ? 'asked before every tool call' : 'keeps an agent from switching the hooks off'}; ${HOOK_TIMEOUT_SECONDS} s; Claude blocks when the hook fails`;
}

/** The groups of an event's list that run a command of ours. */
function ownGroups(list: Node | undefined): readonly Node[] {
  return (list?.children ?? []).filter((group) => ownGroup(nodeValue(group)));
}

function ownGroup(group: JsonValue): boolean {
  return isObject(group) && Array.isArray(group['hooks']) && group['hooks'].some(ownHook);
}

function ownHook(hook: JsonValue): boolean {
  return isObject(hook) && isOurs(hook['command']);
}

/** What in a settings file of any scope turns user hooks off. */
export function switchedOff(settings: JsonValue): readonly string[] {
  if (!isObject(settings)) return [];
  return [
    ...(settings['disableAllHooks'] === true ? ['"disableAllHooks" is true: Claude calls no hook at all; remove it'] : []),
    ...(settings['allowManagedHooksOnly'] === true
      ? ['"allowManagedHooksOnly" is true: your organisation lets only its own hooks run; ask it to add Callgate']
      : []),
  ];
}

function inspect(text: string | null, command: string | null, _file: string, record: string | null = null): Protection {
  if (text === null || text.trim() === '')
    return { state: 'unprotected', detail: 'Adds a hook that Claude Code asks before every tool call.' };
  const planned = plan(text, command ?? '', record);
  if (planned.kind === 'refused') {
    const { line, column, message } = planned.problem;
    return {
      state: 'broken',
      detail: `Line ${line}, column ${column}: ${message}. Mend it first: Claude ignores a file it cannot read, hooks included.`,
    };
  }
  const parsed = parseJson(splitBom(text).body, 'json');
  if ('problem' in parsed) return { state: 'broken', detail: `${parsed.problem.message}.` };
  const hooks = memberOf(parsed.root, 'hooks')?.value;
  const ownIn = (event: string): readonly JsonValue[] => ownGroups(memberOf(hooks, event)?.value).map(nodeValue);
  const own = EVENTS.map(ownIn);
  if (own.every((groups) => groups.length === 0))
    return { state: 'unprotected', detail: 'Adds a hook that Claude Code asks before every tool call.' };
  const off = switchedOff(nodeValue(parsed.root))[0];
  if (off !== undefined) return { state: 'broken', detail: `${off}.` };
  if (command === null) return { state: 'broken', detail: NO_LAUNCHER };
  const wanted = wantedEntries(command, record);
  const missing = wanted.filter(([event, entry]) => !isDeepStrictEqual(ownIn(event), [entry])).map(([event]) => event);
  if (GATE_EVENTS.some((event) => missing.includes(event))) {
    return {
      state: 'broken',
      detail: 'The Callgate hook there is incomplete or from another version; protect again to bring it up to date.',
    };
  }
  if (missing.length > 0)
    return {
      state: 'broken',
      detail: 'Every tool call passes the gate, but prompts and results are not recorded; protect again to add that.',
    };
  if (record === null && RECORD_EVENTS.some((event) => ownIn(event).length > 0))
    return {
      state: 'broken',
      detail: 'Every tool call passes the gate. Hooks that only record are still there although that is off; protect again to remove them.',
    };
  return { state: 'protected', detail: 'Every tool call passes the gate.' };
}

function unplan(text: string, undo: UndoInfo | null): EditResult {
  const { bom, body } = splitBom(text);
  const parsed = parseJson(body, 'json');
  if ('problem' in parsed) return refuse('INVALID_FILE', parsed.problem);
  const wanted = withoutOurs(parsed.value);
  if (isDeepStrictEqual(wanted, withoutEmpty(parsed.value)))
    return refuse('NO_RECORD', { line: 1, column: 1, message: 'no Callgate hook is in this file' });
  const created = createdBy(undo);
  for (const candidate of [undo ? undoSplices(body, undo.splices) : null, removeStructurally(body, created)]) {
    if (candidate === null) continue;
    const again = parseJson(candidate, 'json');
    if (!('problem' in again) && isDeepStrictEqual(withoutEmpty(again.value), wanted)) {
      return {
        kind: 'edited',
        text: bom + candidate,
        undo: { splices: [], notes: null },
        summary: ['remove the Callgate hooks'],
        warnings: [],
      };
    }
  }
  return refuse('CANNOT_UNDO', {
    line: 1,
    column: 1,
    message: 'the Callgate hooks were mixed with others; delete the hooks whose command holds ".callgate/bin" by hand',
  });
}

function createdBy(undo: UndoInfo | null): readonly JsonValue[] {
  const notes = undo?.notes;
  return isObject(notes) && Array.isArray(notes['created']) ? notes['created'] : [];
}

/** The text without the hooks that only record; as it is when that cannot be told. */
function withoutRecording(text: string): string {
  const parsed = parseJson(text, 'json');
  if ('problem' in parsed) return text;
  const hooks = memberOf(parsed.root, 'hooks')?.value;
  // A list that held nothing but ours goes with it; one that is empty already is the user's.
  const lists = RECORD_EVENTS.map((event) => [event, memberOf(hooks, event)?.value] as const);
  const onlyOurs = lists.filter(([, list]) => list && ownGroups(list).length > 0 && ownGroups(list).length === list.children?.length);
  return (
    removeStructurally(
      text,
      onlyOurs.map(([event]) => event),
      RECORD_EVENTS,
    ) ?? text
  );
}

/** Our hooks out, group by group; a group that also runs the user's command keeps that. */
function removeStructurally(text: string, created: readonly JsonValue[], events: readonly string[] = EVENTS): string | null {
  let current = text;
  for (;;) {
    const parsed = parseJson(current, 'json');
    if ('problem' in parsed) return null;
    const hooks = memberOf(parsed.root, 'hooks');
    const lists = events.map((event) => memberOf(hooks?.value, event));
    const cut = lists.flatMap((list) => ownGroups(list?.value).map((group) => ({ list, group })))[0];
    const hookList = memberOf(cut?.group, 'hooks')?.value;
    const empty = lists.find((list) => list && list.value.children?.length === 0 && created.includes(list.key));
    if (cut?.list && hookList) {
      const foreign = hookList.children?.some((hook) => !ownHook(nodeValue(hook)));
      const hook = hookList.children?.find((one) => ownHook(nodeValue(one)));
      current = foreign && hook ? removeChild(current, hookList, hook) : removeChild(current, cut.list.value, cut.group);
    } else if (empty && hooks) current = removeChild(current, hooks.value, empty.node);
    else if (hooks && hooks.value.children?.length === 0 && created.includes('hooks'))
      current = removeChild(current, parsed.root, hooks.node);
    else return current;
  }
}

/** The settings with our hooks gone: what any undo must come to. */
function withoutOurs(settings: JsonValue): JsonValue {
  const hooks = isObject(settings) ? settings['hooks'] : undefined;
  if (!isObject(settings) || !isObject(hooks)) return settings;
  const cleaned = Object.entries(hooks).map(([event, groups]): [string, JsonValue] => {
    if (!Array.isArray(groups)) return [event, groups];
    const kept = groups.flatMap((group: JsonValue): JsonValue[] => {
      if (!isObject(group) || !ownGroup(group) || !Array.isArray(group['hooks'])) return [group];
      const rest = group['hooks'].filter((hook: JsonValue) => !ownHook(hook));
      return rest.length > 0 ? [{ ...group, hooks: rest }] : [];
    });
    return [event, kept];
  });
  return withoutEmpty({ ...settings, hooks: Object.fromEntries(cleaned) });
}

/** Empty lists mean nothing to Claude, so they do not count when two settings are compared. */
function withoutEmpty(settings: JsonValue): JsonValue {
  if (!isObject(settings) || !isObject(settings['hooks'])) return settings;
  const { hooks, ...rest } = settings;
  const kept = Object.entries(hooks as JsonObject).filter(([, groups]) => !(Array.isArray(groups) && groups.length === 0));
  return kept.length > 0 ? { ...rest, hooks: Object.fromEntries(kept) } : rest;
}
