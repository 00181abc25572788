import { describe, expect, it } from 'vitest';
import type { McpFile } from '#node/clients/mcp/mcpFile.ts';
import { MCP_FILES } from '#node/clients/mcp/mcpFiles.ts';
import { listServers, planMcp, unplanMcp } from '#node/clients/mcpServers.ts';
import { SHIM } from './clientHome.ts';

type Id = 'claudeProject' | 'vscodeProject' | 'cursor';

function adapter(id: Id): McpFile {
  const found = MCP_FILES.find((one) => one.id === id);
  if (!found) throw new Error(id);
  return found;
}

const S = JSON.stringify(SHIM);
interface Row {
  readonly name: string;
  readonly id: Id;
  readonly before: string;
  readonly after: string;
}

const rows: readonly Row[] = [
  {
    name: 'stdio with arguments, unknown keys, environment',
    id: 'claudeProject',
    before:
      '{\n  "mcpServers": {\n    "fs": {\n      "command": "npx",\n      "args": [\n        "-y",\n        "server"\n      ],\n      "env": { "K": "${TOKEN}" },\n      "x-note": [1]\n    }\n  }\n}\n',
    after: `{\n  "mcpServers": {\n    "fs": {\n      "command": ${S},\n      "args": [\n        "--server", "fs", "--", "npx", "-y",\n        "server"\n      ],\n      "env": { "K": "\${TOKEN}", "CALLGATE_ENTRY_ENV": "- K" },\n      "x-note": [1]\n    }\n  }\n}\n`,
  },
  {
    name: 'stdio without arguments',
    id: 'claudeProject',
    before: '{"mcpServers":{"a":{"command":"x"}}}',
    after: `{"mcpServers":{"a":{"command":${S}, "args": ["--server", "a", "--", "x"], "env": {"CALLGATE_ENTRY_ENV":"-"}}}}`,
  },
  {
    name: 'empty arguments',
    id: 'cursor',
    before: '{"mcpServers":{"a":{"args":[ ],"command":"x"}}}',
    after: `{"mcpServers":{"a":{"args":["--server", "a", "--", "x"], "env": {"CALLGATE_ENTRY_ENV":"-"},"command":${S}}}}`,
  },
  {
    name: 'VS Code: comments, trailing commas, inputs, headers',
    id: 'vscodeProject',
    before:
      '\uFEFF{\r\n\t// mine\r\n\t"inputs": [{ "id": "key" },],\r\n\t"servers": {\r\n\t\t"web": {\r\n\t\t\t"type": "http", // remote\r\n\t\t\t"url": "https://h.example/mcp",\r\n\t\t\t"headers": {\r\n\t\t\t\t/* secret */ "Authorization": "Bearer ${input:key}",\r\n\t\t\t\t"X-A": "${env:A}",\r\n\t\t\t},\r\n\t\t},\r\n\t},\r\n}',
    after: `\uFEFF{\r\n\t// mine\r\n\t"inputs": [{ "id": "key" },],\r\n\t"servers": {\r\n\t\t"web": {\r\n\t\t\t"type": "stdio", // remote\r\n\t\t\t"command": ${S}, "args": ["--server", "web", "--url", "https://h.example/mcp"],\r\n\t\t\t"env": {\r\n\t\t\t\t/* secret */ "CALLGATE_HEADER_1": "Authorization: Bearer \${input:key}",\r\n\t\t\t\t"CALLGATE_HEADER_2": "X-A: \${env:A}",\r\n\t\t\t},\r\n\t\t},\r\n\t},\r\n}`,
  },
  {
    name: 'headers beside an environment',
    id: 'cursor',
    before: '{"mcpServers":{"a":{"url":"${URL}","headers":{"H":"v"},"env":{}}}}',
    after: `{"mcpServers":{"a":{"command": ${S}, "args": ["--server", "a", "--url", "\${URL}"],"headers":{},"env":{\n  "CALLGATE_HEADER_1": "H: v"\n}}}}`,
  },
];

function wrapped(row: Pick<Row, 'id' | 'before'>): Extract<ReturnType<typeof planMcp>, { kind: 'edited' }> {
  const file = adapter(row.id);
  const listed = listServers(file, row.before, SHIM);
  if ('kind' in listed) throw new Error(listed.problem.message);
  const result = planMcp(
    file,
    row.before,
    listed.map((server) => server.name),
    SHIM,
  );
  if (result.kind === 'refused') throw new Error(result.problem.message);
  return result;
}

