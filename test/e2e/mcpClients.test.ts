/** Rewritten entries in the real clients: each reads its file, expands it, and starts its servers through the shim. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { applyPlan, revert } from '#node/clients/applyPlan.ts';
import { discover } from '#node/clients/discover.ts';
import { fileServers, newOffers } from '#node/clients/fileServers.ts';
import { type ClientContext, planProtect } from '#node/clients/planChange.ts';
import { mcpLauncher } from '#node/launcher/leftOver.ts';
import { claudeBinary, codexBinary, ensureAgents, writeHome } from '#kit/agents.ts';
import { installGate } from '#kit/agentsGate.ts';
import { ensureMcpClients } from '#kit/setup.mjs';
import { launch, sandbox, sandboxEnvironment, tail, waitFor, type Sandbox } from '#kit/sandbox.ts';

/** Writes down how it was started and what it was asked; answers enough to be taken for a server. */
const STDIO_SERVER = `
const { appendFileSync } = require('node:fs');
const note = (what) => appendFileSync(process.argv[2], JSON.stringify(what) + '\\n');
const { T_ONE, T_TWO, OPENAI_API_KEY, ANTHROPIC_API_KEY } = process.env;
const ours = Object.keys(process.env).filter((name) => name.startsWith('CALLGATE'));
note({ args: process.argv.slice(3), cwd: process.cwd(), env: { T_ONE, T_TWO, OPENAI_API_KEY, ANTHROPIC_API_KEY }, ours });
let text = '';
process.stdin.on('data', (data) => {
  text += data;
  for (let end = text.indexOf('\\n'); end >= 0; end = text.indexOf('\\n')) {
    const { id, method, params } = JSON.parse(text.slice(0, end));
    text = text.slice(end + 1);
    note(method);
    if (id === undefined) continue;
    const result = method === 'initialize' ? { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } } : method === 'tools/list' ? { tools: [] } : {};
    process.stdout.write(JSON.stringify(method === 'server/discover' ? { jsonrpc: '2.0', id, error: { code: -32601, message: 'no' } } : { jsonrpc: '2.0', id, result }) + '\\n');
  }
});`;

interface Facts {
  readonly box: Sandbox;
  readonly node: string;
  readonly script: string;
  readonly log: string;
  readonly url: string;
}

interface Client {
  readonly name: string;
  readonly file: string;
  readonly text: (facts: Facts) => string;
  readonly program: () => string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What the entry gives as OPENAI_API_KEY, where the client does not let it inherit one. */
  readonly key?: string;
}

let mcpClients = '';
const KEYS = { OPENAI_API_KEY: 'inherited-openai', ANTHROPIC_API_KEY: 'inherited-anthropic' };
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const CLIENTS: readonly Client[] = [
  {
    name: 'Claude Code',
    file: '.claude.json',
    text: ({ node, script, log, url }) =>
      json({
        numStartups: 1,
        mcpServers: {
          program: {
            type: 'stdio',
            command: node,
            args: [script, log, '${T_ONE}'],
            env: { T_TWO: '${T_ONE}', OPENAI_API_KEY: '${OPENAI_API_KEY}' },
          },
          address: { type: 'http', url, headers: { 'X-T': 'Bearer ${T_ONE}' } },
        },
      }),
    program: claudeBinary,
    args: ['mcp', 'list'],
    env: {
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      DISABLE_TELEMETRY: '1',
    },
  },
  {
    name: 'Codex',
    file: '.codex/config.toml',
    text: ({ node, script, log, url }) =>
      [
        'model = "gpt-5.5" # mine',
        'model_provider = "none"',
        '[model_providers.none]',
        'name = "none"',
        'base_url = "http://127.0.0.1:9/v1"',
        'wire_api = "responses"',
        'request_max_retries = 0',
        '',
        '[mcp_servers.program]',
        `command = "${node}"`,
        `args = ["${script}", "${log}", "value"]`,
        'env_vars = ["OPENAI_API_KEY"]',
        '[mcp_servers.program.env]',
        'T_TWO = "value"',
        '',
        '[mcp_servers.address]',
        `url = "${url}"`,
        'env_http_headers = { X-T = "T_BEARER" }',
        '',
      ].join('\n'),
    program: codexBinary,
    args: ['exec', '--skip-git-repo-check', 'hello'],
    env: { T_BEARER: 'Bearer value' },
  },
  {
    name: 'Gemini CLI',
    file: '.gemini/settings.json',
    text: ({ node, script, log, url }) =>
      `{ // mine\n  "mcpServers": ${JSON.stringify({
        program: { command: node, args: [script, log, '$T_ONE'], env: { T_TWO: '${T_ONE}', OPENAI_API_KEY: '$OPENAI_API_KEY' } },
        address: { httpUrl: url, headers: { 'X-T': 'Bearer $T_ONE' } },
      })}\n}\n`,
    program: () => process.execPath,
    args: ['mcp', 'list'],
    env: { GEMINI_API_KEY: 'x', GEMINI_CLI_TRUST_WORKSPACE: 'true' },
  },
  {
    name: 'Copilot CLI',
    file: '.copilot/mcp-config.json',
    text: ({ node, script, log, url }) =>
      json({
        mcpServers: {
          program: {
            type: 'local',
            tools: ['*'],
            command: node,
            args: [script, log, '$T_ONE'],
            // A name alone is taken for its variable.
            env: { T_TWO: 'T_ONE', OPENAI_API_KEY: '${T_ONE}' },
          },
          address: { type: 'http', tools: ['*'], url, headers: { 'X-T': 'Bearer ${T_ONE}' } },
        },
      }),
    program: () => join(mcpClients, 'node_modules', '@github', `copilot-${process.platform}-${process.arch}`, 'copilot'),
    args: ['-p', 'hello', '--allow-all-tools'],
    key: 'value',
    env: {
      COPILOT_OFFLINE: 'true',
      COPILOT_PROVIDER_TYPE: 'anthropic',
      COPILOT_PROVIDER_BASE_URL: 'http://127.0.0.1:9',
      COPILOT_PROVIDER_API_KEY: 'x',
      COPILOT_MODEL: 'claude-sonnet-4.5',
    },
  },
];

