/** `callgate audit export --follow` in a process of its own, shipping what is appended meanwhile to real receivers on this machine. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { openJournal } from '#home/journal/journal.ts';
import type { Layout } from '#home/layout.ts';
import { emptyLayout } from '../../../home/journal/journalBox.ts';
import { sampleEvent } from '../../../home/journal/sampleEvent.ts';
import { certificate, type Certificate } from './certificate.ts';

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

interface Receiver {
  readonly to: string;
  readonly seqs: number[];
}

async function port(server: Server | HttpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

const SEQ = { otlp: /"callgate\.seq","value":\{"intValue":"(\d+)"/g, syslog: /\bseq="(\d+)"/g } as const;
const take = (seqs: number[], text: string, format: keyof typeof SEQ): void =>
  void seqs.push(...[...text.matchAll(SEQ[format])].map((match) => Number(match[1])));

async function collector(tls: Certificate | null): Promise<Receiver> {
  const seqs: number[] = [];
  const answer: RequestListener = (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      take(seqs, body, 'otlp');
      response.end('{}');
    });
  };
  const server = tls === null ? createHttpServer(answer) : createHttpsServer({ cert: tls.cert, key: tls.key }, answer);
  closing.push(() => server.closeAllConnections());
  return { to: `http${tls === null ? '' : 's'}://127.0.0.1:${await port(server)}`, seqs };
}

async function syslogd(tls: Certificate | null): Promise<Receiver> {
  const seqs: number[] = [];
  const hear = (socket: Socket): void => {
    let rest = '';
    closing.push(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      rest += chunk;
      // Octet counting, so a byte must be one character: only a message that is there as a whole is taken.
      for (let size = /^(\d+) /.exec(rest); size !== null && rest.length >= size[0].length + Number(size[1]); size = /^(\d+) /.exec(rest)) {
        take(seqs, rest.slice(0, size[0].length + Number(size[1])), 'syslog');
        rest = rest.slice(size[0].length + Number(size[1]));
      }
    });
  };
  const server = tls === null ? createTcpServer(hear) : createTlsServer({ cert: tls.cert, key: tls.key }, hear);
  return { to: `${tls === null ? 'tcp' : 'tls'}://127.0.0.1:${await port(server)}`, seqs };
}

function append(layout: Layout, count: number): void {
  const journal = openJournal(layout, { segmentBytes: 4000 });
  for (let index = 0; index < count; index += 1) journal.append([sampleEvent()]);
  journal.close();
}

interface Shipping {
  readonly child: ChildProcess;
  readonly errors: () => string;
  readonly ended: Promise<unknown>;
}

function exporting(layout: Layout, words: readonly string[], env: Readonly<Record<string, string>>): Shipping {
  const program = join(import.meta.dirname, 'exportProgram.ts');
  const child = spawn(process.execPath, [program, layout.home, 'audit', 'export', ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: layout.home,
    env: { ...process.env, ...env },
  });
  closing.push(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  return { child, errors: () => errors, ended: new Promise((resolve) => child.once('close', resolve)) };
}

type Trust = '--ca' | 'NODE_EXTRA_CA_CERTS' | 'nobody' | 'plain';
const rows: readonly (readonly [format: 'otlp' | 'syslog', trust: Trust])[] = [
  ['otlp', 'plain'],
  ['otlp', '--ca'],
  ['otlp', 'NODE_EXTRA_CA_CERTS'],
  ['otlp', 'nobody'],
  ['syslog', 'plain'],
  ['syslog', '--ca'],
  ['syslog', 'NODE_EXTRA_CA_CERTS'],
  ['syslog', 'nobody'],
];
test.each(rows)(
  '%s, trusted by %s: what is there and what is appended meanwhile arrives, each once and in order',
  async (format, trust) => {
    const tls = trust === 'plain' ? null : certificate();
    if (tls !== null) closing.push(tls.remove);
    const { to, seqs } = await (format === 'otlp' ? collector(tls) : syslogd(tls));
    const layout = emptyLayout();
    append(layout, 3);
    const words = ['--format', format, '--to', to, '--bookmark', 'mark', ...(trust === '--ca' && tls !== null ? ['--ca', tls.file] : [])];
    const env: Readonly<Record<string, string>> = trust === 'NODE_EXTRA_CA_CERTS' && tls !== null ? { NODE_EXTRA_CA_CERTS: tls.file } : {};
    if (trust === 'nobody') {
      const { ended, errors } = exporting(layout, [...words, '--patience', '1s'], env);
      expect([await ended, seqs]).toEqual([1, []]);
      expect(errors()).toMatch(/certificate/);
      return;
    }
    const { child, ended, errors } = exporting(layout, [...words, '--follow'], env);
    await expect.poll(() => seqs, { timeout: 15_000 }).toEqual([1, 2, 3]);
    append(layout, 20);
    await expect.poll(() => seqs.length, { timeout: 15_000 }).toBe(23);
    child.kill('SIGTERM');
    expect([await ended, errors()]).toEqual([0, '']);
    append(layout, 2);
    // The bookmark goes on where the first one was ended.
    const again = exporting(layout, words, env);
    expect([await again.ended, again.errors()]).toEqual([0, '']);
    await expect.poll(() => seqs).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
  },
  60_000,
);
