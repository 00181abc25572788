/** Hooks that only record: added to a protection that is there, taken away again, and every byte given back. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { applyPlan, revert } from '#node/clients/applyPlan.ts';
import { claude } from '#node/clients/claude.ts';
import { codex } from '#node/clients/codex.ts';
import { CODEX_RECORDED, trustHash, trustKey } from '#node/clients/codexHooks.ts';
import { planProtect } from '#node/clients/planChange.ts';
import { clientHome, HOOK, RECORD, type ClientHome } from './clientHome.ts';

const withRecord = (home: ClientHome, record: string | null): ClientHome => ({
  ...home,
  launcher: { ...home.launcher, recordCommand: () => record },
});
const OTHER = RECORD.replace('/usr/bin/nc', '/bin/nc');

const files = [
  ['claude', '.claude/settings.json', '{\n  "hooks": {\n    "Stop": [],\n    "PostToolUse": [{ "hooks": [] }]\n  },\n  "model": "opus"\n}'],
  ['claude', '.claude/settings.json', '{}'],
  [
    'codex',
    '.codex/config.toml',
    '# mine\r\nmodel = "m"\r\n[[hooks.Stop]]\r\n[[hooks.Stop.hooks]]\r\ntype = "command"\r\ncommand = "mine"\r\n',
  ],
  ['codex', '.codex/config.toml', ''],
] as const;
const ways: readonly (readonly (string | null)[])[] = [
  [RECORD],
  [null, RECORD],
  [RECORD, null],
  [null, RECORD, OTHER, null, OTHER],
  [OTHER, RECORD, RECORD],
];

it.each(files.flatMap(([id, path, before]) => ways.map((way) => ({ id, path, before, way }))))(
  '$id $before by $way',
  ({ id, path, before, way }) => {
    const base = clientHome();
    const file = base.write(path, before);
    for (const record of way) {
      const home = withRecord(base, record);
      const plan = planProtect(id, home);
      applyPlan(plan, home);
      const text = readFileSync(file, 'utf8');
      const count = text.split('unrecorded').length - 1;
      expect(count).toBe(record === null ? 0 : id === 'claude' ? 8 : CODEX_RECORDED.length);
      if (record !== null) expect(text).toContain(record === OTHER ? '/bin/nc -N' : '/usr/bin/nc -N');
      expect(text).toContain('callgate-hook');
      expect(planProtect(id, home).after).toBe(text);
      if (plan.after !== plan.before) expect(plan.summary.join()).toMatch(/record|hook/u);
    }
    revert(id, base);
    expect(readFileSync(file, 'utf8')).toBe(before);
  },
);

it('Claude goes on when a hook that only records fails, and asks no matcher', () => {
  const planned = claude.plan(null, HOOK, RECORD);
  const { hooks } = JSON.parse(planned.kind === 'edited' ? planned.text : '') as { hooks: Record<string, unknown> };
  expect(hooks['PostToolUse']).toEqual([{ hooks: [{ type: 'command', command: RECORD, timeout: 10 }] }]);
  expect(Object.keys(hooks)).toHaveLength(10);
});

it.each([
  ['claude, both', () => claude.inspect(text(claude.plan(null, HOOK, RECORD)), HOOK, '', RECORD), 'protected', /Every/u],
  ['claude, not yet', () => claude.inspect(text(claude.plan(null, HOOK)), HOOK, '', RECORD), 'broken', /passes the gate.*not recorded/u],
  [
    'claude, no more',
    () => claude.inspect(text(claude.plan(null, HOOK, RECORD)), HOOK, '', null),
    'broken',
    /passes the gate.*still there/u,
  ],
  ['codex, trusted', () => codex.inspect(trusted(CODEX_RECORDED), HOOK, FILE, RECORD), 'protected', /Every/u],
  ['codex, one untrusted', () => codex.inspect(trusted(CODEX_RECORDED.slice(1)), HOOK, FILE, RECORD), 'broken', /until you trust/u],
  ['codex, not yet', () => codex.inspect(trusted([], null), HOOK, FILE, RECORD), 'broken', /not recorded; protect/u],
  ['codex, no more', () => codex.inspect(trusted(CODEX_RECORDED), HOOK, FILE, null), 'broken', /still there/u],
] as const)('%s', (_name, look, state, detail) => {
  expect(look()).toMatchObject({ state, detail: expect.stringMatching(detail) as string });
});

const FILE = '/home/u/.codex/config.toml';
const text = (planned: ReturnType<typeof claude.plan>): string => (planned.kind === 'edited' ? planned.text : '');

function trusted(events: readonly (typeof CODEX_RECORDED)[number][], record: string | null = RECORD): string {
  const states = [
    [trustKey(FILE, 0, 0), trustHash(HOOK)],
    ...events.map((event) => [trustKey(FILE, 0, 0, event), trustHash(RECORD, event)]),
  ].map(([key, hash]) => `[hooks.state."${key}"]\ntrusted_hash = "${hash}"\n`);
  return text(codex.plan('', HOOK, record)) + states.join('');
}

it('an inline list of the user is left alone, and it is said what is missing', () => {
  const planned = codex.plan('[hooks]\nStop = []\n', HOOK, RECORD);
  expect(planned).toMatchObject({ kind: 'edited', warnings: [expect.stringContaining('hooks.Stop')] });
});
