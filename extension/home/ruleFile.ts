/** The compiled rules beside the running bundle, or the last good copy of them. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { openRulePack, parseRulePack } from '#core/detect/packFile.ts';
import type { RulePack } from '#core/detect/rulePack.ts';
import type { Layout } from '#home/layout.ts';
import { errorText, readBounded, writePrivate } from '#home/privateFile.ts';

const MAX_RULES_BYTES = 32 * 1024 * 1024;

export interface LoadedRules {
  /** Null: neither the installed rules nor a last good copy can be used. */
  readonly pack: RulePack | null;
  /** What is wrong, where, and what to do; null when the installed rules are in use. */
  readonly problem: string | null;
}

export const lastGoodRules = (layout: Layout): string => join(layout.root, 'rules.last-good.json');

/**
 * Never fails. Reads files only; `keepLastGood` is for the installer and the broker.
 * `checkedHash` is the SHA-256 (hex) of rules whose shape was checked when this program was built: a file of exactly
 * these bytes is not checked again, which would take a hook longer than reading it.
 */
export function loadRules(layout: Layout, rulesFile: string, checkedHash = ''): LoadedRules {
  const installed = tryRules(rulesFile, checkedHash);
  if (installed.pack) return { pack: installed.pack, problem: null };
  const copy = tryRules(lastGoodRules(layout));
  const mend = 'Reinstall the Callgate extension or open the editor once to mend it.';
  if (copy.pack) return { pack: copy.pack, problem: `${installed.problem} The last good rules are in use. ${mend}` };
  return { pack: null, problem: `${installed.problem} ${mend}` };
}

function tryRules(file: string, checkedHash = ''): { pack: RulePack | null; problem: string } {
  try {
    const bytes = readBounded(file, MAX_RULES_BYTES);
    if (bytes === null) return { pack: null, problem: `The rules ${file} are missing.` };
    // ASCII, as it was built; Latin-1 is read without looking for anything else.
    if (checkedHash !== '' && createHash('sha256').update(bytes).digest('hex') === checkedHash)
      return { pack: openRulePack(bytes.toString('latin1'), (base64) => Buffer.from(base64, 'base64')), problem: '' };
    const { pack, problems } = parseRulePack(JSON.parse(bytes.toString('utf8')));
    return { pack, problem: pack ? '' : `The rules ${file} cannot be used: ${problems.slice(0, 3).join('; ')}.` };
  } catch (error) {
    return { pack: null, problem: `The rules ${file} cannot be read: ${errorText(error)}.` };
  }
}

/** Copies `rulesFile` aside when it is good and the copy differs, so that a later broken one does not disarm the gate. */
export function keepLastGood(layout: Layout, rulesFile: string): void {
  if (tryRules(rulesFile).pack === null) return;
  const bytes = readBounded(rulesFile, MAX_RULES_BYTES);
  if (bytes === null) return;
  const copy = lastGoodRules(layout);
  if (readBounded(copy, MAX_RULES_BYTES)?.equals(bytes) !== true) writePrivate(copy, bytes);
}
