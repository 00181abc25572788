/**
 * Ships entries to a receiver in batches and keeps trying while that is of use. The journal is the queue: one batch is in
 * memory, the reader waits, so a receiver that is down costs nothing but time. A bookmark is written behind what was taken.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { errorText } from '#home/privateFile.ts';
import { ExportError } from '#node/audit/export/exportError.ts';
import type { ReadBatch } from '#node/audit/readJournal.ts';
import type { FoundEntry } from '#node/audit/takeEntries.ts';

/** What became of a batch. `retry` after at least so long, in milliseconds; `wait` null: as the sender thinks best. */
export type SendResult =
  | { readonly kind: 'taken'; readonly refused: number; readonly message: string }
  | { readonly kind: 'retry'; readonly wait: number | null; readonly message: string }
  /** Too much at once; smaller batches may be taken. */
  | { readonly kind: 'tooLarge'; readonly message: string }
  | { readonly kind: 'never'; readonly message: string };

export interface Sender {
  /** Resolves, never rejects, but for a signal that ends everything. */
  readonly send: (messages: readonly string[], signal: AbortSignal) => Promise<SendResult>;
  readonly close: () => Promise<void>;
}

export interface ShipOptions {
  readonly encode: (entry: AuditEntry) => string;
  readonly sender: Sender;
  /** Called once all entries up to this one were taken. */
  readonly onReached: (last: { readonly seq: number; readonly hash: string } | null, reached: number) => void;
  readonly limit: number;
  readonly signal: AbortSignal;
  /** How long one batch is tried before giving up, in milliseconds. */
  readonly patienceMs: number;
  /** First pause between two tries; doubled each time up to thirty seconds. */
  readonly firstPauseMs: number;
  readonly say: (message: string) => void;
}

export interface Shipped {
  readonly sent: number;
  /** Of these the receiver said that it did not take them. */
  readonly refused: number;
}

const MAX_BATCH = 512;
/** Collectors commonly take 4 MiB or more; characters, so at most three times that in bytes. */
const MAX_BATCH_CHARACTERS = 1024 * 1024;
const LONGEST_PAUSE_MS = 30_000;

/** @throws ExportError UNREACHABLE, REJECTED; JournalError. Aborting ends it quietly behind the last batch that was taken. */
export async function ship(batches: AsyncIterable<ReadBatch>, options: ShipOptions): Promise<Shipped> {
  let sent = 0;
  let refused = 0;
  for await (const { found, reached } of batches) {
    const wanted = found.slice(0, options.limit - sent);
    for (const part of parts(wanted, options.encode)) {
      const result = await sendAll(part.messages, options);
      if (result === null) return { sent, refused };
      sent += part.messages.length;
      refused += result;
      options.onReached(part.last, part.last.seq);
    }
    if (options.signal.aborted || sent >= options.limit) break;
    // Behind the last wanted entry others were read: the next start need not read them again.
    options.onReached(null, reached);
  }
  return { sent, refused };
}

interface Part {
  readonly messages: readonly string[];
  readonly last: AuditEntry;
}

function* parts(found: readonly FoundEntry[], encode: (entry: AuditEntry) => string): Generator<Part, void, void> {
  let messages: string[] = [];
  let characters = 0;
  let last: AuditEntry | null = null;
  for (const { entry } of found) {
    const message = encode(entry);
    if (last !== null && (messages.length === MAX_BATCH || characters + message.length > MAX_BATCH_CHARACTERS)) {
      yield { messages, last };
      messages = [];
      characters = 0;
    }
    messages.push(message);
    characters += message.length;
    last = entry;
  }
  if (last !== null && messages.length > 0) yield { messages, last };
}

/** How many were refused; null when it was aborted. */
async function sendAll(messages: readonly string[], options: ShipOptions): Promise<number | null> {
  const { sender, signal, say } = options;
  const began = performance.now();
  let pause = options.firstPauseMs;
  for (let attempt = 1; ; attempt += 1) {
    if (signal.aborted) return null;
    const result = await sender.send(messages, signal);
    switch (result.kind) {
      case 'taken':
        if (result.message !== '')
          say(result.refused > 0 ? `${result.refused} of ${messages.length} entries were refused: ${result.message}` : result.message);
        return result.refused;
      case 'never':
        throw new ExportError('REJECTED', result.message);
      case 'tooLarge': {
        if (messages.length === 1) throw new ExportError('REJECTED', `${result.message}; one entry alone is too large for it`);
        const half = Math.ceil(messages.length / 2);
        const first = await sendAll(messages.slice(0, half), options);
        const second = first === null ? null : await sendAll(messages.slice(half), options);
        return first === null || second === null ? null : first + second;
      }
      case 'retry': {
        if (signal.aborted) return null;
        // Not all at the same moment when many wait for the same receiver.
        const next = Math.max(result.wait ?? 0, pause * (0.75 + Math.random() / 2));
        if (performance.now() - began + next > options.patienceMs)
          throw new ExportError('UNREACHABLE', `${result.message}; given up after ${attempt} ${attempt === 1 ? 'try' : 'tries'}`);
        say(`${result.message}; trying again in ${(next / 1000).toFixed(1)} s`);
        await sleep(next, signal);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw new ExportError('IO', errorText(error), error);
  }
}
