/** Shipping to a real HTTP collector on this machine that answers as the row says. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { safeJson } from '#node/audit/export/entryText.ts';
import { otlpRecord } from '#node/audit/export/otlpRecord.ts';
import { otlpSender, retryAfter } from '#node/audit/export/otlpSender.ts';
import { ship, type ShipOptions, type Shipped } from '#node/audit/export/ship.ts';
import { sampleEvent } from '../../../home/journal/sampleEvent.ts';
import { batchesOf, foundOf, sampleFinding } from './exportBox.ts';

interface Request {
  readonly headers: IncomingMessage['headers'];
  readonly path: string;
  readonly seqs: readonly string[];
}
type Answer = (response: ServerResponse) => void;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Answers the requests in turn, the last answer to all further ones. */
async function collector(...answers: readonly Answer[]): Promise<{ url: URL; requests: Request[] }> {
  const requests: Request[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as {
        resourceLogs: { scopeLogs: { logRecords: { attributes: { key: string; value: { intValue?: string } }[] }[] }[] }[];
      };
      const records = body.resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords));
      const seqs = records.map(({ attributes }) => attributes.find(({ key }) => key === 'callgate.seq')?.value.intValue ?? '');
      requests.push({ headers: request.headers, path: request.url ?? '', seqs });
      (answers[Math.min(requests.length, answers.length) - 1] as Answer)(response);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`), requests };
}

const answer =
  (status: number, body = '{}', headers: Readonly<Record<string, string>> = {}): Answer =>
  (response) =>
    void response.writeHead(status, headers).end(body);
const ok = answer(200);
const silence: Answer = () => undefined;
const hangUp: Answer = (response) => void response.destroy();

interface Sent extends Shipped {
  readonly said: readonly string[];
  readonly reached: readonly number[];
}

async function send(url: URL, entries: number, changes: Partial<ShipOptions> = {}): Promise<Sent> {
  const said: string[] = [];
  const reached: number[] = [];
  const sender = otlpSender({ url, headers: { 'x-token': 'abc' }, tls: {}, timeoutMs: 300, version: '1' });
  try {
    const events = Array.from({ length: entries }, () => sampleEvent());
    const shipped = await ship(batchesOf(...events), {
      encode: (entry) => safeJson(otlpRecord(entry)),
      sender,
      onReached: (_, seq) => reached.push(seq),
      limit: Number.POSITIVE_INFINITY,
      signal: new AbortController().signal,
      patienceMs: 3000,
      firstPauseMs: 10,
      say: (message) => said.push(message),
      ...changes,
    });
    return { ...shipped, said, reached };
  } finally {
    await sender.close();
  }
}

const rows: readonly (readonly [name: string, answers: readonly Answer[], tries: number, refused: number, said: RegExp])[] = [
  ['taken at once', [ok], 1, 0, /^$/],
  ['an answer that is not JSON', [answer(200, 'OK')], 1, 0, /^$/],
  [
    '429 with Retry-After, then taken',
    [answer(429, 'slow down', { 'retry-after': '0' }), ok],
    2,
    0,
    /answered 429: slow down; trying again/,
  ],
  ['503 twice, then taken', [answer(503), answer(503), ok], 3, 0, /answered 503/],
  ['no answer in time, then taken', [silence, ok], 2, 0, /no answer within 300 ms/],
  ['the connection is cut, then taken', [hangUp, ok], 2, 0, /could not be reached/],
  [
    'partial success is not sent again, and counted',
    [answer(200, '{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}')],
    1,
    2,
    /^2 of 3 entries were refused: too old$/,
  ],
  ['a warning with all taken', [answer(200, '{"partialSuccess":{"errorMessage":"upgrade soon"}}')], 1, 0, /^upgrade soon$/],
];
test.each(rows)('%s', async (_name, answers, tries, refused, said) => {
  const { url, requests } = await collector(...answers);
  const sent = await send(url, 3);
  expect(sent).toMatchObject({ sent: 3, refused, reached: [3, 3] });
  expect(sent.said.join('\n')).toMatch(said);
  expect(requests.map(({ seqs }) => seqs)).toEqual(Array.from({ length: tries }, () => ['1', '2', '3']));
  expect(requests[0]).toMatchObject({ path: '/v1/logs', headers: { 'content-type': 'application/json', 'x-token': 'abc' } });
});

const refusals: readonly (readonly [name: string, answer: Answer, message: RegExp])[] = [
  ['401', answer(401, 'no token'), /answered 401: no token/],
  ['400', answer(400), /answered 400/],
  ['500, which the protocol does not let be tried again', answer(500), /answered 500/],
  ['a redirect', answer(302, '', { location: 'http://127.0.0.1:9/' }), /redirects.*final address/],
];
test.each(refusals)('%s ends it at once, and nothing is marked as sent', async (_name, given, message) => {
  const { url, requests } = await collector(given);
  const reached: number[] = [];
  await expect(send(url, 3, { onReached: (_, seq) => reached.push(seq) })).rejects.toThrow(message);
  expect([requests.length, reached]).toEqual([1, []]);
});

test('patience ends, with the number of tries', async () => {
  const { url, requests } = await collector(answer(503));
  await expect(send(url, 1, { patienceMs: 200 })).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message: expect.stringMatching(/given up after \d+ tries/) as string,
  });
  expect(requests.length).toBeGreaterThan(1);
});

test('a batch that is too large is halved until it is taken, in order', async () => {
  const { url, requests } = await collector(answer(413), answer(413), ok);
  expect(await send(url, 4)).toMatchObject({ sent: 4, refused: 0 });
  expect(requests.map(({ seqs }) => seqs.join())).toEqual(['1,2,3,4', '1,2', '1', '2', '3,4']);
});

test('one batch is in flight and no more than 512 entries are in it', async () => {
  const { url, requests } = await collector(ok);
  await send(url, 1200);
  expect(requests.map(({ seqs }) => seqs.length)).toEqual([512, 512, 176]);
});

test('interrupted while it waits it ends quietly, and what was not taken is not marked', async () => {
  const { url } = await collector(answer(503, '', { 'retry-after': '60' }));
  const ending = new AbortController();
  const sent = send(url, 2, { signal: ending.signal, patienceMs: 1e9, say: () => ending.abort() });
  expect(await sent).toMatchObject({ sent: 0, reached: [] });
});

test('nobody listens', async () => {
  const { url } = await collector(ok);
  servers.splice(0).forEach((server) => server.close());
  await expect(send(url, 1, { patienceMs: 100 })).rejects.toThrow(/could not be reached/);
});

test.each([
  ['5', 5000],
  ['Thu, 01 Jan 2026 00:00:10 GMT', 10_000],
  ['Thu, 01 Jan 2025 00:00:10 GMT', 0],
  ['99999999', 600_000],
  ['soon', null],
  [undefined, null],
])('Retry-After %j is %j ms', (value, ms) => {
  expect(retryAfter(value, Date.UTC(2026, 0, 1))).toBe(ms);
});

test('a record, whole', () => {
  const event = sampleEvent({
    call: '0c7e1a52-9f1b-4d0e-8a63-1f2e3d4c5b6a',
    verdict: 'block',
    outcome: 'refused',
    findings: [sampleFinding()],
  });
  const record = otlpRecord(foundOf(event).entry) as { attributes: readonly { key: string; value: object }[] };
  expect(record).toMatchObject({
    timeUnixNano: '1767225600001000000',
    severityNumber: 18,
    severityText: 'ERROR2',
    eventName: 'callgate.call',
    body: { stringValue: 'call Bash: block, refused: Deletes everything' },
    traceId: '0c7e1a529f1b4d0e8a631f2e3d4c5b6a',
  });
  const value = (key: string): object | undefined => record.attributes.find((item) => item.key === key)?.value;
  expect([value('callgate.rules'), value('callgate.took_ms'), value('callgate.server')]).toEqual([
    { arrayValue: { values: [{ stringValue: 'shell.rm-root' }] } },
    { doubleValue: 1.25 },
    undefined,
  ]);
  expect(otlpRecord(foundOf(sampleEvent({ call: 'c-1' })).entry)).not.toHaveProperty('traceId');
});
