import { join } from 'node:path';
import { openLocalGate } from '#home/localGate.ts';
import { openPins, type PinStore } from '#home/pins.ts';
import { type Command, print } from '#node/cli/command.ts';
import { openPage } from '#node/proxy/oauth/openPage.ts';
import { relaySignIn } from '#node/proxy/oauth/relaySignIn.ts';
import { memorySecrets } from '#node/proxy/oauth/signIn.ts';
import { relayHelp } from '#node/proxy/relayHelp.ts';
import { runShim } from '#node/proxy/shim/shim.ts';

/** What a rewritten MCP configuration entry starts. MCP has no way to ask a user, so a quarantined call is refused here. */
export const mcp: Command = async (args, { layout, bundleFolder, checkedRules = '', cwd, env, stdin, stdout, stderr }) => {
  const warn = (message: string): void => print(stderr, `callgate: ${message}`);
  // Opened only when there is no broker, then kept: rules and journal are read once a session, not once a call.
  let gate: ReturnType<typeof openLocalGate> | null = null;
  const open = (): ReturnType<typeof openLocalGate> =>
    (gate ??= openLocalGate({ layout, rulesFile: join(bundleFolder, 'rules.json'), checkedRules, warn }));
  let pins: PinStore | null = null;
  const signIn = relaySignIn({
    bundleFolder,
    // Without an editor there is no place for secrets but this process.
    secrets: memorySecrets(),
    showPage: (page, say) => openPage(page.url, { env, platform: process.platform, say }),
    told: (server, problem) => warn(problem === null ? `signed in to "${server}"` : `signing in to "${server}" failed: ${problem}`),
  });
  try {
    return await runShim({
      argv: args,
      env,
      cwd,
      stdin,
      stdout,
      stderr,
      layout,
      judgeAlone: (call, options) => open().judge(call, 'refuse', options),
      helpAlone: () => {
        const { engine, record } = open();
        pins = openPins(layout, warn);
        return relayHelp({ engine, signIn, pins, record });
      },
    });
  } finally {
    (pins as PinStore | null)?.close();
    (gate as ReturnType<typeof openLocalGate> | null)?.close();
  }
};
