import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { openIndex } from '#node/audit/auditIndex.ts';
import { keepJournal } from '#node/audit/keepJournal.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { checkWitness } from '#node/audit/witness.ts';
import { startBroker } from '#node/broker/broker.ts';
import { BrokerError } from '#node/broker/brokerLock.ts';
import { type Command, print } from '#node/cli/command.ts';
import { serveMcpLink } from '#node/proxy/mcpLink.ts';

/** Another broker of this user is running; whoever started us joins that one. */
export const EXIT_ALREADY_RUNNING = 75;
const EXIT_PATIENCE_MS = 1000;
const USAGE = 'usage: callgate serve [--with-windows]';

/** The broker: with `--with-windows` it ends with the last window, else when it is told to stop. */
export const serve: Command = async (args, { layout, version, bundleFolder, stdout, stderr }) => {
  const withWindows = args.length === 1 && args[0] === '--with-windows';
  if (args.length > 0 && !withWindows) {
    print(stderr, USAGE);
    return 2;
  }
  // The process is our own, so process-wide settings are too: regexes that back-track for ever are given up, not waited for.
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
  const log = (line: string): void => print(stderr, `${new Date().toISOString()} ${line}`);
  try {
    const broker = await startBroker({
      layout,
      version,
      rulesFile: join(bundleFolder, 'rules.json'),
      openIndex: () => openIndex(layout, join(bundleFolder, 'sql-wasm.wasm')),
      verify: () => verifyJournal(layout),
      checkpoint: (seen) => checkWitness(layout, seen),
      upkeep: (settings, held) => keepJournal(layout, settings, held),
      serveMcp: serveMcpLink,
      log,
      lifetime: withWindows ? 'windows' : 'until-stopped',
    });
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => void broker.stop());
    if (!withWindows)
      print(stdout, `Callgate ${version} is listening (pid ${process.pid}). Ctrl-C ends it; hooks then decide by themselves.`);
    await broker.ended;
    // Servers of the relay that will not go are ended by an exit listener, so a stray handle must not keep us here.
    setTimeout(() => process.exit(0), EXIT_PATIENCE_MS).unref();
    return 0;
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'ALREADY_RUNNING') {
      log(error.message);
      return EXIT_ALREADY_RUNNING;
    }
    throw error;
  }
};
