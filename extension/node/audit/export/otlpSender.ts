/** OTLP/HTTP: one POST a batch; what may be tried again is what the protocol says (https://opentelemetry.io/docs/specs/otlp/#otlphttp). */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isObject } from '#core/model/json.ts';
import { visibleLine } from '#core/policy/visibleText.ts';
import { errorText } from '#home/privateFile.ts';
import { otlpRequest } from '#node/audit/export/otlpRecord.ts';
import type { Sender, SendResult } from '#node/audit/export/ship.ts';

/** PEM texts. A certificate that cannot be checked is never accepted. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface OtlpTarget {
  /** With its path: `https://collector:4318/v1/logs`. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsFiles;
  readonly timeoutMs: number;
  readonly version: string;
}

const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const MAX_ANSWER_BYTES = 64 * 1024;
const LONGEST_WAIT_MS = 10 * 60_000;

export function otlpSender(target: OtlpTarget): Sender {
  const secure = target.url.protocol === 'https:';
  const agent = secure
    ? new HttpsAgent({ keepAlive: true, maxSockets: 1, ...target.tls, minVersion: 'TLSv1.2' })
    : new HttpAgent({ keepAlive: true, maxSockets: 1 });
  const where = `${target.url.host}${target.url.pathname}`;

  const post = (body: Buffer, signal: AbortSignal): Promise<SendResult> =>
    new Promise((resolve) => {
      const failed = (error: unknown): void =>
        resolve({ kind: 'retry', wait: null, message: `${where} could not be reached (${errorText(error)})` });
      const call = (secure ? httpsRequest : httpRequest)(
        target.url,
        {
          method: 'POST',
          agent,
          signal,
          headers: { ...target.headers, 'content-type': 'application/json', 'content-length': body.length },
        },
        (response) => {
          readAnswer(response).then((answer) => resolve(judged(response, answer, where)), failed);
        },
      );
      // Of the whole exchange, not of silence only: a receiver that drips bytes must not hold us for ever.
      const timer = setTimeout(() => call.destroy(new Error(`no answer within ${target.timeoutMs} ms`)), target.timeoutMs);
      call.once('close', () => clearTimeout(timer));
      call.once('error', failed);
      call.end(body);
    });

  return {
    send: (messages, signal) => post(Buffer.from(otlpRequest(messages, target.version)), signal),
    close: async () => agent.destroy(),
  };
}

/** The beginning of the answer; the rest is not wanted. */
async function readAnswer(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
    else break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function judged(response: IncomingMessage, answer: string, where: string): SendResult {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return partialSuccess(answer);
  const said = visibleLine(answer.trim(), 200);
  const message = `${where} answered ${status}${said === '' ? '' : `: ${said}`}`;
  if (RETRYABLE.has(status)) return { kind: 'retry', wait: retryAfter(response.headers['retry-after']), message };
  if (status === 413) return { kind: 'tooLarge', message };
  if (status >= 300 && status < 400)
    return { kind: 'never', message: `${message}; it redirects, and entries go only where they were sent: give the final address` };
  return { kind: 'never', message };
}

/** Records that a receiver counts as rejected must not be sent again. */
function partialSuccess(answer: string): SendResult {
  let value: unknown = null;
  try {
    value = answer.trim() === '' ? null : JSON.parse(answer);
  } catch {
    // Some receivers answer in words; the status said that it took all of them.
    return { kind: 'taken', refused: 0, message: '' };
  }
  const partial = isObject(value) ? value['partialSuccess'] : null;
  if (partial === undefined || !isObject(partial)) return { kind: 'taken', refused: 0, message: '' };
  const refused = Number(partial['rejectedLogRecords'] ?? 0);
  const message = partial['errorMessage'];
  return {
    kind: 'taken',
    refused: Number.isSafeInteger(refused) && refused > 0 ? refused : 0,
    message: typeof message === 'string' ? visibleLine(message, 300) : '',
  };
}

/** Seconds or a date (RFC 9110 10.2.3) as milliseconds from now; null when it says neither. */
export function retryAfter(value: string | undefined, now: number = Date.now()): number | null {
  if (value === undefined) return null;
  const ms = /^\d{1,9}$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), LONGEST_WAIT_MS) : null;
}
