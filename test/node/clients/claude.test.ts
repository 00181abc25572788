import { describe, expect, it } from 'vitest';
import { claude } from '#node/clients/claude.ts';
import { HOOK } from './clientHome.ts';

const GROUP = `{
        "matcher": "*",
        "hooks": [
          {
            "type": "command",
            "command": "${HOOK}",
            "timeout": 900,
            "onFailure": "block"
          }
        ]
      }`;
const compact = JSON.stringify(JSON.parse(GROUP));

interface Row {
  readonly name: string;
  readonly before: string | null;
  readonly after: string;
}

const rows: readonly Row[] = [
  {
    name: 'missing file',
    before: null,
    after: `{\n  "hooks": {\n    "PreToolUse": [\n      ${GROUP}\n    ],\n    "ConfigChange": [\n      ${GROUP}\n    ]\n  }\n}\n`,
  },
  {
    name: 'empty object',
    before: '{}\n',
    after: `{\n  "hooks": {\n    "PreToolUse": [\n      ${GROUP}\n    ],\n    "ConfigChange": [\n      ${GROUP}\n    ]\n  }\n}\n`,
  },
  {
    name: 'existing hooks keep their order, ours come behind',
    before:
      '{\n  "hooks": {\n    "PreToolUse": [\n      { "matcher": "Bash", "hooks": [] }\n    ],\n    "Stop": []\n  },\n  "model": "opus"\n}',
    after: `{\n  "hooks": {\n    "PreToolUse": [\n      { "matcher": "Bash", "hooks": [] },\n      ${GROUP}\n    ],\n    "Stop": [],\n    "ConfigChange": [\n      ${GROUP}\n    ]\n  },\n  "model": "opus"\n}`,
  },
  {
    name: 'byte order mark, CRLF, no newline at the end',
    before: '\uFEFF{\r\n  "model": "opus"\r\n}',
    after: `\uFEFF{\r\n  "model": "opus",\r\n  "hooks": {\r\n    "PreToolUse": [\r\n      ${GROUP.replaceAll('\n', '\r\n')}\r\n    ],\r\n    "ConfigChange": [\r\n      ${GROUP.replaceAll('\n', '\r\n')}\r\n    ]\r\n  }\r\n}`,
  },
  {
    name: 'tabs',
    before: '{\n\t"model": "opus"\n}\n',
    after: `{\n\t"model": "opus",\n\t"hooks": {\n\t\t"PreToolUse": [\n\t\t\t${GROUP.replaceAll('  ', '\t')}\n\t\t],\n\t\t"ConfigChange": [\n\t\t\t${GROUP.replaceAll('  ', '\t')}\n\t\t]\n\t}\n}\n`,
  },
  {
    name: 'one line stays one line',
    before: '{"model":"opus"}',
    after: `{"model":"opus", "hooks": {"PreToolUse":[${compact}],"ConfigChange":[${compact}]}}`,
  },
];

function edited(
  before: string | null,
  command = HOOK,
): { text: string; undo: Parameters<typeof claude.unplan>[1]; warnings: readonly string[]; summary: readonly string[] } {
  const result = claude.plan(before, command);
  if (result.kind === 'refused') throw new Error(result.problem.message);
  return result;
}

describe('Claude settings', () => {
  it.each(rows)('$name', ({ before, after }) => {
    const { text, undo } = edited(before);
    expect(text).toBe(after);
    expect(claude.inspect(text, HOOK, '').state).toBe('protected');
    expect(edited(text).text).toBe(after);
    if (before === null) return;
    expect(claude.unplan(text, undo, '')).toMatchObject({ kind: 'edited', text: before });
  });

  it('replaces an older entry in place', () => {
    const old = edited('{"hooks":{"PreToolUse":[{"matcher":"Read","hooks":[]}]}}', "'/home/u/.callgate/bin/old-hook'").text.replace(
      '"timeout":900',
      '"timeout":5',
    );
    const { text, summary } = edited(old);
    expect(JSON.parse(text).hooks.PreToolUse).toEqual([{ matcher: 'Read', hooks: [] }, JSON.parse(GROUP)]);
    expect(text).not.toContain('old-hook');
    expect(summary).toHaveLength(2);
  });

  it.each([
    ['a comment', '{\n  // mine\n  "model": "x"\n}', { line: 2, column: 3 }],
    ['a trailing comma', '{\n  "model": "x",\n}', { line: 3, column: 1 }],
    ['a key twice', '{"hooks": {},\n "hooks": {}}', { line: 2, column: 2 }],
    ['hooks that are no object', '{\n"hooks": []}', { line: 2, column: 10 }],
    ['an array', '[]', { line: 1, column: 1 }],
    ['cut off', '{"model": "x"', { line: 1, column: 14 }],
  ])('refuses %s and says where', (_name, text, place) => {
    expect(claude.plan(text, HOOK)).toMatchObject({ kind: 'refused', code: 'INVALID_FILE', problem: place });
    expect(claude.inspect(text, HOOK, '').state).toBe('broken');
  });

  it('says what switches hooks off', () => {
    const { text, warnings } = edited('{"disableAllHooks": true}');
    expect(warnings).toEqual([expect.stringContaining('disableAllHooks')]);
    expect(claude.inspect(text, HOOK, '')).toMatchObject({ state: 'broken', detail: expect.stringContaining('disableAllHooks') });
  });

  it.each([
    [
      'a hook behind ours',
      (text: string) => text.replace(/\n {4}\],\n {4}"ConfigChange"/u, ',\n      { "matcher": "Read", "hooks": [] }$&'),
      { hooks: { PreToolUse: [{ matcher: 'Read', hooks: [] }] } },
    ],
    ['a formatter', (text: string) => JSON.stringify(JSON.parse(text), null, 8), {}],
    ['a new member', (text: string) => text.replace('{', '{\n  "theme": "dark",'), { theme: 'dark' }],
    [
      'their own command in our group',
      (text: string) => text.replace('"hooks": [\n', '"hooks": [\n { "type": "command", "command": "mine" },\n'),
      { hooks: { PreToolUse: [{ matcher: '*', hooks: [{ type: 'command', command: 'mine' }] }] } },
    ],
  ])('undo keeps %s', (_name, edit, expected) => {
    const { text, undo } = edited('{}\n');
    const changed = edit(text);
    expect(changed).not.toBe(text);
    const result = claude.unplan(changed, undo, '');
    expect(result.kind === 'edited' && JSON.parse(result.text)).toEqual(expected);
  });

  it('undoes without a record too, and says so when nothing is there', () => {
    const result = claude.unplan(edited('{\n  "model": "opus"\n}').text, null, '');
    expect(result.kind === 'edited' && JSON.parse(result.text)).toEqual({ model: 'opus', hooks: { PreToolUse: [], ConfigChange: [] } });
    expect(claude.unplan('{}', null, '')).toMatchObject({ kind: 'refused', code: 'NO_RECORD' });
  });

  it.each([
    ['linux', {}, '/h/.claude/settings.json'],
    ['darwin', { CLAUDE_CONFIG_DIR: '/other' }, '/other/settings.json'],
    ['win32', {}, String.raw`C:\h\.claude\settings.json`],
  ] as const)('is found on %s', (platform, env, file) => {
    expect(claude.locate(platform, platform === 'win32' ? 'C:\\h' : '/h', env)).toBe(file);
  });
});
