/** A data folder with three plain rules, and calls that meet them. */
import type { HookReply } from '#contract/hookReply.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RulePackJson } from '#core/detect/rulePack.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { JsonValue } from '#core/model/json.ts';
import { sandbox, type Sandbox } from '#kit/sandbox.ts';

/** What a command says to be flagged, held or blocked by the rules below; anything else is clean. */
export const FLAGGED = 'echo please-flag';
export const HELD = 'echo please-hold';
export const BLOCKED = 'echo please-block';
export const CLEAN = 'echo hi';

const rule = (id: string, severity: 'medium' | 'high' | 'critical', word: string): RulePackJson['rules'][number] => ({
  id,
  title: `Says ${word}`,
  category: 'test',
  severity,
  confidence: 'high',
  status: 'stable',
  channels: [],
  rationale: 'The test wants it.',
  keywords: [word],
  match: { kind: 'regex', fields: ['command', 'content', 'text', 'path', 'url'], regex: word, flags: '', secret: null },
});

export const TEST_RULES: RulePackJson = {
  version: 1,
  hash: '0'.repeat(64),
  rules: [
    rule('test.flag', 'medium', 'please-flag'),
    rule('test.hold', 'high', 'please-hold'),
    rule('test.block', 'critical', 'please-block'),
  ],
};

export interface GateBox extends Sandbox {
  readonly rulesFile: string;
}

export function gateBox(): GateBox {
  const box = sandbox();
  const rulesFile = join(box.folder, 'rules.json');
  writeFileSync(rulesFile, JSON.stringify(TEST_RULES));
  return { ...box, rulesFile };
}

export function shellCall(command: string, over: Partial<ToolCall> = {}): ToolCall {
  return {
    client: 'claude',
    agent: 'main',
    session: 's1',
    useId: 'toolu_1',
    channel: 'shell',
    tool: 'Bash',
    server: null,
    args: { command },
    cwd: '/project',
    ...over,
  };
}

/** As Claude Code sends it. */
export function claudePayload(command: string, over: Record<string, JsonValue> = {}): string {
  return JSON.stringify({
    session_id: 's1',
    transcript_path: '/home/dev/.claude/projects/p/s1.jsonl',
    cwd: '/project',
    prompt_id: 'p1',
    permission_mode: 'default',
    effort: { level: 'medium' },
    hook_event_name: 'PreToolUse',
    tool_name: 'Bash',
    tool_input: { command, description: 'a test' },
    tool_use_id: 'toolu_1',
    ...over,
  });
}

/** As Codex sends it. */
export function codexPayload(command: string, over: Record<string, JsonValue> = {}): string {
  return JSON.stringify({
    session_id: 's1',
    turn_id: 't1',
    transcript_path: '/home/dev/.codex/sessions/s1.jsonl',
    cwd: '/project',
    hook_event_name: 'PreToolUse',
    model: 'gpt-5.5',
    permission_mode: 'bypassPermissions',
    tool_name: 'Bash',
    tool_input: { command },
    tool_use_id: 'call_1',
    ...over,
  });
}

/** Why a reply to Claude refuses, in either of the forms Claude takes for one; null when it does not refuse. */
export function refusalIn(reply: HookReply | null): string | null {
  if (reply?.kind === 'deny') return reply.reason;
  if (reply?.kind !== 'print') return null;
  const said = (JSON.parse(reply.json) as { hookSpecificOutput?: Record<string, unknown> }).hookSpecificOutput;
  return said?.['permissionDecision'] === 'deny' && said['hookEventName'] === 'PreToolUse'
    ? String(said['permissionDecisionReason'])
    : null;
}
