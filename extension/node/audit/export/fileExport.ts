/** Writes an export to a stream or a file: never more in memory than one block, never half a file under the chosen name. */
import { randomBytes } from 'node:crypto';
import { createWriteStream, renameSync, statSync, unlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { errorCode, errorText } from '#home/privateFile.ts';
import type { Encoder } from '#node/audit/export/encoderShape.ts';
import { ExportError } from '#node/audit/export/exportError.ts';
import type { ReadBatch } from '#node/audit/readJournal.ts';

export interface ExportProgress {
  /** 0 to 1 of the journal's bytes. */
  readonly progress: number;
  /** Entries written so far. */
  readonly entries: number;
}

export interface ExportOptions {
  readonly limit: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExportProgress) => void;
}

/** False once nobody reads any more: what was begun is then left. */
export function writeWithPatience(out: Writable, text: string): Promise<boolean> {
  if (out.destroyed || out.writableEnded) return Promise.resolve(false);
  if (text === '' || out.write(text)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (answer: boolean) => (): void => {
      out.off('drain', onDrain);
      out.off('close', onClose);
      resolve(answer);
    };
    const onDrain = settle(true);
    const onClose = settle(false);
    out.once('drain', onDrain);
    out.once('close', onClose);
  });
}

/** Entries written. A reader that stops ends it without an error. @throws ExportError CANCELLED, JournalError */
export async function exportToStream(
  batches: AsyncIterable<ReadBatch>,
  encoder: Encoder,
  out: Writable,
  { limit, signal, onProgress }: ExportOptions,
): Promise<number> {
  let entries = 0;
  let wanted = await writeWithPatience(out, encoder.begin());
  for await (const { found, progress } of batches) {
    if (signal.aborted) throw new ExportError('CANCELLED', 'the export was cancelled; nothing is left of it');
    const taken = found.slice(0, limit - entries);
    let text = '';
    for (const item of taken) text += encoder.entry(item);
    entries += taken.length;
    wanted = wanted && (await writeWithPatience(out, text));
    onProgress({ progress, entries });
    if (!wanted || entries >= limit) break;
  }
  if (signal.aborted) throw new ExportError('CANCELLED', 'the export was cancelled; nothing is left of it');
  if (wanted) await writeWithPatience(out, encoder.end());
  return entries;
}

/**
 * Writes beside `file` first and renames when all of it is on the disk; a failure or cancelling leaves `file` as it was.
 * The new file is 0600. @throws ExportError CANCELLED, TARGET, IO; JournalError
 */
export async function exportToFile(
  batches: AsyncIterable<ReadBatch>,
  encoder: Encoder,
  file: string,
  options: ExportOptions,
): Promise<number> {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new ExportError('TARGET', `${file} is a folder; name a file in it`);
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.part`);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      const out = createWriteStream(temporary, { fd: handle.fd, autoClose: false, highWaterMark: 1024 * 1024 });
      const failed = new Promise<never>((_, reject) => out.once('error', reject));
      // Settled by whichever of the two comes first; the other must not be an unhandled one.
      failed.catch(() => undefined);
      const entries = await Promise.race([failed, exportToStream(batches, encoder, out, options)]);
      await Promise.race([failed, new Promise<void>((resolve) => out.end(resolve))]);
      await handle.sync();
      await handle.close();
      renameSync(temporary, file);
      return entries;
    } catch (error) {
      await handle.close().catch(() => undefined);
      throw error;
    }
  } catch (error) {
    removeQuietly(temporary);
    if (error instanceof ExportError || (error instanceof Error && error.name === 'JournalError')) throw error;
    throw new ExportError('IO', `${file} could not be written (${errorText(error)}); ${mendFor(error)}`, error);
  }
}

function removeQuietly(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    // Never made, or on a disk that is gone: the failure that led here is the one to tell.
    if (errorCode(error) !== 'ENOENT') return;
  }
}

function mendFor(error: unknown): string {
  switch (errorCode(error)) {
    case 'ENOENT':
      return 'make its folder, then try again';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'choose a folder you may write to';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'free some space on that disk, or narrow the export with a filter';
    default:
      return 'look at the disk, then try again';
  }
}
