import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { codex } from '#node/clients/codex.ts';
import { trustHash, trustKey } from '#node/clients/codexHooks.ts';
import { HOOK } from './clientHome.ts';

const FILE = '/home/u/.codex/config.toml';
const TTY = 'unified_exec_tty = false # Callgate: text typed into a terminal passes no hook';
const block = (header = ''): string =>
  `# >>> callgate: asks before every tool call\n${header}[[hooks.PreToolUse]]\n[[hooks.PreToolUse.hooks]]\ntype = "command"\ncommand = '''${HOOK}'''\ntimeout = 900\n# <<< callgate\n`;
const WITH_FEATURES = block(`[features]\n${TTY}\n`);
const MINE = '[[hooks.PreToolUse]]\nmatcher = "Bash"\n[[hooks.PreToolUse.hooks]]\ntype = "command"\ncommand = "mine"\n';

const rows: readonly { readonly name: string; readonly before: string; readonly after: string }[] = [
  { name: 'empty file', before: '', after: WITH_FEATURES },
  {
    name: 'comments, byte order mark, no newline at the end',
    before: '\uFEFF# mine\nmodel = "m" # keep',
    after: `\uFEFF# mine\nmodel = "m" # keep\n\n${WITH_FEATURES}`,
  },
  { name: 'CRLF', before: 'model = "m"\r\n', after: `model = "m"\r\n\r\n${WITH_FEATURES.replaceAll('\n', '\r\n')}` },
  {
    name: 'a features table',
    before: '[features]\na = true\n\n# next\n[other]\nx = 1\n',
    after: `[features]\na = true\n${TTY}\n\n# next\n[other]\nx = 1\n\n${block()}`,
  },
  { name: 'an empty features table', before: '[features]\n[other]\n', after: `[features]\n${TTY}\n[other]\n\n${block()}` },
  { name: 'dotted features', before: 'features.a = true\n[other]\n', after: `features.a = true\nfeatures.${TTY}\n[other]\n\n${block()}` },
  {
    name: 'inline features',
    before: 'features = { a = true } # f\n',
    after: `features = { a = true, unified_exec_tty = false } # Callgate: text typed into a terminal passes no hook # f\n\n${block()}`,
  },
  {
    name: 'the terminal switched on',
    before: '[features]\nunified_exec_tty = true # mine\n',
    after: `[features]\nunified_exec_tty = false # Callgate: text typed into a terminal passes no hook # mine\n\n${block()}`,
  },
  {
    name: 'the terminal switched off already',
    before: '[features]\nunified_exec_tty = false\n',
    after: `[features]\nunified_exec_tty = false\n\n${block()}`,
  },
  {
    name: 'hooks of the user stay in front',
    before: `${MINE}\n[projects."/x"]\ntrust_level = "trusted"\n`,
    after: `${MINE}\n[projects."/x"]\ntrust_level = "trusted"\n\n${WITH_FEATURES}`,
  },
];

function edited(before: string | null, command = HOOK): Extract<ReturnType<typeof codex.plan>, { kind: 'edited' }> {
  const result = codex.plan(before, command);
  if (result.kind === 'refused') throw new Error(result.problem.message);
  return result;
}

