/**
 * Proves that a protected client really asks the gate: its own program runs with the user's real configuration against
 * a scripted model on loopback, which asks for one harmless command that the rule `canary.refused` always refuses.
 * Reading the settings file cannot prove that: flags, other scopes and invalid neighbours switch hooks off in silence.
 */
import { randomBytes } from 'node:crypto';
import { type CanaryModel, startCanaryModel } from '#node/clients/canaryModel.ts';
import { codex } from '#node/clients/codex.ts';
import { readConfig } from '#node/clients/configFile.ts';
import { type ProgramResult, runProgram } from '#node/clients/runProgram.ts';
import type { AgentId } from '#node/clients/adapter.ts';
import { splitBom } from '#node/clients/textPlace.ts';
import { asTable, parseTomlText } from '#node/clients/tomlEdit.ts';

export interface CanaryOptions {
  /** Absolute path of the client's program. */
  readonly program: string;
  readonly home: string;
  readonly platform: NodeJS.Platform;
  /** The environment the user's own sessions start with. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** An existing folder: a workspace, so that its settings count too. */
  readonly cwd: string;
  readonly deadlineMs: number;
}

export interface CanaryReport {
  /** Whether the gate refused the canary. */
  readonly ok: boolean;
  /** One or two sentences. */
  readonly seen: string;
  /** What the person can do; empty when ok. */
  readonly toDo: string;
}

/** In the title of the rule `canary.refused`. Our name alone proves nothing: Claude quotes the hook's path when it cannot start. */
const OUR_RULE = /canary/iu;
const MARKER = 'callgate-canary-';

/** The command that does nothing, and that the gate refuses for its marker alone. */
export function canaryCommand(): string {
  return `: ${MARKER}${randomBytes(8).toString('hex')}`;
}

/** Never rejects: a client that cannot be run is a report too. */
export async function runCanary(client: AgentId, options: CanaryOptions): Promise<CanaryReport> {
  const command = canaryCommand();
  let model: CanaryModel | null = null;
  try {
    model = await startCanaryModel(client === 'claude' ? 'anthropic' : 'responses', command);
    const { args, env } = client === 'claude' ? claudeRun(model.url, options) : codexRun(model.url, options);
    const result = await runProgram({ program: options.program, args, env, cwd: options.cwd, deadlineMs: options.deadlineMs });
    return report(client, model, result, options.deadlineMs);
  } catch (error) {
    return {
      ok: false,
      seen: `The test could not be run: ${error instanceof Error ? error.message : String(error)}.`,
      toDo: 'Mend that and test again.',
    };
  } finally {
    await model?.close();
  }
}

