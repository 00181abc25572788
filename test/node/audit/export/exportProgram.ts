/** `callgate` for tests, unbundled: `node exportProgram.ts HOME audit …`. */
import { layoutFor } from '#home/layout.ts';
import { audit } from '#node/cli/audit.ts';
import { outliveReaders } from '#node/cli/command.ts';

const [home = '', , ...args] = process.argv.slice(2);
outliveReaders(process.stdout, process.stderr);
const { stdin, stdout, stderr, env, platform } = process;
process.exitCode = await audit(args, {
  layout: layoutFor(home),
  version: '1.0.0',
  bundleFolder: home,
  cwd: process.cwd(),
  stdin,
  stdout,
  stderr,
  env,
  platform,
});
