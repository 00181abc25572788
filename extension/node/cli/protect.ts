/** `callgate status`, `protect` and `unprotect`: the installer without an editor. */
import { join } from 'node:path';
import { type Command, type CommandHost, print } from '#node/cli/command.ts';
import { applyPlan, revert } from '#node/clients/applyPlan.ts';
import { runCanary } from '#node/clients/canary.ts';
import { trustCodex } from '#node/clients/codexTrust.ts';
import { ConfigError } from '#node/clients/configError.ts';
import { discover } from '#node/clients/discover.ts';
import { type ClientContext, planProtect, type Plan } from '#node/clients/planChange.ts';
import { visibleLine } from '#core/policy/visibleText.ts';
import { openEngine } from '#home/engine.ts';
import { hookCommand, recordCommand } from '#node/launcher/hookCommand.ts';
import { launcherPaths, readLauncherRecord } from '#node/launcher/launcherRecord.ts';
import { LauncherError } from '#node/launcher/quoting.ts';

const TRUST_DEADLINE_MS = 20_000;
const CANARY_DEADLINE_MS = 60_000;

export function clientContext({ layout, platform, env, cwd }: CommandHost): ClientContext {
  const record = readLauncherRecord(layout);
  if (record === null)
    throw new LauncherError('NOT_INSTALLED', `There is no installation under ${layout.root}; open the editor with the extension once`);
  return {
    layout,
    home: layout.home,
    platform,
    env,
    workspaceFolders: [cwd],
    launcher: {
      hookCommand: (client) => hookCommand(layout, client),
      recordCommand: (client) => recordCommand(layout, client),
      mcpCommand: launcherPaths(layout, record).mcpScript,
    },
  };
}

export const status: Command = async (args, host) => {
  if (args.length > 0) {
    print(host.stderr, 'usage: callgate status');
    return 2;
  }
  return sayingConfigErrors(host, async () => printStatus(host));
};

/** A project names its servers as it likes: a name must not move the cursor of whoever reads what is to be changed. */
const shown = (text: string): string => visibleLine(text, 2000);

function printStatus(host: CommandHost): number {
  for (const { id, name, file, state, detail, warnings, servers } of discover(clientContext(host))) {
    const left = servers.flatMap((server) => (server.state === 'unsupported' ? [`"${server.name}" stays as it is: ${server.detail}`] : []));
    print(
      host.stdout,
      `${state.padEnd(12)} ${shown(id)}  (${name}, ${shown(file)})\n             ${[detail, ...warnings, ...left].map(shown).join('\n             ')}`,
    );
  }
  const problem = openEngine(host.layout, join(host.bundleFolder, 'rules.json')).problem(host.cwd);
  if (problem !== null) print(host.stderr, problem);
  return 0;
}

const PROTECT_USAGE = 'usage: callgate protect ID [--server NAME …] [--yes] [--trust] [--no-canary]   (IDs: callgate status)';

/** Shows the plan; writes only with `--yes`, writes Codex's trust entry only with `--trust`. */
export const protect: Command = async (args, host) => {
  const { stdout, stderr } = host;
  const [id, ...words] = args;
  const { flags, servers } = chosenServers(words);
  if (id === undefined || id.startsWith('-') || flags.some((flag) => !['--yes', '--trust', '--no-canary'].includes(flag))) {
    print(stderr, PROTECT_USAGE);
    return 2;
  }
  return sayingConfigErrors(host, async () => {
    const context = clientContext(host);
    const plan = planProtect(id, context, servers.length === 0 ? {} : { servers });
    for (const line of [`${plan.file}:`, ...plan.summary.map((text) => `  ${text}`), ...plan.warnings.map((text) => `  warning: ${text}`)])
      print(stdout, shown(line));
    if (plan.needsConsent !== null) print(stdout, `  ${plan.needsConsent}`);
    if (!flags.includes('--yes')) {
      print(
        stdout,
        `Nothing was changed. To do this: callgate protect ${args.map(asWord).join(' ')} --yes${plan.needsConsent === null ? '' : ' --trust'}`,
      );
      return 0;
    }
    const applied = applyPlan(plan, context);
    print(
      stdout,
      applied.changed === 'changed'
        ? `${applied.file} was changed; its original is kept in ${applied.backup}.`
        : `${applied.file} was in order already.`,
    );
    return settleTrustAndTry(id, plan, context, host, flags);
  });
};

/** As it can be typed again. */
const asWord = (word: string): string => (/^[\w./:@=-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** `--server NAME` chooses among the servers of an MCP file; a name without its word is an unknown flag. */
function chosenServers(words: readonly string[]): { readonly flags: readonly string[]; readonly servers: readonly string[] } {
  const flags: string[] = [];
  const servers: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const name = words[at] === '--server' ? words[at + 1] : undefined;
    if (name === undefined) flags.push(words[at] ?? '');
    else {
      servers.push(name);
      at++;
    }
  }
  return { flags, servers };
}

async function settleTrustAndTry(
  id: string,
  plan: Plan,
  context: ClientContext,
  { stdout, stderr, cwd }: CommandHost,
  flags: readonly string[],
): Promise<number> {
  if (id !== 'claude' && id !== 'codex') return 0;
  const program = discover(context).find((item) => item.id === id)?.program ?? null;
  if (plan.needsConsent !== null) {
    if (!flags.includes('--trust') || program === null) {
      print(stderr, 'Codex does not call the hook until you trust it: start `codex`, type /hooks, or run this again with --trust.');
      return 1;
    }
    await trustCodex(context, { program, cwd, deadlineMs: TRUST_DEADLINE_MS });
  }
  if (flags.includes('--no-canary')) return 0;
  if (program === null) {
    print(stdout, `${id} was not found on PATH, so it was not tried.`);
    return 0;
  }
  const { home, platform, env } = context;
  const report = await runCanary(id, { program, home, platform, env, cwd, deadlineMs: CANARY_DEADLINE_MS });
  print(
    report.ok ? stdout : stderr,
    report.ok ? 'A canary call through the real client was refused as it should be.' : `${report.seen} ${report.toDo}`,
  );
  return report.ok ? 0 : 1;
}

export const unprotect: Command = async (args, host) => {
  const [id, ...rest] = args;
  if (id === undefined || id.startsWith('-') || rest.length > 0) {
    print(host.stderr, 'usage: callgate unprotect ID   (IDs: callgate status)');
    return 2;
  }
  return sayingConfigErrors(host, async () => {
    const applied = revert(id, clientContext(host));
    print(
      host.stdout,
      applied.changed === 'changed' ? `${applied.file} is as it was.` : `Nothing of Callgate was left in ${applied.file}.`,
    );
    return 0;
  });
};

async function sayingConfigErrors({ stderr }: CommandHost, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof LauncherError)) throw error;
    print(stderr, `callgate: ${shown(error.message)}`);
    return 1;
  }
}
