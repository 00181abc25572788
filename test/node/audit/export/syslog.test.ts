/** Messages read back by a strict reader of RFC 5424, and real sockets: UDP, TCP and TLS. */
import { createSocket } from 'node:dgram';
import fc from 'fast-check';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { ship } from '#node/audit/export/ship.ts';
import { cutBytes, headerField, syslogMessage, type SyslogStyle } from '#node/audit/export/syslogMessage.ts';
import { octetCounted, syslogSender, type SyslogTarget } from '#node/audit/export/syslogSender.ts';
import { sampleEvent } from '../../../home/journal/sampleEvent.ts';
import { certificate } from './certificate.ts';
import { batchesOf, foundOf, hostileEvent, hostileText, sampleFinding } from './exportBox.ts';

const style: SyslogStyle = { facility: 13, host: 'box', maxBytes: 8192 };

interface Message {
  readonly pri: number;
  readonly header: readonly string[];
  readonly params: Readonly<Record<string, string>>;
  readonly text: string;
}

/** RFC 5424 section 6, strictly. */
function readMessage(message: string): Message {
  const [whole, pri, version, ...header] = /^<(\d{1,3})>(\d) (\S+) (\S+) (\S+) (\S+) (\S+) /.exec(message) ?? [];
  if (whole === undefined || version !== '1') throw new Error('no header');
  const element = /\[([^ =\]"]{1,32})((?: [^ =\]"]{1,32}="(?:\\["\\\]]|[^"\\\]])*")*)\]/y;
  let at = whole.length;
  const params: Record<string, string> = {};
  for (;;) {
    element.lastIndex = at;
    const match = element.exec(message);
    if (match === null) break;
    for (const [, name = '', value = ''] of (match[2] ?? '').matchAll(/ ([^ =\]"]+)="((?:\\.|[^"\\])*)"/g))
      params[name] = value.replace(/\\(.)/g, '$1');
    at = element.lastIndex;
  }
  if (message.slice(at, at + 2) !== ' \ufeff') throw new Error(`no message behind the data: ${message.slice(at, at + 20)}`);
  return { pri: Number(pri), header, params, text: message.slice(at + 2) };
}

test('hostile entries: one line, readable by the letter, never longer than allowed', () => {
  fc.assert(
    fc.property(hostileEvent, fc.constantFrom(480, 2048, 8192), (event, maxBytes) => {
      const { entry } = foundOf(event);
      const message = syslogMessage(entry, { ...style, maxBytes });
      expect(Buffer.byteLength(message)).toBeLessThanOrEqual(maxBytes);
      expect(message).not.toMatch(/[\p{Cc}\p{Cs}]/u);
      const { header, params } = readMessage(message);
      expect(header.slice(1, 3)).toEqual(['box', 'callgate']);
      expect([params['seq'], params['verdict'], params['sequenceId']]).toEqual(['1', entry.verdict, '1']);
      if (maxBytes === 8192) expect(params['hash']).toBe(entry.hash);
    }),
    { numRuns: 500 },
  );
});

test('one message, whole', () => {
  const { entry } = foundOf(sampleEvent({ verdict: 'block', outcome: 'refused', reason: 'say "no" [now]\\', findings: [sampleFinding()] }));
  const { pri, header, params, text } = readMessage(syslogMessage(entry, style));
  expect([pri, header]).toEqual([13 * 8 + 2, ['2026-01-01T00:00:00.001Z', 'box', 'callgate', '77', 'call']]);
  expect(params).toMatchObject({ rules: 'shell.rm-root', severity: 'critical', reason: 'say "no" [now]\\', tool: 'Bash' });
  expect(text).toBe('call Bash: block, refused: Deletes everything: ls -la');
});

test('cut text is whole characters within the bytes; header fields are printable ASCII', () => {
  fc.assert(
    fc.property(hostileText, fc.nat(40), (text, limit) => {
      const made = cutBytes(text.replace(/\p{Cs}/gu, ''), limit + 3);
      expect(Buffer.byteLength(made)).toBeLessThanOrEqual(limit + 3);
      expect(made).not.toContain('\ufffd');
      expect(headerField(text, 32)).toMatch(/^[\x21-\x7e]{1,32}$/);
    }),
  );
});

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Reads octet-counted frames; what does not fit the counting is an error. */
function frames(bytes: Buffer): string[] {
  const out: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(32, at);
    const length = Number(bytes.toString('latin1', at, space));
    if (!Number.isSafeInteger(length) || length === 0) throw new Error('no count');
    if (space + 1 + length > bytes.length) break;
    out.push(bytes.toString('utf8', space + 1, space + 1 + length));
    at = space + 1 + length;
  }
  return out;
}

interface Listener {
  readonly target: SyslogTarget;
  readonly received: () => readonly string[];
  readonly until: (count: number) => Promise<void>;
}

async function streamListener(
  server: Server,
  target: Pick<SyslogTarget, 'transport' | 'tls'>,
  event: 'connection' | 'secureConnection',
  hangUpFirst: number,
): Promise<Listener> {
  const connections: Buffer[] = [];
  let look = (): void => undefined;
  server.on(event, (socket: Socket) => {
    const index = connections.push(Buffer.alloc(0)) - 1;
    closing.push(() => socket.destroy());
    socket.on('error', () => undefined);
    if (index < hangUpFirst) socket.resetAndDestroy();
    socket.on('data', (chunk: Buffer) => {
      connections[index] = Buffer.concat([connections[index] ?? Buffer.alloc(0), chunk]);
      look();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const received = (): readonly string[] => connections.flatMap(frames);
  return {
    target: { ...target, host: '127.0.0.1', port: (server.address() as AddressInfo).port, timeoutMs: 2000 },
    received,
    until: (count) =>
      new Promise((resolve) => {
        look = () => received().length >= count && resolve();
        look();
      }),
  };
}

async function udpListener(): Promise<Listener> {
  const socket = createSocket('udp4');
  const got: string[] = [];
  let look = (): void => undefined;
  socket.on('message', (bytes) => {
    got.push(bytes.toString());
    look();
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  closing.push(() => socket.close());
  return {
    target: { transport: 'udp', tls: {}, host: '127.0.0.1', port: socket.address().port, timeoutMs: 2000 },
    received: () => got,
    until: (count) =>
      new Promise((resolve) => {
        look = () => got.length >= count && resolve();
        look();
      }),
  };
}

function tlsListener(trusted: 'trusted' | 'unknown'): Promise<Listener> {
  const { cert, key, remove } = certificate();
  closing.push(remove);
  return streamListener(
    createTlsServer({ cert, key }),
    { transport: 'tls', tls: trusted === 'trusted' ? { ca: cert } : {} },
    'secureConnection',
    0,
  );
}

async function send(target: SyslogTarget, entries: number): Promise<number> {
  const sender = syslogSender(target);
  try {
    const { sent } = await ship(batchesOf(...Array.from({ length: entries }, () => sampleEvent({ reason: 'zwei\nZeilen é' }))), {
      encode: (entry) => syslogMessage(entry, style),
      sender,
      onReached: () => undefined,
      limit: Number.POSITIVE_INFINITY,
      signal: new AbortController().signal,
      patienceMs: 1500,
      firstPauseMs: 10,
      say: () => undefined,
    });
    return sent;
  } finally {
    await sender.close();
  }
}

const listeners: readonly (readonly [name: string, make: () => Promise<Listener>])[] = [
  ['UDP', udpListener],
  ['TCP', () => streamListener(createServer(), { transport: 'tcp', tls: {} }, 'connection', 0)],
  ['TLS', () => tlsListener('trusted')],
];
test.each(listeners)('%s: every entry arrives as a message of its own', async (_name, make) => {
  const listener = await make();
  expect(await send(listener.target, 40)).toBe(40);
  await listener.until(40);
  expect(listener.received().map((message) => Number(readMessage(message).params['seq']))).toEqual(
    Array.from({ length: 40 }, (_, index) => index + 1),
  );
});

test('TCP: a receiver that hangs up is connected to again, and nothing is lost', async () => {
  const listener = await streamListener(createServer(), { transport: 'tcp', tls: {} }, 'connection', 1);
  // What the system took before the reset was noticed is gone, as syslog goes; a batch that failed comes again.
  await send(listener.target, 5);
  await send(listener.target, 5);
  await listener.until(5);
  expect(listener.received().length).toBeGreaterThanOrEqual(5);
});

test('TLS: a certificate that nobody vouches for is refused', async () => {
  const listener = await tlsListener('unknown');
  await expect(send(listener.target, 1)).rejects.toThrow(/could not be reached \(.*certificate/);
  expect(listener.received()).toEqual([]);
});

test('TCP: nobody listens', async () => {
  const listener = await streamListener(createServer(), { transport: 'tcp', tls: {} }, 'connection', 0);
  await closing.pop()?.();
  await expect(send(listener.target, 1)).rejects.toThrow(/could not be reached/);
});

test('octets are bytes, not characters', () => {
  expect(octetCounted('é').toString()).toBe('2 é');
});
