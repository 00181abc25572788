/** `callgate audit export --format otlp|syslog`: where to, how, from which bookmark on. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { errorText } from '#home/privateFile.ts';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { readBookmark, writeBookmark, type Bookmark } from '#node/audit/export/bookmark.ts';
import { safeJson } from '#node/audit/export/entryText.ts';
import { ExportError } from '#node/audit/export/exportError.ts';
import { otlpRecord } from '#node/audit/export/otlpRecord.ts';
import { otlpSender, type TlsFiles } from '#node/audit/export/otlpSender.ts';
import { ship, type Sender } from '#node/audit/export/ship.ts';
import { syslogMessage } from '#node/audit/export/syslogMessage.ts';
import { syslogSender } from '#node/audit/export/syslogSender.ts';
import { readFiltered, sayingFailures } from '#node/cli/auditAction.ts';
import type { AuditOptions } from '#node/cli/auditOptions.ts';
import { parseSpan } from '#node/cli/auditTime.ts';
import { type CommandHost, print } from '#node/cli/command.ts';

export const SHIP_VALUES = ['to', 'header', 'ca', 'cert', 'key', 'timeout', 'patience', 'bookmark', 'facility', 'max-bytes'] as const;
export const SHIP_USAGE = `  otlp    OpenTelemetry logs: --to https://HOST:4318 [--header 'Name: value']… (or OTEL_EXPORTER_OTLP_ENDPOINT and _HEADERS)
  syslog  RFC 5424: --to udp://HOST:514 | tcp://HOST:601 | tls://HOST:6514 [--facility 13] [--max-bytes N]
          both: [--follow] [--bookmark FILE] [--ca FILE] [--cert FILE --key FILE] [--timeout 10s] [--patience 5m]`;

const DEFAULT_PORT = { udp: 514, tcp: 601, tls: 6514 } as const;
const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_PATIENCE_MS = 5 * 60_000;
const FIRST_PAUSE_MS = 1000;
/** What every receiver of RFC 5424 takes, what it should take, and what a stream commonly takes. */
const [LEAST_BYTES, UDP_BYTES, STREAM_BYTES, MOST_BYTES] = [480, 2048, 8192, 65_000];
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

interface Receiver {
  readonly sender: Sender;
  readonly encode: (entry: AuditEntry) => string;
  readonly name: string;
}

class Usage extends Error {}

export async function shipEntries(
  format: 'otlp' | 'syslog',
  options: AuditOptions,
  host: CommandHost,
  signal: AbortSignal,
  usage: (problem: string) => number,
): Promise<number> {
  const one = (name: (typeof SHIP_VALUES)[number]): string | undefined => options.values.get(name)?.at(-1);
  let receiver: Receiver;
  let patienceMs: number;
  try {
    patienceMs =
      one('patience') === undefined && options.flags.has('follow')
        ? Number.POSITIVE_INFINITY
        : spanOf('patience', one('patience'), DEFAULT_PATIENCE_MS);
    receiver = format === 'otlp' ? otlpReceiver(options, host, one) : syslogReceiver(host, one);
  } catch (error) {
    if (error instanceof Usage) return usage(error.message);
    if (!(error instanceof ExportError)) throw error;
    print(host.stderr, `callgate: ${error.message}`);
    return 1;
  }
  return sayingFailures(host, async () => {
    try {
      return await run(receiver, options, host, signal, patienceMs);
    } finally {
      await receiver.sender.close();
    }
  });
}

async function run(receiver: Receiver, options: AuditOptions, host: CommandHost, signal: AbortSignal, patienceMs: number): Promise<number> {
  const { stdout, stderr, cwd } = host;
  const named = options.values.get('bookmark')?.at(-1);
  const file = named === undefined ? null : resolve(cwd, named);
  let mark: Bookmark = (file === null ? null : readBookmark(file)) ?? { reached: 0, last: null };
  if (file !== null && mark.last !== null) await mustBeThatJournal(file, mark.last, host, signal);
  const until = options.flags.has('follow') ? 'follow' : 'end';
  const { batches, sayProblems } = readFiltered(host, options.filter, {
    order: 'oldest',
    check: 'whole',
    until,
    signal,
    from: mark.reached + 1,
  });
  const shipped = await ship(batches, {
    encode: receiver.encode,
    sender: receiver.sender,
    limit: options.limit ?? Number.POSITIVE_INFINITY,
    signal,
    patienceMs,
    firstPauseMs: FIRST_PAUSE_MS,
    say: (message) => print(stderr, `callgate: ${message}`),
    onReached: (last, reached) => {
      if (file === null || reached <= mark.reached) return;
      mark = { reached, last: last === null ? mark.last : { seq: last.seq, hash: last.hash } };
      writeBookmark(file, mark);
    },
  });
  print(stdout, `${shipped.sent} ${shipped.sent === 1 ? 'entry was' : 'entries were'} sent to ${receiver.name}`);
  return Math.max(sayProblems(), shipped.refused > 0 ? 1 : 0);
}

