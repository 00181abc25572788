/** The `callgate` command. Each subcommand is one file; only the one asked for runs. */
import { dirname } from 'node:path';
import { layoutFor } from '#home/layout.ts';
import { audit } from '#node/cli/audit.ts';
import { check } from '#node/cli/check.ts';
import { type Command, type CommandHost, currentFolder, outliveReaders, print } from '#node/cli/command.ts';
import { mcp } from '#node/cli/mcp.ts';
import { ownHome } from '#node/cli/ownHome.ts';
import { protect, status, unprotect } from '#node/cli/protect.ts';
import { rules } from '#node/cli/rules.ts';
import { serve } from '#node/cli/serve.ts';
import { tools } from '#node/cli/tools.ts';
import { uninstall } from '#node/cli/uninstall.ts';

declare const CALLGATE_VERSION: string;
/** `checkOf` the rules this program was built with. */
declare const CHECKED_RULES: string;

const COMMANDS: Readonly<Record<string, { readonly run: Command; readonly help: string }>> = {
  status: { run: status, help: 'what was found on this machine and what is protected' },
  protect: { run: protect, help: 'ID: show what protecting it would change; --yes does it' },
  unprotect: { run: unprotect, help: 'ID: give its configuration file back as it was' },
  check: { run: check, help: 'judge a call without running it; --jsonl: one a line; --explain: say why' },
  rules: { run: rules, help: 'list | show ID | test [FILE…]: the shipped rules and your own' },
  tools: { run: tools, help: 'list | show | approve | deny | forget: what MCP servers say of their tools' },
  audit: { run: audit, help: 'query | tail | stats | export | verify: the journal' },
  serve: { run: serve, help: 'judge for every hook without an editor' },
  mcp: { run: mcp, help: 'stand in for an MCP server (configuration files start this)' },
  uninstall: { run: uninstall, help: 'give back every configuration file and remove the launchers' },
};

async function main(argv: readonly string[]): Promise<number> {
  const [name = 'help', ...args] = argv;
  // The shim's client is its only reader: without one it has to end.
  if (name !== 'mcp') outliveReaders(process.stdout, process.stderr);
  const layout = layoutFor(ownHome(dirname(__filename)));
  const host: CommandHost = {
    layout,
    version: CALLGATE_VERSION,
    bundleFolder: dirname(__filename),
    checkedRules: CHECKED_RULES,
    cwd: currentFolder(() => process.cwd(), layout.home),
    env: process.env,
    platform: process.platform,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
  };
  if (name === '--version') {
    print(host.stdout, CALLGATE_VERSION);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) return command.run(args, host);
  const lines = Object.entries(COMMANDS).map(([word, { help }]) => `  ${word.padEnd(10)} ${help}`);
  const asked = ['help', '--help', '-h'].includes(name);
  print(
    asked ? host.stdout : host.stderr,
    [...(asked ? [] : [`callgate: there is no command "${name}"`]), 'usage: callgate COMMAND', ...lines].join('\n'),
  );
  return asked ? 0 : 2;
}

main(process.argv.slice(2)).then(
  (code) => {
    // Not process.exit: output still in the pipe must reach whoever reads it.
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(`callgate: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = 1;
  },
);
