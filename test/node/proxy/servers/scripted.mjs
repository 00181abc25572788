// A stdio MCP server without dependencies that misbehaves as its first argument says.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { closeSync, writeFileSync } from 'node:fs';

const [mode = 'plain', pidFile = ''] = process.argv.slice(2);
const send = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

if (mode === 'child') {
  // A grandchild that ignores the polite signal, as build tools and browsers do.
  const child = spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); process.send?.('up')"], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', () => writeFileSync(pidFile, `${process.pid} ${child.pid}`));
} else if (mode === 'daemon') {
  // A session of its own, as browsers and build daemons have; it has a child itself.
  const daemon =
    "const c = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' }); process.send(c.pid); process.disconnect(); process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)";
  const child = spawn(process.execPath, ['-e', daemon], { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  child.unref();
  child.on('message', (grandchild) => writeFileSync(pidFile, `${process.pid} ${child.pid} ${Number(grandchild)}`));
} else if (pidFile) writeFileSync(pidFile, `${process.pid}`);
if (mode === 'deaf') {
  process.on('SIGTERM', () => undefined);
  setInterval(() => undefined, 1000);
}
if (mode === 'die') {
  process.stderr.write('first line\nmodule "x" is missing\n');
  process.exit(3);
}
if (mode === 'loud') {
  process.stderr.write('a word on stderr\n');
  process.stdout.write(`\u0002${Buffer.from('forged').toString('base64')}\n`);
}
if (mode === 'noise') process.stdout.write('Listening on stdio…\n{"half":\n\n');
if (mode === 'flood') for (let turn = 0; turn < 200; turn++) process.stderr.write(`${'e'.repeat(10_000)} ${turn}\n`);
if (mode === 'halfClosed') closeSync(0);
if (mode === 'mute') closeSync(1);

const answer = (message) => {
  const { id, method, params } = message;
  if (id === undefined || method === undefined) return;
  const ok = (result) => send({ jsonrpc: '2.0', id, result });
  if (method === 'initialize')
    ok({ protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'scripted', version: '1.0.0' } });
  else if (method === 'tools/list') ok({ tools: [{ name: 'echo', description: 'Echo text', inputSchema: { type: 'object' } }] });
  else if (method === 'tools/call') {
    if (mode === 'crash') process.kill(process.pid, 'SIGKILL');
    else if (mode === 'hang') return;
    else if (params.name === 'env')
      ok({ content: [{ type: 'text', text: JSON.stringify({ env: process.env, cwd: process.cwd(), argv: process.argv.slice(3) }) }] });
    else if (params.name === 'huge') ok({ content: [{ type: 'text', text: 'h'.repeat(params.arguments.size) }] });
    else if (params.name === 'exitAfter')
      process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'last words' }] } })}\n`, () =>
        process.exit(0),
      );
    else ok({ content: [{ type: 'text', text: `ECHO:${params.arguments?.text ?? ''}` }] });
  } else send({ jsonrpc: '2.0', id, error: { code: -32601, message: 'no such method' } });
};

const begin = () => {
  if (mode === 'halfClosed' || mode === 'mute') {
    setInterval(() => undefined, 1000);
    return;
  }
  createInterface({ input: process.stdin })
    .on('line', (line) => answer(JSON.parse(line)))
    .on('close', () => {
      if (mode !== 'deaf' && mode !== 'child') process.exit(0);
    });
};
if (mode === 'slow') setTimeout(begin, 400);
else begin();
