/** The real agent programs from npm: where they are, how they are set up, and how they are run against a scripted model. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Model } from '#kit/model.ts';
import { launch, sandboxEnvironment } from '#kit/sandbox.ts';
import type { Ran, Running, Sandbox } from '#kit/sandbox.ts';

export const repository = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const folder = join(repository, '.cache', 'agents');

/** Installs the pinned agents and servers when they are missing; at once otherwise. @throws with npm's words when that fails. */
export async function ensureAgents(): Promise<void> {
  // Plain JavaScript, because set-up also runs on Node versions that cannot strip types; hence no static import.
  const script = new URL('./installAgents.mjs', import.meta.url).href;
  const setup = (await import(script)) as { ensureAgents: () => Promise<string> };
  await setup.ensureAgents();
  for (const binary of [claudeBinary(), codexBinary()])
    if (!existsSync(binary)) throw new Error(`${binary} is missing: has the package changed its layout?`);
}

/** Both publish one native package per platform, named by Node's words for platform and processor. */
const platform = `${process.platform}-${process.arch}`;

export function claudeBinary(): string {
  return join(folder, 'node_modules', '@anthropic-ai', `claude-code-${platform}`, process.platform === 'win32' ? 'claude.exe' : 'claude');
}

export function codexBinary(): string {
  const triple: Record<string, string> = {
    'linux-x64': 'x86_64-unknown-linux-musl',
    'linux-arm64': 'aarch64-unknown-linux-musl',
    'darwin-x64': 'x86_64-apple-darwin',
    'darwin-arm64': 'aarch64-apple-darwin',
    'win32-x64': 'x86_64-pc-windows-msvc',
    'win32-arm64': 'aarch64-pc-windows-msvc',
  };
  const vendor = join(folder, 'node_modules', '@openai', `codex-${platform}`, 'vendor', triple[platform] ?? platform);
  return join(vendor, 'bin', process.platform === 'win32' ? 'codex.exe' : 'codex');
}

/** The entry script of an npm MCP server, to be run with Node. */
export function mcpServerScript(name: 'server-everything' | 'server-filesystem'): string {
  return join(folder, 'node_modules', '@modelcontextprotocol', name, 'dist', 'index.js');
}

export interface AgentRun {
  readonly model: Model;
  readonly scenario: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 90_000;

/** `IS_SANDBOX` lets Claude bypass permissions as root; a plain user does not need it. */
export function claudeEnvironment(box: Sandbox, port: number): Record<string, string> {
  return sandboxEnvironment(box, {
    IS_SANDBOX: '1',
    ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
    ANTHROPIC_API_KEY: 'not-a-key',
    DISABLE_TELEMETRY: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_ERROR_REPORTING: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  });
}

/** One headless conversation with Claude Code. All calls are permitted by the client itself: only hooks stand in the way. */
export function launchClaude(box: Sandbox, options: AgentRun): Running {
  const args = [
    '-p',
    `SCENARIO=${options.scenario} go on`,
    '--output-format',
    'json',
    '--permission-mode',
    'bypassPermissions',
    ...(options.args ?? []),
  ];
  const env = { ...claudeEnvironment(box, options.model.port), ...options.env };
  return launch(claudeBinary(), args, { cwd: box.work, env, deadlineMs: options.deadlineMs ?? DEADLINE_MS });
}

export function runClaude(box: Sandbox, options: AgentRun): Promise<Ran> {
  return launchClaude(box, options).done;
}

export function codexEnvironment(box: Sandbox): Record<string, string> {
  return sandboxEnvironment(box, { CODEX_HOME: join(box.home, '.codex'), CALLGATE_TEST_KEY: 'not-a-key' });
}

/** Settings of the scripted provider as `-c` options, so that `config.toml` stays the user's own. */
function codexProvider(port: number): string[] {
  const settings = [
    'model="gpt-5.5"',
    'model_provider="scripted"',
    'check_for_update_on_startup=false',
    'analytics.enabled=false',
    'model_providers.scripted.name="scripted"',
    `model_providers.scripted.base_url="http://127.0.0.1:${port}/v1"`,
    'model_providers.scripted.wire_api="responses"',
    'model_providers.scripted.env_key="CALLGATE_TEST_KEY"',
    'model_providers.scripted.request_max_retries=0',
    'model_providers.scripted.stream_max_retries=0',
    'model_providers.scripted.supports_websockets=false',
  ];
  return settings.flatMap((setting) => ['-c', setting]);
}

/** One headless conversation with Codex; approvals and its own sandbox are off, hook trust is not bypassed. */
export function launchCodex(box: Sandbox, options: AgentRun): Running {
  mkdirSync(join(box.home, '.codex'), { recursive: true });
  const args = ['exec', '--skip-git-repo-check', '--json', '--dangerously-bypass-approvals-and-sandbox'];
  args.push(...codexProvider(options.model.port), ...(options.args ?? []), `SCENARIO=${options.scenario} go on`);
  const env = { ...codexEnvironment(box), ...options.env };
  return launch(codexBinary(), args, { cwd: box.work, env, deadlineMs: options.deadlineMs ?? DEADLINE_MS });
}

export function runCodex(box: Sandbox, options: AgentRun): Promise<Ran> {
  return launchCodex(box, options).done;
}

/** Writes a file of the sandbox' home, folders included. */
export function writeHome(box: Sandbox, path: string, content: string): string {
  const file = join(box.home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}
