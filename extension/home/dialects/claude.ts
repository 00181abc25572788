/** Claude Code's hook payloads and answers. https://code.claude.com/docs/en/hooks */
import { REPLY_END, type HookReply } from '#contract/hookReply.ts';
import type { Judgement } from '#contract/judgement.ts';
import type { JsonObject } from '#core/model/json.ts';
import { readPayload } from '#home/hookPayload.ts';
import { happenedIn } from '#home/dialects/happened.ts';
import { callIn, isBefore, otherEvent, textOf, unknownShape, type HookEvent, type Reader } from '#home/dialects/hookEvent.ts';

export function readClaude(bytes: Uint8Array): HookEvent {
  const payload = readPayload(bytes);
  if (!payload.ok) return { kind: 'bad', code: payload.code, reason: payload.reason };
  const value = payload.value;
  const name = textOf(value['hook_event_name']) || textOf(value['hookEventName']) || textOf(value['hookName']);
  if (name === 'ConfigChange')
    return { kind: 'config', source: textOf(value['source']), file: textOf(value['file_path']), session: textOf(value['session_id']) };
  const call = callIn('claude', value);
  // Copilot's own events carry no event name; one that already has a result is over.
  const before =
    name === ''
      ? call !== null && value['toolResult'] === undefined && value['tool_response'] === undefined
      : isBefore(name, call !== null);
  if (!before) return name === '' && call === null ? unknownShape() : otherEvent(happenedIn('claude', name, value), name);
  return call === null ? unknownShape() : { kind: 'call', call, reader: readerOf(value, textOf(value['tool_name'])) };
}

/** Claude itself sends its permission mode and names tools with a capital; Cursor and VS Code add fields of their own. */
function readerOf(value: JsonObject, tool: string): Reader {
  const claude = textOf(value['permission_mode']) !== '' && textOf(value['session_id']) !== '' && /^(?:[A-Z]|mcp__)/.test(tool);
  if (!claude || value['cursor_version'] !== undefined || value['timestamp'] !== undefined) return 'foreign';
  return ASKING_MODES.has(textOf(value['permission_mode'])) ? 'native' : 'overruling';
}

/**
 * Under bypassPermissions Claude (2.1.329) runs Bash, Write and Edit calls on paths it guards itself (`.git/`, `.mcp.json`,
 * shell start-up files) although the hook answered `ask`: its own question replaces ours and is then bypassed.
 */
const ASKING_MODES: ReadonlySet<string> = new Set(['default', 'acceptEdits', 'plan', 'dontAsk', 'auto']);

export function answerClaude(judgement: Judgement, reader: Reader): HookReply {
  switch (judgement.outcome) {
    case 'delivered': {
      const approved = judgement.by === 'person' || judgement.by === 'grant';
      return approved && reader !== 'foreign'
        ? permission('allow', judgement.reason || 'Approved by a person in Callgate.')
        : { kind: 'pass' };
    }
    case 'asked':
      // Copilot and Gemini take `ask` for something else; they are refused.
      return reader === 'native' ? permission('ask', judgement.reason) : refusal(judgement, reader);
    case 'refused':
    case 'expired':
      return refusal(judgement, reader);
  }
}

/**
 * Exit 2 is the refusal every client honours, but Claude then shows the model the hook's whole command line before our
 * reason. Its own JSON form reads plainly, and was seen to refuse in every permission mode (2.1.329).
 */
function refusal(judgement: Judgement, reader: Reader): HookReply {
  return reader === 'foreign' || judgement.reason.trim() === ''
    ? { kind: 'deny', reason: judgement.reason }
    : permission('deny', judgement.reason);
}

function permission(decision: 'allow' | 'ask' | 'deny', reason: string): HookReply {
  const json = JSON.stringify({
    hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: decision, permissionDecisionReason: reason },
  });
  // The reason may quote the call. If it held the end mark, a reply cut off there would look whole.
  return { kind: 'print', json: json.replaceAll(REPLY_END, REPLY_END.replace(':', '\\u003a')) };
}
