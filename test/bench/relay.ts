/**
 * What the MCP relay adds to a call of about 1 KB whose answer is as long, on the clock of a client over standard streams.
 * All ways are open at once and take turns in blocks, so that a noisy machine harms them alike.
 *
 *   node test/bench/relay.ts [--json] [--rounds=8] [--calls=100000]
 *
 * direct       the client starts the server itself
 * passthrough  a Node process between them that hands bytes on and reads none
 * relay        Callgate's entry with a broker: call and result are judged and recorded, on the disk, before they go on
 * peer         mcp-proxy from npm, which makes Streamable HTTP of a stdio server and judges nothing
 *
 * Behind the dash: how many calls are under way at a time. `--calls` is for the row `memory`: resident memory of the broker before and
 * after so many calls, 64 under way, and how many of them a second: the record's index is then kept up too.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PROTOCOL_VERSION } from '#contract/ipc.ts';
import { ensureServers } from '../kit/setup.mjs';
import { installGate, journalEntries, serve } from '#kit/agentsGate.ts';
import { sandbox, sandboxEnvironment } from '#kit/sandbox.ts';
import { httpCaller, stdioCaller, type Caller } from './relay/callers.ts';

const WAYS = ['direct', 'passthrough', 'relay', 'peer'] as const;
type Way = (typeof WAYS)[number];
const UNDER_WAY = [1, 8, 64] as const;
/** Long enough for a group of calls to be recorded together, short enough that many blocks fit. */
const BLOCK_CALLS = { 1: 300, 8: 1200, 64: 3000 } as const;
const WARM_UP_ROUNDS = 2;

interface Row {
  readonly name: string;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

async function main(args: readonly string[]): Promise<void> {
  const number = (name: string, usual: number): number =>
    Number(args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? usual);
  const rounds = number('rounds', 8);
  const calls = number('calls', 100_000);
  const box = sandbox();
  await installGate(box);
  const broker = await serve(box);
  const window = spawn(
    process.execPath,
    [join(import.meta.dirname, 'relay', 'window.mjs'), box.layout.windowSocket, box.layout.windowToken, String(PROTOCOL_VERSION)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(window.stdout, 'data');
  // The set-up's own window would read every entry on the clock of the client.
  broker.window.close();
  const folder = await ensureServers();
  const env = sandboxEnvironment(box);
  const echo = [process.execPath, join(import.meta.dirname, 'relay', 'echoServer.mjs')] as const;
  const port = await freePort();
  const callers: Record<Way, Caller> = {
    direct: await stdioCaller(echo[0], [echo[1]], env, box.work),
    passthrough: await stdioCaller(process.execPath, [join(import.meta.dirname, 'relay', 'passThrough.mjs'), ...echo], env, box.work),
    relay: await stdioCaller(join(box.layout.bin, 'callgate-mcp'), ['--server', 'echo', '--', ...echo], env, box.work),
    peer: await httpCaller(
      process.execPath,
      [
        join(folder, 'node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs'),
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
        '--server',
        'stream',
        ...echo,
      ],
      env,
      box.work,
      `http://127.0.0.1:${port}/mcp`,
    ),
  };
  try {
    const times = new Map<string, { readonly ms: number[]; spent: number }>();
    for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
      for (const many of UNDER_WAY) {
        for (const way of WAYS) {
          const block = await keepUnderWay(callers[way], many, BLOCK_CALLS[many]);
          if (round < 0) continue;
          const row = times.get(`${way}-${many}`) ?? { ms: [], spent: 0 };
          row.ms.push(...block.ms);
          row.spent += block.spent;
          times.set(`${way}-${many}`, row);
        }
      }
    }
    const rows = [...times].map(([name, { ms, spent }]): Row => {
      const sorted = Float64Array.from(ms).sort();
      const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
      return { name, p50: at(0.5), p99: at(0.99), perSecond: (sorted.length / spent) * 1000 };
    });
    // A relay that let calls past the gate would be quicker still.
    const made = (rounds + WARM_UP_ROUNDS) * UNDER_WAY.reduce<number>((sum, many) => sum + BLOCK_CALLS[many], 0);
    const recorded = journalEntries(box).at(-1)?.seq ?? 0;
    if (recorded < 2 * made)
      throw new Error(`${made} calls were relayed, and only ${recorded} decisions about them and their results recorded`);
    const before = residentMegabytes(broker.pid);
    const { spent } = await keepUnderWay(callers.relay, 64, calls);
    const memory = { before, after: residentMegabytes(broker.pid), calls, perSecond: calls === 0 ? 0 : (calls / spent) * 1000 };
    console.log(args.includes('--json') ? JSON.stringify({ bench: 'relay', rows, memory }) : table(rows, memory));
  } finally {
    for (const caller of Object.values(callers)) await caller.close();
    await broker.stop();
    window.kill();
    box.remove();
  }
}

async function keepUnderWay(
  caller: Caller,
  many: number,
  calls: number,
): Promise<{ readonly ms: readonly number[]; readonly spent: number }> {
  const ms: number[] = [];
  const began = performance.now();
  let left = calls;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      ms.push(await caller.call());
    }
  };
  await Promise.all(Array.from({ length: many }, worker));
  return { ms, spent: performance.now() - began };
}

/** Linux tells it; elsewhere it is not measured. */
function residentMegabytes(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? null : Math.round(Number(kilobytes) / 1024);
  } catch {
    return null; // no /proc here
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function table(
  rows: readonly Row[],
  memory: { readonly before: number | null; readonly after: number | null; readonly calls: number; readonly perSecond: number },
): string {
  const lines = ['way-calls under way      p50      p99   calls/s   added p50   added p99'];
  for (const { name, p50, p99, perSecond } of [...rows].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))) {
    const base = rows.find((row) => row.name === name.replace(/^\w+/, 'direct'));
    const cell = (value: number, width: number): string => value.toFixed(3).padStart(width);
    lines.push(
      `${name.padEnd(20)} ${cell(p50, 8)} ${cell(p99, 8)} ${String(Math.round(perSecond)).padStart(9)} ${cell(p50 - (base?.p50 ?? 0), 11)} ${cell(p99 - (base?.p99 ?? 0), 11)}`,
    );
  }
  lines.push(
    `broker's memory: ${memory.before} MB, after ${memory.calls} calls more (${Math.round(memory.perSecond)}/s) ${memory.after} MB`,
  );
  return lines.join('\n');
}

await main(process.argv.slice(2));
