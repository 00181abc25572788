/**
 * Compiled copies of people's own files in `rules-compiled/`, so that a hook needs no YAML, and which of them was the last
 * good one of each file. A copy's name is the hash of everything it was made from.
 */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from '#core/model/json.ts';
import { packProblems, type Rule } from '#core/detect/rulePack.ts';
import { parsePolicyFile, type PolicyFile } from '#core/policy/policy.ts';
import { ensurePrivateFolder, whyNotOurs } from '#home/layout.ts';
import { readBounded, removeIfThere, writePrivate } from '#home/privateFile.ts';
import type { SourceProblem } from '#home/ruleCompiler.ts';

/** Raised whenever a copy would be made differently from the same text. */
const FORMAT = 2;
const MAX_COPY_BYTES = 16 * 1024 * 1024;
const MAX_COPIES = 400;
const KEPT_COPIES = 200;

/** A compiled file of either kind. */
export interface Copy {
  readonly rules: readonly Rule[];
  readonly policy: PolicyFile | null;
  readonly problems: readonly SourceProblem[];
}

/** By file name, the key of its last good copy. */
export type LastGood = Readonly<Record<string, string>>;

export const copyKey = (kind: 'rules' | 'policy', name: string, text: string, shippedHash: string): string =>
  createHash('sha256')
    .update(JSON.stringify([FORMAT, kind, name, kind === 'rules' ? shippedHash : '', text]))
    .digest('hex');

/** Null when there is none that can be used: it is then made again. */
export function readCopy(folder: string, key: string): Copy | null {
  const value = readJson(join(folder, `${key}.json`), folder);
  if (!isObject(value) || !Array.isArray(value['rules']) || !Array.isArray(value['problems'])) return null;
  const { rules, problems } = value;
  if (rules.length > 0 && packProblems({ version: 1, hash: key, rules }).length > 0) return null;
  if (!problems.every((item) => isObject(item) && typeof item['line'] === 'number' && typeof item['message'] === 'string')) return null;
  const policy = value['policy'] === null ? null : parsePolicyFile(value['policy']);
  return policy === null && value['policy'] !== null
    ? null
    : { rules: rules as unknown as Rule[], policy, problems: problems as unknown as SourceProblem[] };
}

/** Never fails: without a copy the next process compiles again. */
export function writeCopy(folder: string, key: string, copy: Copy): void {
  try {
    ensurePrivateFolder(folder);
    writePrivate(join(folder, `${key}.json`), JSON.stringify(copy));
    removeOld(folder);
  } catch {
    return; // a full or read-only disk
  }
}

const lastGoodFile = (folder: string, place: string): string =>
  join(folder, `last-good-${createHash('sha256').update(place).digest('hex').slice(0, 32)}.json`);

/** `place`: the folder of the files. */
export function readLastGood(folder: string, place: string): LastGood {
  const value = readJson(lastGoodFile(folder, place), folder);
  return isObject(value)
    ? Object.fromEntries(
        Object.entries(value).filter((item): item is [string, string] => typeof item[1] === 'string' && /^[0-9a-f]{64}$/u.test(item[1])),
      )
    : {};
}

export function writeLastGood(folder: string, place: string, last: LastGood): void {
  try {
    ensurePrivateFolder(folder);
    writePrivate(lastGoodFile(folder, place), JSON.stringify(last));
  } catch {
    return; // a full or read-only disk: a file that breaks later has no last good copy, which is then said
  }
}

function readJson(file: string, folder: string): unknown {
  try {
    if (whyNotOurs(folder) !== null) return null;
    const bytes = readBounded(file, MAX_COPY_BYTES);
    return bytes === null ? null : (JSON.parse(bytes.toString('utf8')) as unknown);
  } catch {
    return null; // damaged: as good as not there
  }
}

/** Every version of every file leaves one. Those somebody still uses are made again; last good ones could not be. */
function removeOld(folder: string): void {
  const names = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.json$/u.test(name));
  if (names.length <= MAX_COPIES) return;
  const needed = new Set<string>();
  for (const name of readdirSync(folder))
    if (name.startsWith('last-good-')) {
      const value = readJson(join(folder, name), folder);
      if (isObject(value)) for (const key of Object.values(value)) needed.add(`${String(key)}.json`);
    }
  const aged = names
    .filter((name) => !needed.has(name))
    .map((name) => ({ name, at: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { name } of aged.slice(KEPT_COPIES)) removeIfThere(join(folder, name));
}
