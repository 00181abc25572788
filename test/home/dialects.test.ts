/** Payloads of the real clients, of programs that borrow their hooks, and of nobody at all. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatReply, parseReply } from '#contract/hookReply.ts';
import type { Judgement } from '#contract/judgement.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { JsonValue } from '#core/model/json.ts';
import { answerClaude, readClaude } from '#home/dialects/claude.ts';
import { answerCodex, readCodex } from '#home/dialects/codex.ts';
import type { HookEvent } from '#home/dialects/hookEvent.ts';
import { claudePayload, codexPayload } from './gateBox.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const claude = (tool: string, input: JsonValue, over: Record<string, JsonValue> = {}): HookEvent =>
  readClaude(bytes(claudePayload('', { tool_name: tool, tool_input: input, ...over })));

test.each(['pre_tool_use', 'PreToolUse ', 'BeforeTool', 'anything'])('Codex: a tool in an event named %j is judged', (name) => {
  expect(readCodex(bytes(codexPayload('ls', { hook_event_name: name })))).toMatchObject({ kind: 'call', call: { channel: 'shell' } });
});
test('Codex: what is over is not judged again', () => {
  expect(readCodex(bytes(codexPayload('ls', { hook_event_name: 'PostToolUse' })))).toMatchObject({ kind: 'happened' });
});

const WHO = { agent: 'main', session: 's1', cwd: '/project' };
const happened: readonly (readonly [name: string, over: Record<string, JsonValue>, expected: object])[] = [
  ['UserPromptSubmit', { tool_name: '', prompt: 'mend it', prompt_id: 'p1' }, { kind: 'prompt', who: WHO, id: 'p1', text: 'mend it' }],
  ['UserPromptSubmit', { tool_name: '', prompt: 'mend it', prompt_id: '' }, { kind: 'prompt', id: null, text: 'mend it' }],
  [
    'PostToolUse',
    { tool_response: { stdout: 'hi', stderr: '' } },
    { kind: 'response', call: { ...WHO, useId: 'toolu_1', channel: 'response', tool: 'Bash', args: { stdout: 'hi', stderr: '' } } },
  ],
  ['PostToolUse', { tool_response: 'hi' }, { kind: 'response', call: { args: { result: 'hi' } } }],
  ['PostToolUse', {}, { kind: 'response', call: { args: { result: null } } }],
  [
    'PostToolUse',
    { tool_name: 'mcp__fake__echo', tool_response: [{ type: 'text', text: 'x' }] },
    { kind: 'response', call: { server: 'fake', tool: 'echo', args: { result: [{ type: 'text', text: 'x' }] } } },
  ],
  ['PostToolUseFailure', { error: 'no such file' }, { kind: 'response', call: { args: { error: 'no such file' } } }],
  [
    'SessionStart',
    { tool_name: '', source: 'startup', model: 'm' },
    { kind: 'session', who: WHO, step: 'begin', details: { source: 'startup', model: 'm' } },
  ],
  ['SessionEnd', { tool_name: '', reason: 'other' }, { kind: 'session', step: 'end', details: { reason: 'other' } }],
  ['Stop', { tool_name: '', last_assistant_message: 'done' }, { kind: 'session', step: 'turn-end', details: { said: 'done' } }],
  [
    'SubagentStart',
    { tool_name: '', agent_id: 'a49', agent_type: 'general-purpose' },
    { kind: 'session', who: { agent: 'a49' }, step: 'agent-begin', details: { agentType: 'general-purpose' } },
  ],
  ['SubagentStop', { tool_name: '', agent_id: 'a49' }, { kind: 'session', who: { agent: 'a49' }, step: 'agent-end' }],
];
test.each(happened)('%s %j is written down', (name, over, expected) => {
  expect(readClaude(bytes(claudePayload('ls', { hook_event_name: name, ...over })))).toMatchObject({
    kind: 'happened',
    happened: expected,
  });
});
test('Codex: a prompt is known by its turn', () => {
  const payload = codexPayload('ls', { hook_event_name: 'UserPromptSubmit', tool_name: '', prompt: 'mend it', turn_id: 't1' });
  expect(readCodex(bytes(payload))).toMatchObject({ happened: { kind: 'prompt', id: 't1', text: 'mend it', who: { client: 'codex' } } });
});

describe('Claude', () => {
  const calls: readonly (readonly [string, JsonValue, Record<string, JsonValue>, Partial<ToolCall>])[] = [
    ['Bash', { command: 'ls' }, {}, { channel: 'shell', tool: 'Bash', agent: 'main', session: 's1', useId: 'toolu_1', cwd: '/project' }],
    ['Bash', { command: 'ls' }, { agent_id: 'a49', agent_type: 'general-purpose' }, { agent: 'a49' }],
    ['Read', { file_path: '/a' }, {}, { channel: 'read' }],
    ['Write', { file_path: '/a', content: 'x' }, {}, { channel: 'write' }],
    ['Edit', { file_path: '/a', old_string: 'x', new_string: 'y' }, {}, { channel: 'write' }],
    ['MultiEdit', { file_path: '/a', edits: [] }, {}, { channel: 'write' }],
    ['NotebookEdit', { notebook_path: '/a', new_source: 'x' }, {}, { channel: 'write' }],
    ['WebFetch', { url: 'https://x.example/', prompt: 'p' }, {}, { channel: 'fetch' }],
    ['WebSearch', { query: 'q' }, {}, { channel: 'other' }],
    ['Agent', { prompt: 'p' }, {}, { channel: 'other' }],
    ['Bash', { cmd: 'ls' }, {}, { channel: 'other' }],
    ['Bash', null, {}, { channel: 'other' }],
    ['Bash', 'rm -rf ~', {}, { channel: 'shell', args: { command: 'rm -rf ~' } }],
    ['Bash', ['bash', '-c', 'rm -rf ~'], {}, { channel: 'other', args: { command: ['bash', '-c', 'rm -rf ~'] } }],
    ['Agent', 'text', {}, { channel: 'other', args: 'text' }],
    [
      'mcp__fake__echo',
      { text: 'x' },
      { mcp_server: { name: 'fake', source: 'project' } },
      { channel: 'mcp', server: 'fake', tool: 'echo' },
    ],
    ['mcp__fake__echo', { text: 'x' }, {}, { channel: 'mcp', server: 'fake', tool: 'echo' }],
    ['mcp__my_server__a__b', {}, { mcp_server: { name: 'my.server' } }, { server: 'my.server', tool: 'a__b' }],
    ['mcp__a__b__c', {}, { mcp_server: { name: 'a__b' } }, { server: 'a__b', tool: 'c' }],
    ['mcp__plugin_acme_db__query', {}, {}, { channel: 'mcp', server: 'plugin_acme_db', tool: 'query' }],
    ['mcp__broken', {}, {}, { channel: 'other', server: null, tool: 'mcp__broken' }],
    ['Constructor', {}, {}, { channel: 'other', tool: 'Constructor' }],
  ];
  test.each(calls)('%s %j %j', (tool, input, over, expected) => {
    expect(claude(tool, input, over)).toMatchObject({
      kind: 'call',
      reader: 'native',
      call: { client: 'claude', args: input, ...expected },
    });
  });

  const foreign: readonly (readonly [string, Record<string, JsonValue>, Partial<ToolCall>])[] = [
    [
      'VS Code',
      {
        hookEventName: 'PreToolUse',
        timestamp: 't',
        sessionId: 's9',
        tool_name: 'run_in_terminal',
        tool_input: { command: 'ls' },
        cwd: '/w',
      },
      { channel: 'shell', session: 's9' },
    ],
    [
      'VS Code, camel case',
      { hook_event_name: 'PreToolUse', tool_name: 'create_file', tool_input: { filePath: '/a', content: 'x' } },
      { channel: 'other' },
    ],
    [
      'Copilot',
      { sessionId: 's', timestamp: 1, cwd: '/w', toolName: 'bash', toolArgs: { command: 'ls' } },
      { channel: 'shell', session: 's' },
    ],
    [
      'Copilot, arguments as JSON in a string',
      { sessionId: 's', timestamp: 1, cwd: '/w', toolName: 'bash', toolArgs: String.raw`{"command":"\u0072m -rf /"}` },
      { channel: 'shell', args: { command: 'rm -rf /' } },
    ],
    [
      'Copilot, a string that only begins like JSON',
      { sessionId: 's', timestamp: 1, cwd: '/w', toolName: 'bash', toolArgs: '{ echo hi; }' },
      { channel: 'shell', args: { command: '{ echo hi; }' } },
    ],
    [
      'Gemini',
      { hook_event_name: 'BeforeTool', session_id: 's', cwd: '/w', tool_name: 'run_shell_command', tool_input: { command: 'ls' } },
      { channel: 'other' },
    ],
    [
      'an event nobody knows, with a tool',
      { hook_event_name: 'BeforeEverything', tool_name: 'Bash', tool_input: { command: 'ls' } },
      { channel: 'shell' },
    ],
    [
      'an event name with something added',
      { hook_event_name: ' PreToolUse ', tool_name: 'Bash', tool_input: { command: 'ls' } },
      { channel: 'shell' },
    ],
    [
      'Cursor',
      {
        hook_event_name: 'preToolUse',
        cursor_version: '1',
        tool_name: 'Shell',
        tool_input: { command: 'ls' },
        conversation_id: 'c',
        permission_mode: 'x',
        session_id: 'y',
      },
      { channel: 'shell' },
    ],
    ['lower-case tools', JSON.parse(claudePayload('ls', { tool_name: 'bash' })) as Record<string, JsonValue>, { channel: 'shell' }],
  ];
  test.each(foreign)('%s through the same hook is judged and never asked', (_name, payload, expected) => {
    const event = readClaude(bytes(JSON.stringify(payload)));
    expect(event).toMatchObject({ kind: 'call', reader: 'foreign', call: expected });
  });

  test.each([
    ['PostToolUse', { hook_event_name: 'PostToolUse' }, 'happened'],
    ['PermissionRequest', { hook_event_name: 'PermissionRequest' }, 'other'],
    ['SessionStart', { hook_event_name: 'SessionStart', tool_name: '' }, 'happened'],
    ['PostToolUseFailure', { hook_event_name: 'PostToolUseFailure' }, 'happened'],
    ['a prompt that names a tool', { hook_event_name: 'UserPromptSubmit' }, 'call'],
    ['an event nobody knows, without a tool', { hook_event_name: 'TeammateIdle', tool_name: '' }, 'other'],
    ['ConfigChange', { hook_event_name: 'ConfigChange', source: 'user_settings', file_path: '/h/.claude/settings.json' }, 'config'],
    ['no tool', { tool_name: '' }, 'bad'],
    ['neither event nor tool', { tool_name: '', hook_event_name: '' }, 'bad'],
  ] as const)('%s', (_name, over, kind) => {
    expect(readClaude(bytes(claudePayload('ls', over)))).toMatchObject({ kind });
  });
});

test.each([
  ['Bash', { command: 'ls' }, { channel: 'shell' }],
  ['apply_patch', { command: '*** Begin Patch' }, { channel: 'write' }],
  ['view_image', { path: '/a.png' }, { channel: 'read' }],
  ['list_mcp_resources', {}, { channel: 'other' }],
  ['mcp__fake__echo', { text: 'x' }, { channel: 'mcp', server: 'fake', tool: 'echo' }],
] as const)('Codex: %s', (tool, input, expected) => {
  expect(readCodex(bytes(codexPayload('', { tool_name: tool, tool_input: input })))).toMatchObject({
    kind: 'call',
    call: { client: 'codex', useId: 'call_1', ...expected },
  });
});

const decision = { verdict: 'quarantine', findings: [], reason: 'r', rules: 'r', policy: 'p' } as const;
const judged = (outcome: Judgement['outcome'], by: Judgement['by'], reason = 'because'): Judgement => ({
  id: 'i',
  decision,
  outcome,
  by,
  reason,
});
const permission = (kind: string): unknown =>
  expect.stringContaining(`"permissionDecision":"${kind}","permissionDecisionReason":"because"`);
const answers: readonly (readonly [Judgement, unknown, unknown, unknown])[] = [
  [judged('delivered', 'gate'), { kind: 'pass' }, { kind: 'pass' }, { kind: 'pass' }],
  [judged('delivered', 'client'), { kind: 'pass' }, { kind: 'pass' }, { kind: 'pass' }],
  [judged('delivered', 'person'), { kind: 'print', json: permission('allow') }, { kind: 'pass' }, { kind: 'pass' }],
  [judged('delivered', 'grant'), { kind: 'print', json: permission('allow') }, { kind: 'pass' }, { kind: 'pass' }],
  [
    judged('asked', 'client'),
    { kind: 'print', json: permission('ask') },
    { kind: 'deny', reason: 'because' },
    { kind: 'deny', reason: 'because' },
  ],
  [
    judged('refused', 'gate'),
    { kind: 'print', json: permission('deny') },
    { kind: 'deny', reason: 'because' },
    { kind: 'deny', reason: 'because' },
  ],
  [
    judged('expired', 'timeout'),
    { kind: 'print', json: permission('deny') },
    { kind: 'deny', reason: 'because' },
    { kind: 'deny', reason: 'because' },
  ],
];
test.each(answers)('%j', (judgement, native, foreign, codex) => {
  expect([answerClaude(judgement, 'native'), answerClaude(judgement, 'foreign'), answerCodex(judgement)]).toEqual([native, foreign, codex]);
});

test('an answer cut anywhere is no answer, whatever the reason quotes', () => {
  const evil = fc.oneof(
    fc.string(),
    fc.constantFrom('callgate:pass:end', ' callgate:end', '"} callgate:end', 'callgate:print {} callgate:end', '\0', '   '),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(evil, { maxLength: 4 }), fc.constantFrom('person', 'client', 'gate'), fc.nat(), (parts, by, cut) => {
      const reason = parts.join('');
      const reply = answerClaude(judged(by === 'person' ? 'delivered' : by === 'client' ? 'asked' : 'refused', by, reason), 'native');
      const text = formatReply(reply);
      const whole = parseReply(text);
      expect(whole?.kind).toBe(reply.kind);
      if (whole?.kind === 'print') expect(JSON.parse(whole.json)).toHaveProperty('hookSpecificOutput.permissionDecision');
      const part = parseReply(text.slice(0, cut % text.length));
      // A refusal may lose the end of its reason; nothing may turn into another answer.
      expect(part === null || (part.kind === 'deny' && reply.kind === 'deny')).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('no payload crashes a dialect or passes as something it is not', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
        fc
          .dictionary(
            fc.constantFrom('hook_event_name', 'tool_name', 'tool_input', 'toolName', 'session_id', 'cwd', 'mcp_server'),
            fc.jsonValue(),
          )
          .map((value) => Buffer.from(JSON.stringify(value))),
      ),
      (input) => {
        for (const read of [readClaude, readCodex]) {
          const event = read(input);
          if (event.kind === 'other') expect(event.name.toLowerCase()).not.toBe('pretooluse');
          if (event.kind === 'bad') expect(event.reason).not.toBe('');
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('nesting that would exhaust the stack is refused', () => {
  const deep = claudePayload('').replace('"command":""', `"command":${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  expect(readClaude(bytes(deep))).toMatchObject({ kind: 'bad', code: 'TOO_DEEP' });
});
