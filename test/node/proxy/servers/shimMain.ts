/** `callgate mcp` as a process of its own: the folder of the layout first, then the shim's arguments. */
import { layoutFor } from '#home/layout.ts';
import { runShim } from '#node/proxy/shim/shim.ts';
import { judgement } from '../harness.ts';

const [home = '', ...argv] = process.argv.slice(2);
const status = await runShim({
  argv,
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  layout: layoutFor(home),
  judgeAlone: (call) => (JSON.stringify(call.args).includes('danger') ? judgement('refused', 'alone: no') : judgement('delivered')),
});
process.exit(status);