/** An MCP server at an address, that knows only `initialize`. */
async function webServer(): Promise<{ url: string; headers: IncomingHttpHeaders[]; close: () => void }> {
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data: Buffer) => (body += data.toString()));
    request.on('end', () => {
      if (request.method !== 'POST') {
        response.writeHead(405).end();
        return;
      }
      const { id, method, params } = JSON.parse(body) as { id?: unknown; method: string; params?: { protocolVersion: string } };
      if (method === 'initialize') headers.push(request.headers);
      if (id === undefined) {
        response.writeHead(202).end();
        return;
      }
      const serverInfo = { name: 'w', version: '1' };
      const result =
        method === 'initialize' ? { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo } : { tools: [] };
      const answer = method === 'server/discover' ? { error: { code: -32_601, message: 'no' } } : { result };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, headers, close: () => void server.close() };
}

const linesOf = (log: string): unknown[] =>
  (existsSync(log) ? readFileSync(log, 'utf8') : '')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);

describe('rewritten entries', () => {
  before(async () => {
    await ensureAgents();
    mcpClients = await ensureMcpClients();
  });

  for (const client of CLIENTS) {
    test(client.name, async () => {
      const box = sandbox();
      const web = await webServer();
      try {
        await installGate(box);
        const script = join(box.folder, 'server.cjs');
        writeFileSync(script, STDIO_SERVER);
        const log = join(box.folder, 'server.log');
        const original = client.text({ box, node: process.execPath, script, log, url: web.url });
        const file = writeHome(box, client.file, original);
        const id = `mcp:${file}`;
        const context: ClientContext = {
          layout: box.layout,
          home: box.home,
          platform: process.platform,
          env: {},
          workspaceFolders: [],
          launcher: { hookCommand: () => '', mcpCommand: mcpLauncher(box.layout) },
        };
        applyPlan(planProtect(id, context), context);
        assert.equal(discover(context).find((one) => one.id === id)?.state, 'protected');

        const args =
          client.name === 'Gemini CLI'
            ? [join(mcpClients, 'node_modules/@google/gemini-cli/bundle/gemini.js'), ...client.args]
            : client.args;
        const env = sandboxEnvironment(box, { ...KEYS, T_ONE: 'value', ...client.env });
        const running = launch(client.program(), args, { cwd: box.work, env, deadlineMs: 90_000 });
        try {
          const asked = (): boolean => linesOf(log).includes('initialize') && web.headers.length > 0;
          await Promise.race([waitFor('both servers to be asked', asked, 60_000).catch(() => undefined), running.done]);
          if (!asked())
            assert.fail(
              `not every server was started: ${JSON.stringify(linesOf(log))}, ${web.headers.length} by address\n${tail(await running.done)}`,
            );
        } finally {
          running.kill('SIGTERM');
        }
        const [started] = linesOf(log);
        assert.deepEqual((started as { args: unknown }).args, ['value']);
        const { env: seen, ours } = started as { env: Record<string, string | undefined>; ours: string[] };
        assert.equal(seen['T_TWO'], 'value');
        assert.equal(seen['OPENAI_API_KEY'], client.key ?? KEYS.OPENAI_API_KEY, 'the entry names this key itself');
        assert.equal(seen['ANTHROPIC_API_KEY'], undefined, 'this one is only inherited');
        assert.deepEqual(ours, []);
        assert.equal(web.headers[0]?.['x-t'], 'Bearer value');

        if (client.name !== 'Claude Code') {
          revert(id, context);
          assert.equal(readFileSync(file, 'utf8'), original);
          return;
        }
        // Claude has counted its starts in this very file meanwhile; and it adds a server to it while we watch.
        const noted = newOffers(fileServers(context), {}).seen;
        const added = await launch(client.program(), ['mcp', 'add', '-s', 'user', 'late', '--', 'true'], {
          cwd: box.work,
          env,
          deadlineMs: 60_000,
        }).done;
        assert.equal(added.code, 0, tail(added));
        const [offer] = newOffers(fileServers(context), noted).offers;
        assert.deepEqual([offer?.id, offer?.fresh, offer?.reverted], [id, ['late'], []]);
        revert(id, context);
        const { mcpServers } = JSON.parse(readFileSync(file, 'utf8')) as { mcpServers: unknown };
        const late = { late: { type: 'stdio', command: 'true', args: [], env: {} } };
        assert.deepEqual(mcpServers, { ...(JSON.parse(original) as { mcpServers: object }).mcpServers, ...late });
      } finally {
        web.close();
        box.remove();
      }
    });
  }
});
