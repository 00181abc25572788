/** Protecting the real clients: the canary before and after, Codex' trust by its own route, and every byte back. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { AgentId } from '#node/clients/adapter.ts';
import { applyPlan, revert } from '#node/clients/applyPlan.ts';
import { runCanary, type CanaryReport } from '#node/clients/canary.ts';
import { trustCodex } from '#node/clients/codexTrust.ts';
import { discover } from '#node/clients/discover.ts';
import { planProtect, planUnprotect, type ClientContext } from '#node/clients/planChange.ts';
import { hookCommand, recordCommand } from '#node/launcher/hookCommand.ts';
import { claudeBinary, codexBinary, ensureAgents, writeHome } from '#kit/agents.ts';
import { installGate } from '#kit/agentsGate.ts';
import { sandbox, sandboxEnvironment, type Sandbox } from '#kit/sandbox.ts';

interface Client {
  readonly id: AgentId;
  readonly program: string;
  readonly file: string;
  /** As a user might have left it: another endpoint, an MCP server that must not start, hooks and endings of their own. */
  readonly text: (box: Sandbox) => string;
  /** Turns hooks off in the project, where no look at the user's own file would find it. */
  readonly off: { readonly file: string; readonly text: string };
  /** A later change of the user's, which undo has to keep. */
  readonly edit: (text: string) => string;
}

const CLIENTS: readonly Client[] = [
  {
    id: 'claude',
    program: process.env['CALLGATE_TEST_CLAUDE'] ?? claudeBinary(),
    file: '.claude/settings.json',
    text: () => '\uFEFF{\r\n\t"env": { "ANTHROPIC_BASE_URL": "http://127.0.0.1:9" },\r\n\t"hooks": { "Stop": [] }\r\n}',
    off: { file: '.claude/settings.local.json', text: '{"disableAllHooks": true}' },
    edit: (text) => text.replace('"env"', '"cleanupPeriodDays": 20,\r\n\t"env"'),
  },
  {
    id: 'codex',
    program: process.env['CALLGATE_TEST_CODEX'] ?? codexBinary(),
    file: '.codex/config.toml',
    text: (box) =>
      [
        '# mine',
        'model = "gpt-5.5"',
        '[features]',
        'unified_exec_tty = true # as I like it',
        '',
        '[mcp_servers.late]',
        'command = "touch"',
        `args = ["${join(box.home, 'server-started')}"]`,
        '[[hooks.PreToolUse]]',
        '[[hooks.PreToolUse.hooks]]',
        'type = "command"',
        'command = "true"',
        '',
      ].join('\r\n'),
    off: { file: '', text: '' },
    edit: (text) => `# later\n${text}`,
  },
];

function contextOf(box: Sandbox): ClientContext {
  return {
    layout: box.layout,
    home: box.home,
    platform: process.platform,
    env: sandboxEnvironment(box, { IS_SANDBOX: '1' }),
    workspaceFolders: [box.work],
    launcher: {
      hookCommand: (client) => hookCommand(box.layout, client),
      recordCommand: (client) => recordCommand(box.layout, client),
      mcpCommand: join(box.layout.bin, 'callgate-mcp'),
    },
  };
}

for (const client of CLIENTS) {
  describe(`protecting ${client.id}`, () => {
    test('canary, trust and undo', async () => {
      await ensureAgents();
      const box = sandbox();
      try {
        await installGate(box);
        const context = contextOf(box);
        const before = client.text(box);
        const file = writeHome(box, client.file, before);
        const { id, program } = client;
        const canary = (): Promise<CanaryReport> => runCanary(id, { ...context, program, cwd: box.work, deadlineMs: 60_000 });
        const state = (): string => discover(context).find((one) => one.id === id)?.state ?? 'not listed';

        assert.equal((await canary()).ok, false, 'the canary must fail while nothing is protected');
        const plan = planProtect(id, context);
        applyPlan(plan, context);
        if (plan.needsConsent !== null) {
          assert.equal((await canary()).ok, false, 'an untrusted hook is not called');
          assert.equal(state(), 'broken');
          await trustCodex(context, { program, cwd: box.work, deadlineMs: 60_000 });
        }
        assert.equal(state(), 'protected');
        const report = await canary();
        assert.equal(report.ok, true, `${report.seen} ${report.toDo}`);
        assert.equal(planProtect(id, context).after, readFileSync(file, 'utf8'), 'protecting twice changes nothing');

        if (client.off.file !== '') {
          const switchedOff = box.write(client.off.file, client.off.text);
          assert.equal((await canary()).ok, false, 'the project switches hooks off');
          assert.equal(state(), 'broken');
          writeFileSync(switchedOff, '{}');
        }

        const written = readFileSync(file, 'utf8');
        writeFileSync(file, client.edit(written));
        assert.equal(planUnprotect(id, context).after?.replaceAll('\r\n', '\n'), client.edit(before).replaceAll('\r\n', '\n'));
        writeFileSync(file, written);
        revert(id, context);
        assert.equal(readFileSync(file, 'utf8'), before);
        assert.equal((await canary()).ok, false, 'nothing of the gate is left');
        assert.throws(() => readFileSync(join(box.home, 'server-started')), { code: 'ENOENT' }, 'the canary started an MCP server');
      } finally {
        box.remove();
      }
    });
  });
}
