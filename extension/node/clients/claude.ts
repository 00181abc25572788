/**
 * Claude Code's user settings: `settings.json` in `~/.claude` (or CLAUDE_CONFIG_DIR). Strict JSON: one comment, one
 * trailing comma or one invalid sibling key makes Claude ignore the whole file, hooks included.
 */
import { posix, win32 } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { JsonValue } from '#core/model/json.ts';
import { HOOK_TIMEOUT_SECONDS, RECORD_TIMEOUT_SECONDS } from '#home/settings.ts';
import { type AgentAdapter, type EditResult, NO_LAUNCHER, type Protection, refuse } from '#node/clients/adapter.ts';
import { CLAUDE_EVENTS, GATE_EVENTS, ownGroups, RECORD_EVENTS, claudeSwitchedOff, wantedEntries } from '#node/clients/claudeHooks.ts';
import { removeRecording, unplan } from '#node/clients/claudeRemoval.ts';
import { type Addition, appendChildren, memberOf, nodeValue, parseJson, replaceNode } from '#node/clients/jsonEdit.ts';
import { applySplices, type Splice } from '#node/clients/splices.ts';
import { placeOf, splitBom } from '#node/clients/textPlace.ts';

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
  const body = record === null ? removeRecording(before) : before;
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
    warnings: claudeSwitchedOff(nodeValue(root)),
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
  const own = CLAUDE_EVENTS.map(ownIn);
  if (own.every((groups) => groups.length === 0))
    return { state: 'unprotected', detail: 'Adds a hook that Claude Code asks before every tool call.' };
  const off = claudeSwitchedOff(nodeValue(parsed.root))[0];
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
