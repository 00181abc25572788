/** A refused journal must not stay refused: whoever does what the message says can append and verify again. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkpointFile } from '#home/journal/checkpoint.ts';
import { openJournal } from '#home/journal/journal.ts';
import { publicKeyFile, signingKeyFile } from '#home/journal/keys.ts';
import type { Layout } from '#home/layout.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { emptyLayout, thrownBy } from './journalBox.ts';
import { sampleEvent } from './sampleEvent.ts';

function append(layout: Layout): unknown {
  const journal = openJournal(layout, { lockWaitMs: 60 });
  try {
    return thrownBy(() => journal.append([sampleEvent()]));
  } finally {
    journal.close();
  }
}

const away = (file: string): void => renameSync(file, `${file}.kept`);
function journalAway(layout: Layout): void {
  away(layout.journal);
  away(checkpointFile(layout));
}

interface Row {
  readonly name: string;
  readonly harm: (layout: Layout) => void;
  readonly code: string;
  readonly says: RegExp;
  readonly mend: (layout: Layout) => void;
  readonly entries: number;
}

const lock = (layout: Layout): string => join(layout.journal, 'lock');
const rows: readonly Row[] = [
  {
    name: 'a lock that is a link to nothing',
    harm: (layout) => symlinkSync('/nowhere/at/all', lock(layout)),
    code: 'UNSAFE_FOLDER',
    says: /journal\/lock: .*remove it/,
    mend: (layout) => rmSync(lock(layout)),
    entries: 2,
  },
  {
    name: 'a lock that is a folder',
    harm: (layout) => mkdirSync(lock(layout)),
    code: 'UNSAFE_FOLDER',
    says: /journal\/lock: .*remove it/,
    mend: (layout) => rmSync(lock(layout), { recursive: true }),
    entries: 2,
  },
  {
    name: 'a lock without an owner',
    harm: (layout) => writeFileSync(lock(layout), ''),
    code: 'LOCKED',
    says: /breaks by itself/,
    mend: (layout) => rmSync(lock(layout)),
    entries: 2,
  },
  {
    name: "a sync tool's copy of a segment",
    harm: (layout) => writeFileSync(join(layout.journal, '000001 (conflict).jsonl'), readFileSync(join(layout.journal, '000001.jsonl'))),
    code: 'SEGMENTS',
    says: /000001 \(conflict\)\.jsonl: .*move it out of this folder, then try again$/,
    mend: (layout) => renameSync(join(layout.journal, '000001 (conflict).jsonl'), join(layout.root, 'kept')),
    entries: 2,
  },
  {
    name: 'a damaged signing key',
    harm: (layout) => writeFileSync(signingKeyFile(layout), 'x'),
    code: 'KEY',
    says: /move .*journal-signing\.pem and .*journal-signing\.pub\.pem away with the journal folder and journal-checkpoint/,
    mend: (layout) => {
      journalAway(layout);
      away(signingKeyFile(layout));
      away(publicKeyFile(layout));
    },
    entries: 1,
  },
  {
    name: 'a private key that is gone while its public one is there: none is made in its place',
    harm: (layout) => away(signingKeyFile(layout)),
    code: 'KEY',
    says: /journal-signing\.pem: .*missing.*put the original back/,
    mend: (layout) => {
      expect(existsSync(signingKeyFile(layout))).toBe(false);
      renameSync(`${signingKeyFile(layout)}.kept`, signingKeyFile(layout));
    },
    entries: 2,
  },
  {
    name: 'a public key of another pair',
    harm: (layout) => {
      const other = emptyLayout();
      append(other);
      writeFileSync(publicKeyFile(layout), readFileSync(publicKeyFile(other)));
    },
    code: 'KEY',
    says: /journal-signing\.pub\.pem: .*does not belong to the private key.*remove it/,
    mend: (layout) => rmSync(publicKeyFile(layout)),
    entries: 2,
  },
  {
    name: 'a damaged public key',
    harm: (layout) => writeFileSync(join(layout.keys, 'journal-signing.pub.pem'), 'x'),
    code: 'KEY',
    says: /journal-signing\.pub\.pem: .*remove it/,
    mend: (layout) => rmSync(publicKeyFile(layout)),
    entries: 2,
  },
];

test.each(rows)('$name: refused, and the mend works', async ({ harm, code, says, mend, entries }) => {
  const layout = emptyLayout();
  expect(append(layout)).toBeNull();
  harm(layout);
  const error = append(layout);
  expect(error).toMatchObject({ code });
  expect(String((error as Error).message)).toMatch(says);
  mend(layout);
  expect(append(layout)).toBeNull();
  expect(await verifyJournal(layout)).toEqual({ ok: true, entries, unsigned: 0, problem: null });
});
