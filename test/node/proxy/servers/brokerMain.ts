/** A broker that only serves MCP links; calls with "danger" are refused, calls with "hold" wait for ever. */
import { createServer } from 'node:net';
import { ensurePrivateFolder, layoutFor } from '#home/layout.ts';
import { serveMcpLink } from '#node/proxy/mcpLink.ts';
import { judgement } from '../harness.ts';

process.on('SIGTERM', () => process.exit(0));
const layout = layoutFor(process.argv[2] ?? '');
ensurePrivateFolder(layout.root);
ensurePrivateFolder(layout.run);
createServer({ allowHalfOpen: true }, (socket) =>
  serveMcpLink(
    socket,
    (call, { signal, onHeld }) => {
      const text = JSON.stringify(call.args);
      if (text.includes('danger')) return Promise.resolve(judgement('refused', 'broker: no'));
      if (!text.includes('hold')) return Promise.resolve(judgement('delivered'));
      onHeld?.(0);
      return new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          process.stdout.write('freed\n');
          resolve(judgement('refused', 'gone'));
        }),
      );
    },
    (line) => process.stdout.write(`${line}\n`),
  ),
).listen(layout.mcpSocket, () => process.stdout.write('ready\n'));
