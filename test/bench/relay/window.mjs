// An editor's window that hears of every entry, in a process of its own as the editor is; what it does with them is not measured.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
const [socketPath, tokenFile, protocol] = process.argv.slice(2);
const socket = connect({ path: socketPath }, () => {
  const token = readFileSync(tokenFile, 'utf8').trim();
  socket.write(`${JSON.stringify({ id: 1, request: 'hello', params: { protocol: Number(protocol), version: 'bench', token } })}\n`);
  process.stdout.write('here\n');
});
socket.on('data', () => undefined);
socket.on('close', () => process.exit());
