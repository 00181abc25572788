/** The compiled rules beside the running bundle, or the last good copy of them. */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { linesOf, openRulePack, parseRulePack } from '#core/detect/packFile.ts';
import type { RulePack } from '#core/detect/rulePack.ts';
import type { Layout } from '#home/layout.ts';
import { errorText, readBounded, READ_WITHOUT_WAITING, writePrivate } from '#home/privateFile.ts';

const MAX_RULES_BYTES = 32 * 1024 * 1024;

export interface LoadedRules {
  /** Null: neither the installed rules nor a last good copy can be used. */
  readonly pack: RulePack | null;
  /** What is wrong, where, and what to do; null when the installed rules are in use. */
  readonly problem: string | null;
  /** Whether a rule was since found to be another than the one that was checked: what this pack says counts no more. */
  readonly damaged: () => boolean;
}

export const lastGoodRules = (layout: Layout): string => join(layout.root, 'rules.last-good.json');

/**
 * What tells the rules of a file whose shape was checked: `<its bytes> <those of its head> <SHA-256 of these, hex> <the
 * start of each line's SHA-256, in base64, without anything between>`. `text` is one of `writeRulePack`.
 */
export function checkOf(text: string): string {
  const { head, spans } = linesOf(text);
  const bytes = Buffer.from(text, 'latin1');
  return `${bytes.length} ${head} ${sha256(bytes.subarray(0, head)).toString('hex')} ${spans.map(([from, to]) => lineCheck(bytes.subarray(from, to))).join('')}`;
}

/** Six bytes: an accident does not hit them, and who can write this file can as well write the program beside it. */
const LINE_CHECK_BYTES = 6;
const LINE_CHECK = (LINE_CHECK_BYTES / 3) * 4;
const lineCheck = (bytes: Uint8Array): string => sha256(bytes).toString('base64', 0, LINE_CHECK_BYTES);
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/**
 * Never fails. Reads files only; `keepLastGood` is for the installer and the broker.
 * `checked` is `checkOf` the rules whose shape was checked when this program was built: of a file of exactly these bytes
 * only the head is read, and then the rules that a call needs, whose shape is not checked again. The file stays open then,
 * so it is for a process that lives for one call.
 */
export function loadRules(layout: Layout, rulesFile: string, checked = ''): LoadedRules {
  const known = checked === '' ? null : openChecked(rulesFile, checked);
  if (known !== null) return { ...known, problem: null };
  const damaged = (): boolean => false;
  const installed = tryRules(rulesFile);
  if (installed.pack) return { pack: installed.pack, problem: null, damaged };
  const copy = tryRules(lastGoodRules(layout));
  const mend = 'Reinstall the Callgate extension or open the editor once to mend it.';
  if (copy.pack) return { pack: copy.pack, problem: `${installed.problem} The last good rules are in use. ${mend}`, damaged };
  return { pack: null, problem: `${installed.problem} ${mend}`, damaged };
}

/** Null when the file is another one or cannot be read; the caller then reads it whole, or says why not. */
function openChecked(file: string, checked: string): { readonly pack: RulePack; readonly damaged: () => boolean } | null {
  const [size, length, hash, checks = ''] = checked.split(' ');
  let handle: number | null = null;
  try {
    handle = openSync(file, READ_WITHOUT_WAITING);
    const stat = fstatSync(handle);
    if (!stat.isFile() || stat.size !== Number(size)) return null;
    const head = readAt(handle, 0, Number(length));
    if (sha256(head).toString('hex') === hash) {
      const from = handle;
      let damaged = false;
      const read = (line: number, start: number, end: number): string => {
        try {
          const bytes = readAt(from, start, end - start);
          if (lineCheck(bytes) === checks.slice(line * LINE_CHECK, (line + 1) * LINE_CHECK)) return bytes.toString('latin1');
        } catch {
          // Told below: a rule that cannot be read is as good as another one.
        }
        damaged = true;
        throw new Error('the rules changed on the disk');
      };
      const pack = openRulePack(head.toString('latin1'), (base64) => Buffer.from(base64, 'base64'), read);
      handle = null;
      return { pack, damaged: () => damaged };
    }
    return null;
  } catch {
    return null;
  } finally {
    if (handle !== null) closeSync(handle);
  }
}

/** @throws the system's error, or when the file ends before. */
function readAt(handle: number, from: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const more = readSync(handle, bytes, read, length - read, from + read);
    if (more === 0) throw new Error('the file is too short');
    read += more;
  }
  return bytes;
}

function tryRules(file: string): { pack: RulePack | null; problem: string } {
  try {
    const bytes = readBounded(file, MAX_RULES_BYTES);
    if (bytes === null) return { pack: null, problem: `The rules ${file} are missing.` };
    const { pack, problems } = parseRulePack(JSON.parse(bytes.toString('utf8')));
    return { pack, problem: pack ? '' : `The rules ${file} cannot be used: ${problems.slice(0, 3).join('; ')}.` };
  } catch (error) {
    return { pack: null, problem: `The rules ${file} cannot be read: ${errorText(error)}.` };
  }
}

/** Copies `rulesFile` aside when it is good and the copy differs, so that a later broken one does not disarm the gate. */
export function keepLastGood(layout: Layout, rulesFile: string): void {
  let bytes: Buffer | null;
  try {
    bytes = readBounded(rulesFile, MAX_RULES_BYTES);
  } catch {
    return; // `loadRules` says so
  }
  const copy = lastGoodRules(layout);
  // What is kept was good: reading all rules takes a good part of a broker's start.
  if (bytes === null || readBounded(copy, MAX_RULES_BYTES)?.equals(bytes) === true) return;
  if (tryRules(rulesFile).pack !== null) writePrivate(copy, bytes);
}