/** No proxy may carry loopback traffic away, and no real account may be used. */
function quietEnv({ env, home }: CanaryOptions): Record<string, string | undefined> {
  const kept = Object.entries(env).filter(([name]) => !/^(?:https?|all)_proxy$/iu.test(name) && !/^(?:ANTHROPIC|OPENAI)_/u.test(name));
  return { ...Object.fromEntries(kept), HOME: home, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' };
}

function claudeRun(url: string, options: CanaryOptions): { args: readonly string[]; env: Record<string, string | undefined> } {
  // Flag settings win over the user's own `env` block, which may name another endpoint.
  const model = {
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'callgate-canary',
    ANTHROPIC_AUTH_TOKEN: '',
    CLAUDE_CODE_USE_BEDROCK: '',
    CLAUDE_CODE_USE_VERTEX: '',
    CLAUDE_CODE_USE_FOUNDRY: '',
    HTTP_PROXY: '',
    HTTPS_PROXY: '',
    NO_PROXY: '127.0.0.1',
    DISABLE_TELEMETRY: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_ERROR_REPORTING: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  };
  // dontAsk: if the hook is not called, Claude refuses in its own words, and nothing runs either way.
  const args = [
    '-p',
    'Callgate canary',
    '--output-format',
    'json',
    '--permission-mode',
    'dontAsk',
    '--no-session-persistence',
    '--strict-mcp-config',
    '--settings',
    JSON.stringify({ env: model }),
  ];
  return { args, env: { ...quietEnv(options), ...model } };
}

function codexRun(url: string, options: CanaryOptions): { args: readonly string[]; env: Record<string, string | undefined> } {
  const provider = `{name="Callgate canary",base_url="${url}/v1",wire_api="responses",env_key="CALLGATE_CANARY_KEY",request_max_retries=0,stream_max_retries=0,supports_websockets=false}`;
  const overrides = [
    `model_providers.callgate_canary=${provider}`,
    'model_provider="callgate_canary"',
    'model="gpt-5.5"',
    'check_for_update_on_startup=false',
    'analytics.enabled=false',
    'notify=[]',
    ...codexServers(options).map((name) => `mcp_servers.${name}.enabled=false`),
  ];
  const args = [
    'exec',
    '--skip-git-repo-check',
    '--ephemeral',
    '--json',
    '-s',
    'read-only',
    ...overrides.flatMap((one) => ['-c', one]),
    'Callgate canary',
  ];
  return { args, env: { ...quietEnv(options), CALLGATE_CANARY_KEY: 'callgate-canary' } };
}

/** The user's MCP servers need not start for this; names that `-c` cannot address simply do. */
function codexServers({ platform, home, env }: CanaryOptions): readonly string[] {
  const { text } = readConfig(codex.locate(platform, home, env));
  const parsed = parseTomlText(splitBom(text ?? '').body);
  if ('problem' in parsed) return [];
  return Object.keys(asTable(parsed.table['mcp_servers']) ?? {}).filter((name) => /^[A-Za-z0-9_-]+$/u.test(name));
}

function report(client: AgentId, model: CanaryModel, result: ProgramResult, deadlineMs: number): CanaryReport {
  const name = client === 'claude' ? 'Claude Code' : 'Codex';
  const hooks = client === 'claude' ? 'run /hooks in Claude Code' : 'run /hooks in Codex';
  const answer = model.seen();
  const said = short(result.stderr || result.stdout);
  if (answer !== null) {
    // Codex quotes the refused command, and the marker in it is not our answer.
    const refusal = answer.text.replaceAll(MARKER, '');
    if (OUR_RULE.test(refusal) && answer.failed !== 'no')
      return { ok: true, seen: `${name} asked the gate, and the gate refused: ${short(answer.text)}`, toDo: '' };
    if (answer.failed === 'yes')
      return {
        ok: false,
        seen: `${name} refused the test call, but not because of Callgate: ${short(answer.text)}`,
        toDo: `The hook was not called. Protect ${name} again, then ${hooks} to see which settings switch it off.`,
      };
    return {
      ok: false,
      seen: `${name} ran the test call without asking the gate.`,
      toDo: `${name} is NOT protected. Protect it again, then ${hooks} to see which settings switch it off.`,
    };
  }
  if (result.ended === 'notStarted')
    return { ok: false, seen: `${name} could not be started: ${said}`, toDo: 'Check that the program is installed and test again.' };
  if (result.ended === 'deadline')
    return {
      ok: false,
      seen: `${name} did not finish within ${Math.round(deadlineMs / 1000)} s.`,
      toDo: 'Test again when the machine is less busy; until then take it for not protected.',
    };
  const reason = model.problems()[0];
  if (reason !== undefined)
    return { ok: false, seen: `${name}: ${reason}.`, toDo: `Ask for a shell command in ${name} by hand and look for it in the timeline.` };
  const asked = model.asked() ? 'talked to the test model but did not carry out its call' : 'did not talk to the test model';
  return {
    ok: false,
    seen: `${name} ${asked} (exit status ${String(result.status)}): ${said}`,
    toDo: `Start ${name} by hand: if it reports a broken configuration, mend that and test again.`,
  };
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/gu, ' ').trim();
  return line.length > 400 ? `${line.slice(0, 400)}…` : line;
}