describe('MCP server files', () => {
  it.each(rows)('$name', (row) => {
    const { text, undo } = wrapped(row);
    expect(text).toBe(row.after);
    expect(wrapped({ id: row.id, before: text }).text).toBe(text);
    expect(unplanMcp(adapter(row.id), text, undo)).toMatchObject({ kind: 'edited', text: row.before });
    // Elsewhere in the file the user may do what they like.
    const key = adapter(row.id).containers[0]?.[0] ?? '';
    const grown = (body: string): string => body.replace(`"${key}":`, `"added":  {"b": 1},\n"${key}":`);
    expect(unplanMcp(adapter(row.id), grown(text), undo)).toMatchObject({ kind: 'edited', text: grown(row.before) });
  });

  it.each([
    ['a client of its own', '{"url":"https://h.example","oauth":{"clientId":"c"}}', /signs in/u],
    ['headers made by a program', '{"url":"https://h.example","headersHelper":"x"}', /makes its headers/u],
    ['a type only Claude knows', '{"type":"sdk","name":"x"}', /only the client understands \("sdk"\)/u],
    ['an address with the type of a program', '{"type":"stdio","url":"https://h.example"}', /the type of a program/u],
    ['a name no header can have', '{"url":"https://h.example","headers":{"a b":"c"}}', /no name of a header/u],
    ['a unix socket', '{"url":"unix:///x"}', /http/u],
    ['neither', '{"type":"stdio"}', /neither/u],
    ['arguments that are no texts', '{"command":"x","args":[1]}', /args/u],
    ['no object', '"x"', /object/u],
  ])('leaves %s alone and says why', (_name, entry, why) => {
    const before = `{"mcpServers":{"a":${entry}}}`;
    const { text, warnings } = wrapped({ id: 'claudeProject', before });
    expect(text).toBe(before);
    expect(warnings).toEqual([expect.stringMatching(why)]);
  });

  it.each([
    ['a comment in .mcp.json', 'claudeProject', '{\n // c\n"mcpServers":{}}', { line: 2, column: 2 }],
    ['servers that are no object', 'vscodeProject', '{"servers":[]}', { line: 1, column: 12 }],
    ['a server twice', 'vscodeProject', '{"servers":{"a":{},\n"a":{}}}', { line: 2, column: 1 }],
  ] as const)('refuses %s', (_name, id, text, problem) => {
    expect(planMcp(adapter(id), text, [], SHIM)).toMatchObject({ kind: 'refused', code: 'INVALID_FILE', problem });
  });

  it('wraps only what was chosen, and more later', () => {
    const before = '{"mcpServers":{"a":{"command":"x"},"b":{"command":"y"}}}';
    const one = planMcp(adapter('claudeProject'), before, ['b'], SHIM);
    expect(one.kind === 'edited' && JSON.parse(one.text).mcpServers.a).toEqual({ command: 'x' });
    expect(planMcp(adapter('claudeProject'), before, ['c'], SHIM)).toMatchObject({ kind: 'refused' });
  });

  it('brings the path of an older launcher up to date', () => {
    const { text } = wrapped({ id: 'claudeProject', before: '{"mcpServers":{"a":{"command":"x"}}}' });
    const moved = planMcp(adapter('claudeProject'), text, ['a'], '/new/.callgate/bin/callgate-mcp');
    expect(moved).toMatchObject({ kind: 'edited', text: text.replace(SHIM, '/new/.callgate/bin/callgate-mcp') });
  });

  it.each([
    [
      'an argument',
      'claudeProject',
      '{"mcpServers":{"a":{"command":"x","args":["y"]}}}',
      (text: string) => text.replace('"y"', '"y","z"'),
      { command: 'x', args: ['y', 'z'] },
    ],
    [
      'an environment',
      'claudeProject',
      '{"mcpServers":{"a":{"command":"x"}}}',
      (text: string) => text.replace('"env": {', '"env": {"A":"1",'),
      { command: 'x', env: { A: '1' } },
    ],
    [
      'a header',
      'vscodeProject',
      '{"servers":{"a":{"type":"http","url":"https://h.example","headers":{"A":"1"}}}}',
      (text: string) => text.replace('A: 1', 'A: 2'),
      { type: 'http', url: 'https://h.example', headers: { A: '2' } },
    ],
  ] as const)('undo keeps %s that was edited in the wrapped entry', (_name, id, before, edit, expected) => {
    const { text, undo } = wrapped({ id, before });
    expect(edit(text)).not.toBe(text);
    for (const record of [undo, null]) {
      const result = unplanMcp(adapter(id), edit(text), record);
      const entry: unknown = result.kind === 'edited' ? JSON.parse(result.text)[adapter(id).containers[0]?.[0] ?? ''].a : null;
      expect(entry).toEqual(record === null && 'type' in expected ? { ...expected, type: 'http' } : expected);
    }
  });
});

it('a secret in the address is shown to nobody, and said to be visible', () => {
  const file = adapter('claudeProject');
  const before = '{"mcpServers":{"a":{"url":"https://user:pass@h.example/mcp?token=abc"}}}';
  const result = planMcp(file, before, ['a'], SHIM);
  const listed = listServers(file, before, SHIM);
  expect(listed).toEqual([{ name: 'a', state: 'plain', detail: 'https://…@h.example/mcp?…', foreign: null }]);
  expect(result).toMatchObject({
    summary: ['reach "a" (https://…@h.example/mcp?…) through the Callgate shim'],
    warnings: [expect.stringContaining('other users of this machine can see'), expect.anything()],
  });
});