describe('Codex config', () => {
  it.each(rows)('$name', ({ before, after }) => {
    const { text, undo } = edited(before);
    expect(text).toBe(after);
    expect(edited(text).text).toBe(after);
    expect(codex.unplan(text, undo, FILE)).toMatchObject({ kind: 'edited', text: before });
  });

  it.each([
    ['a syntax error', 'a = 1\nb = \n', 'INVALID_FILE', { line: 2 }],
    ['a key twice', 'a = 1\na = 2\n', 'INVALID_FILE', { line: 2 }],
    ['inline hooks', 'a = 1\n[hooks]\nPreToolUse = [{ hooks = [] }]\n', 'UNSUPPORTED_SHAPE', { line: 2 }],
    ['an inline hooks table', 'hooks = { PreToolUse = [] }\n', 'UNSUPPORTED_SHAPE', { line: 1 }],
    [
      'our own hook narrowed by a matcher',
      "[[hooks.PreToolUse]]\nmatcher = 'x'\n[[hooks.PreToolUse.hooks]]\ntype = 'command'\ncommand = '/x/.callgate/bin/h'\ntimeout = 900\n",
      'UNSUPPORTED_SHAPE',
      { line: 1 },
    ],
    ['an inline table that holds the terminal', 'features = { unified_exec_tty = true }\n', 'UNSUPPORTED_SHAPE', { line: 1 }],
  ])('refuses %s', (_name, text, code, problem) => {
    expect(codex.plan(text, HOOK)).toMatchObject({ kind: 'refused', code, problem });
  });

  it('brings an older command up to date in its place', () => {
    const old = `${edited(MINE, '/old/.callgate/bin/hook').text.replace('timeout = 900', 'timeout = 60 # short')}\n${MINE}`;
    const { text } = edited(old);
    expect(parse(text)).toMatchObject({
      hooks: { PreToolUse: [{ matcher: 'Bash' }, { hooks: [{ command: HOOK, timeout: 900 }] }, { matcher: 'Bash' }] },
    });
    expect(text).toContain('# short');
  });

  const trusted = (command = HOOK): string =>
    `\n[hooks.state]\n\n[hooks.state."${trustKey(FILE, 0, 0)}"]\ntrusted_hash = "${trustHash(command)}"\n`;

  it.each([
    ['not trusted', '', 'broken', /trust/u],
    ['trusted', trusted(), 'protected', /Every/u],
    ['trusted as another command', trusted('x'), 'broken', /trust/u],
    ['switched off', trusted().replace('trusted_hash', 'enabled = false\ntrusted_hash'), 'broken', /switched off/u],
  ])('%s', (_name, extra, state, detail) => {
    expect(codex.inspect(edited('').text + extra, HOOK, FILE)).toMatchObject({ state, detail: expect.stringMatching(detail) });
  });

  it('says that features.hooks = false switches hooks off', () => {
    const { text, warnings } = edited('[features]\nhooks = false\n');
    expect(warnings).toEqual([expect.stringContaining('features.hooks')]);
    expect(codex.inspect(text + trusted(), HOOK, FILE).state).toBe('broken');
  });

  /** As Codex 0.169 leaves the file: our closing comment behind its own tables, LF only. */
  const afterTrust = (text: string): string => text.replaceAll('\r\n', '\n').replace('# <<< callgate\n', `${trusted()}# <<< callgate\n`);

  it.each([
    ['a comment on top', 'model = "m"\n', (text: string) => `# new\n${text}`, { model: 'm' }],
    ['a table at the end', 'model = "m"\n', (text: string) => `${text}[mine]\na = 1\n`, { model: 'm', mine: { a: 1 } }],
    [
      'CRLF gone',
      'model = "m"\r\n[features]\r\nunified_exec_tty = true\r\n',
      (text: string) => text,
      { model: 'm', features: { unified_exec_tty: true } },
    ],
    [
      'a hook in front',
      '[features]\na = true\n',
      (text: string) => text.replace('# >>>', `${MINE}# >>>`),
      { features: { a: true }, hooks: { PreToolUse: [{ matcher: 'Bash', hooks: [{ type: 'command', command: 'mine' }] }] } },
    ],
    [
      'trust of another hook',
      '',
      (text: string) => text.replace('# <<<', '[hooks.state."/other"]\ntrusted_hash = "x"\n# <<<'),
      { hooks: { state: { '/other': { trusted_hash: 'x' } } } },
    ],
    [
      'a second command in our group',
      '',
      (text: string) => text.replace('# <<<', '[[hooks.PreToolUse]]\nmatcher = "y"\nhooks = []\n# <<<'),
      { hooks: { PreToolUse: [{ matcher: 'y', hooks: [] }] } },
    ],
  ])('undo after trust keeps %s', (_name, before, edit, expected) => {
    const { text, undo } = edited(before);
    // With a hook in front ours is the second group, and Codex would have to be asked again: the old trust is a left-over.
    const rewritten = edit(afterTrust(text));
    const notes = { ...(undo.notes as object), trustKeys: [trustKey(FILE, 0, 0)] };
    const result = codex.unplan(rewritten, { ...undo, notes }, FILE);
    expect(result).toMatchObject({ kind: 'edited' });
    const clean = result.kind === 'edited' ? result.text : '';
    expect(JSON.parse(JSON.stringify(parse(clean)))).toEqual(expected);
    expect(clean).not.toMatch(/callgate/iu);
  });
});

it.each([
  ['in a comment', `# >>> callgate: asks before every tool call\n# <<< callgate\n# <<< callgate, said somebody\nmodel = "m"\n`],
  ['in a text', 'note = """\n# >>> callgate: asks before every tool call\n# <<< callgate\n"""\n'],
])('the user quotes our marker lines %s: undo of an edited file leaves theirs and takes ours', (_name, before) => {
  const planned = codex.plan(before, HOOK);
  if (planned.kind !== 'edited') throw new Error(planned.problem.message);
  const edited = planned.text.replace('timeout = 900', 'timeout = 900 # mine');
  const result = codex.unplan(edited, planned.undo, FILE);
  expect(result).toMatchObject({ kind: 'edited' });
  expect(result.kind === 'edited' && result.text.trimEnd()).toBe(before.trimEnd());
});