/** A bookmark of another journal would skip entries nobody has sent. @throws ExportError BOOKMARK */
async function mustBeThatJournal(file: string, last: NonNullable<Bookmark['last']>, host: CommandHost, signal: AbortSignal): Promise<void> {
  const { batches } = readFiltered(host, {}, { order: 'oldest', check: 'whole', until: 'end', signal, from: last.seq });
  for await (const { found } of batches) {
    const entry = found[0]?.entry;
    if (entry === undefined) continue;
    // Expired since: what is left begins behind it.
    if (entry.seq > last.seq || entry.hash === last.hash) return;
    break;
  }
  if (signal.aborted) return;
  throw new ExportError(
    'BOOKMARK',
    `the bookmark ${file} names entry ${last.seq} of another journal; remove it to send all of this one, and run callgate audit verify to see whether entries were taken away`,
  );
}

type One = (name: (typeof SHIP_VALUES)[number]) => string | undefined;

function otlpReceiver(options: AuditOptions, { env, version, stderr, cwd }: CommandHost, one: One): Receiver {
  const given = one('to') ?? env['OTEL_EXPORTER_OTLP_LOGS_ENDPOINT'];
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const text = given ?? (base === undefined ? undefined : `${base.replace(/\/$/, '')}/v1/logs`);
  if (text === undefined) throw new Usage('--to says where, such as https://localhost:4318');
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new Usage(`--to wants an http or https address; not ${JSON.stringify(text)}`);
  if (url.pathname === '/') url.pathname = '/v1/logs';
  const headers = headersFrom(
    options.values.get('header') ?? [],
    env['OTEL_EXPORTER_OTLP_LOGS_HEADERS'] ?? env['OTEL_EXPORTER_OTLP_HEADERS'],
  );
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname))
    print(stderr, `callgate: warning: entries${Object.keys(headers).length > 0 ? ' and headers' : ''} go to ${url.host} unencrypted`);
  const sender = otlpSender({
    url,
    headers,
    tls: tlsFiles(one, cwd),
    timeoutMs: spanOf('timeout', one('timeout'), DEFAULT_TIMEOUT_MS),
    version,
  });
  return { sender, encode: (entry) => safeJson(otlpRecord(entry)), name: `${url.host}${url.pathname}` };
}

/** `Name: value` from the command line over `name=value,name=value` (percent-encoded) from the environment, which `ps` does not show. */
export function headersFrom(given: readonly string[], environment: string | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  const take = (name: string, value: string): void => {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw new Usage(`${JSON.stringify(name)} and its value are no header`);
    headers[name.toLowerCase()] = value;
  };
  for (const pair of (environment ?? '').split(',')) {
    const equals = pair.indexOf('=');
    if (equals > 0) take(pair.slice(0, equals).trim(), decoded(pair.slice(equals + 1).trim()));
  }
  for (const header of given) {
    const colon = header.indexOf(':');
    if (colon < 1) throw new Usage('--header wants "Name: value"');
    take(header.slice(0, colon).trim(), header.slice(colon + 1).trim());
  }
  return headers;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not percent-encoded, as people often write it
  }
}

function syslogReceiver({ stderr, cwd }: CommandHost, one: One): Receiver {
  const text = one('to') ?? '';
  const [, transport, name, , port] = /^(udp|tcp|tls):\/\/(\[[0-9a-f:.]+\]|[\w.-]+)(:(\d{1,5}))?\/?$/i.exec(text) ?? [];
  const kind = transport?.toLowerCase();
  if ((kind !== 'udp' && kind !== 'tcp' && kind !== 'tls') || name === undefined)
    throw new Usage(`--to wants udp://HOST:514, tcp://HOST:601 or tls://HOST:6514${text === '' ? '' : `; not ${JSON.stringify(text)}`}`);
  const facility = numberOf('facility', one('facility') ?? '13', 0, 23);
  const maxBytes = numberOf('max-bytes', one('max-bytes') ?? String(kind === 'udp' ? UDP_BYTES : STREAM_BYTES), LEAST_BYTES, MOST_BYTES);
  const target = { host: name.replace(/^\[|\]$/g, ''), port: numberOf('to', port ?? String(DEFAULT_PORT[kind]), 1, 65_535) };
  if (kind !== 'tls' && !LOOPBACK.test(name)) print(stderr, `callgate: warning: entries go to ${name} unencrypted`);
  const sender = syslogSender({
    ...target,
    transport: kind,
    tls: tlsFiles(one, cwd),
    timeoutMs: spanOf('timeout', one('timeout'), DEFAULT_TIMEOUT_MS),
  });
  const style = { facility, host: hostname(), maxBytes };
  return { sender, encode: (entry) => syslogMessage(entry, style), name: text };
}

function tlsFiles(one: One, cwd: string): TlsFiles {
  const read = (name: 'ca' | 'cert' | 'key'): object => {
    const file = one(name);
    if (file === undefined) return {};
    try {
      return { [name]: readFileSync(resolve(cwd, file), 'utf8') };
    } catch (error) {
      throw new ExportError('TARGET', `${file} cannot be read (${errorText(error)})`, error);
    }
  };
  return { ...read('ca'), ...read('cert'), ...read('key') };
}

function spanOf(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const ms = parseSpan(text);
  if (ms === null || ms === 0) throw new Usage(`--${name} wants a time such as 10s or 5m; not ${JSON.stringify(text)}`);
  return ms;
}

function numberOf(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < least || value > most) throw new Usage(`--${name} wants a number from ${least} to ${most}`);
  return value;
}
