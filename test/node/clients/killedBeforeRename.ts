/** A process of its own that gets as far as the rename and waits there to be killed: `node killedBeforeRename.ts <home>`. */
import { writeSync } from 'node:fs';
import { layoutFor } from '#home/layout.ts';
import { applyPlan } from '#node/clients/applyPlan.ts';
import { WRITE_STEPS } from '#node/clients/configFile.ts';
import { type ClientContext, planProtect } from '#node/clients/planChange.ts';

const home = process.argv[2] ?? '';
const context: ClientContext = {
  home,
  layout: layoutFor(home),
  platform: 'linux',
  env: {},
  workspaceFolders: [],
  launcher: { hookCommand: () => '/x/.callgate/bin/hook', mcpCommand: '/x/.callgate/bin/callgate-mcp' },
};
applyPlan(planProtect('claude', context), context, {
  ...WRITE_STEPS,
  written: () => {
    writeSync(1, 'ready\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
  },
});
