/** Looks at a home and a workspace in a process of its own, which a test can end: `node lookAt.ts <home> <workspace>`. */
import { layoutFor } from '#home/layout.ts';
import { discover } from '#node/clients/discover.ts';

const [home = '', workspace = ''] = process.argv.slice(2);
const found = discover({
  home,
  platform: 'linux',
  env: { PATH: '' },
  workspaceFolders: [workspace],
  launcher: { hookCommand: () => layoutFor(home).bin, mcpCommand: '/x/.callgate/bin/callgate-mcp' },
});
console.log(JSON.stringify(Object.fromEntries(found.map(({ id, state }) => [id, state]))));
