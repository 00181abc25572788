/** The documented way to verify without Callgate, run with the real tools. */
import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, copyFileSync, existsSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkpointFile, SLOT_BYTES } from '#home/journal/checkpoint.ts';
import { openJournal } from '#home/journal/journal.ts';
import { keyId, publicKeyFile, publicPem, retiredKeyFile, signingKeyFile } from '#home/journal/keys.ts';
import { packedFile, sealFile, segmentFile, tombstoneFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { proofText, proveEntry, verifyProof } from '#node/audit/proof.ts';
import { rotateKey } from '#node/audit/rotation.ts';
import { signTombstone, statementLine, type Tombstone } from '#node/audit/statement.ts';
import { verifyJournal } from '#node/audit/verify.ts';
import { emptyLayout, entriesOf, linesOf, writeLines } from '../../home/journal/journalBox.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';
import { sealedJournal } from './sealedJournal.ts';

const DOCS = join(import.meta.dirname, '../../../docs');
function fiveEntries(): Layout {
  const layout = emptyLayout();
  const journal = openJournal(layout, { segmentBytes: 1500 });
  for (const reason of ['', 'say "no"', 'back\\slash\n', 'ünï \u2028', '%s $(x) `y` *'])
    journal.append([sampleEvent({ reason, note: ',"hash":"' + 'a'.repeat(64) + '"' })]);
  journal.close();
  return layout;
}

function runScript(layout: Layout): string {
  const { stdout, stderr, status } = spawnSync('/bin/sh', [join(DOCS, 'verify-audit.sh'), layout.root], { encoding: 'utf8' });
  return `${status} ${stdout}${stderr}`.replaceAll(`${layout.root}/`, '').trim();
}

type Row = readonly [name: string, says: RegExp, tamper: (layout: Layout) => void];
const rows: readonly Row[] = [
  ['nothing', /^0 OK 5 entries, 5 signed$/, () => undefined],
  [
    'an entry altered',
    /^1 BAD entry 2, journal\/\d+\.jsonl:\d: altered$/,
    (layout) => editFirst(layout, (lines) => [lines[0] ?? '', (lines[1] ?? '').replace('ls -la', 'ls -lb')]),
  ],
  ['the first entry removed', /^1 BAD entry 1, .*: out of order$/, (layout) => editFirst(layout, (lines) => lines.slice(1))],
  [
    'the last entry cut off',
    /^1 BAD entry 5: cut off, 5 entries were signed$/,
    (layout) => truncateSync(lastSegment(layout), readFileSync(lastSegment(layout)).length - 1),
  ],
  [
    'the checkpoint altered',
    /^1 BAD checkpoint: wrong signature$/,
    (layout) => writeFileSync(checkpointFile(layout), readFileSync(checkpointFile(layout), 'latin1').replace('"count":5', '"count":4')),
  ],
  [
    'a byte 0 in a line',
    /^1 BAD entry 2, .*: altered, it holds a byte 0$/,
    (layout) => editFirst(layout, ([a = '', b = '']) => [a, `\0${b}`]),
  ],
  [
    'half a line where writers went on',
    /^1 BAD entry 3, .*: half a line, and writers went on after it$/,
    (layout) => appendFileSync(segmentFile(layout.journal, 1), '{"agent'),
  ],
  ['an empty segment before others', /^1 BAD entry 1, .*: empty$/, (layout) => editFirst(layout, () => [])],
  [
    'a file named as no writer does',
    /^1 BAD entry 6, .*: no writer names a file like this$/,
    (layout) => writeFileSync(join(layout.journal, '1.jsonl'), ''),
  ],
  ['no public key beside the private one', /^0 OK 5 entries, 5 signed$/, (layout) => unlinkSync(publicKeyFile(layout))],
  ['the public key alone', /^0 OK 5 entries, 5 signed$/, (layout) => unlinkSync(signingKeyFile(layout))],
  [
    'no key at all',
    /^1 BAD keys\/journal-signing.pub.pem: missing$/,
    (layout) => [publicKeyFile(layout), signingKeyFile(layout)].forEach((file) => unlinkSync(file)),
  ],
  [
    'the public key of somebody else',
    /^1 BAD keys\/journal-signing.pub.pem: not of the private key beside it$/,
    (layout) => writeFileSync(publicKeyFile(layout), publicPem(generateKeyPairSync('ed25519').publicKey)),
  ],
  [
    'the public key of a key just retired',
    /^0 OK 5 entries, 5 signed$/,
    (layout) => {
      const { publicKey } = generateKeyPairSync('ed25519');
      for (const file of [publicKeyFile(layout), retiredKeyFile(layout, keyId(publicKey))]) writeFileSync(file, publicPem(publicKey));
    },
  ],
  [
    'one statement of the checkpoint only',
    /^1 BAD checkpoint: not two statements$/,
    (layout) => truncateSync(checkpointFile(layout), SLOT_BYTES),
  ],
];

function editFirst(layout: Layout, edit: (lines: string[]) => string[]): void {
  const file = segmentFile(layout.journal, 1);
  writeLines(file, edit(readFileSync(file, 'utf8').split('\n').slice(0, -1)));
}
function lastSegment(layout: Layout): string {
  for (let number = 1; ; number += 1) {
    try {
      readFileSync(segmentFile(layout.journal, number + 1));
    } catch {
      return segmentFile(layout.journal, number); // there is no later one
    }
  }
}

describe('docs/verify-audit.sh', () => {
  test.each(rows)('%s: %s', async (_name, says, tamper) => {
    const layout = fiveEntries();
    tamper(layout);
    const said = runScript(layout);
    expect(said).toMatch(says);
    expect((await verifyJournal(layout)).ok).toBe(said.startsWith('0'));
  });
});

/** A dropped segment, packed ones, a sealed one and an open one, and a changed key. */
async function everythingAtOnce(): Promise<Layout> {
  const layout = await sealedJournal();
  await rotateKey(layout);
  const journal = openJournal(layout);
  journal.append([sampleEvent()]);
  journal.close();
  return layout;
}
const edit = (file: string, from: string | RegExp, to: string): void =>
  writeFileSync(file, readFileSync(file, 'latin1').replace(from, to), 'latin1');
const laterRows: readonly Row[] = [
  ['nothing', /^0 OK 22 entries, 22 signed$/, () => undefined],
  [
    'a tombstone altered',
    /^1 BAD entry 1, .*expired: wrong signature$/,
    (layout) => edit(tombstoneFile(layout.journal, 1), '"count":3', '"count":4'),
  ],
  ['a seal altered', /^1 BAD entry 10, .*seal: wrong signature$/, (layout) => edit(sealFile(layout.journal, 4), '"count":3', '"count":4')],
  [
    'a seal swapped',
    /^1 BAD entry 10, .*not the seal of this segment$/,
    (layout) => copyFileSync(sealFile(layout.journal, 3), sealFile(layout.journal, 4)),
  ],
  ['a packed segment deleted', /^1 BAD entry 4, .*segment 2 is missing$/, (layout) => unlinkSync(packedFile(layout.journal, 2))],
  [
    'a seal deleted that the record names',
    /^1 BAD entry 10, .*seal: not the seal that the record names$/,
    (layout) => unlinkSync(sealFile(layout.journal, 4)),
  ],
  ['a seal with more behind it', /^1 BAD entry 10, .*seal: wrong signature$/, (layout) => appendFileSync(sealFile(layout.journal, 4), ' ')],
  [
    'a tombstone with another reason under a key put beside the old ones',
    /^1 BAD entry 1, .*expired: no entry says this of a dropped segment$/,
    (layout) => {
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      const key = { privateKey, publicKey, id: keyId(publicKey) };
      writeFileSync(retiredKeyFile(layout, key.id), publicPem(publicKey));
      const { sig: _old, ...told } = JSON.parse(readFileSync(tombstoneFile(layout.journal, 1), 'utf8')) as Tombstone;
      const forged = signTombstone({ ...told, sig: '' }, { expired: 1, reason: 'no reason' }, key);
      writeFileSync(tombstoneFile(layout.journal, 1), statementLine(forged));
    },
  ],
  ['a packed seal deleted', /^1 BAD entry 4, .*seal: missing$/, (layout) => unlinkSync(sealFile(layout.journal, 2))],
  [
    'the entry about the key altered',
    /^1 BAD entry 21, .*: altered$/,
    (layout) => edit(segmentFile(layout.journal, 5), '"tool":"rotate-key"', '"tool":"rotate-kex"'),
  ],
];
describe('docs/verify-audit.sh over dropped and packed segments and a changed key', () => {
  test.each(laterRows)('%s: %s', async (_name, says, tamper) => {
    const layout = await everythingAtOnce();
    tamper(layout);
    const said = runScript(layout);
    expect(said).toMatch(says);
    expect((await verifyJournal(layout)).ok).toBe(said.startsWith('0'));
  });
});

describe('docs/verify-proof.sh', () => {
  const proofRows: readonly (readonly [string, RegExp, (text: string) => string])[] = [
    ['as it is', /^0 OK entry \d+ of \d+ to \d+, signed by [0-9a-f]{16}$/, (text) => text],
    ['the entry altered', /^1 BAD the entry was altered$/, (text) => text.replace('ls -la', 'ls -lb')],
    ['another place', /^1 BAD the entry does not stand at this place$/, (text) => text.replace(/"index":\d+/, '"index":77')],
    [
      'another sibling',
      /^1 BAD the way up does not lead to the signed root$/,
      (text) => text.replace(/"siblings":\["....../, '"siblings":["000000'),
    ],
    ['another root', /^1 BAD the way up does not lead to the signed root$/, (text) => text.replace(/"root":"....../, '"root":"000000')],
    ['another time', /^1 BAD wrong signature$/, (text) => text.replace(/"time":\d+,"v":1}/, '"time":9,"v":1}')],
  ];
  test.each(proofRows)('%s: %s', async (_name, says, change) => {
    const layout = await everythingAtOnce();
    for (const seq of [5, 12, 13, 22]) {
      const text = change(proofText(await proveEntry(layout, seq)));
      const file = join(layout.home, 'proof.json');
      writeFileSync(file, text);
      const { stdout, stderr, status } = spawnSync('/bin/sh', [join(DOCS, 'verify-proof.sh'), file], { encoding: 'utf8' });
      // One entry alone in its tree, or one whose line does not hold the text, says the same as unchanged.
      const same = text === proofText(JSON.parse(text) as never) && verifyProof(text).problem === null;
      expect(`${status} ${stdout}${stderr}`.trim()).toMatch(same ? /^0 OK/ : says);
    }
  });
  // bash runs what stands in an index when it counts with it, and is /bin/sh on many machines.
  test.each(['/bin/sh', '/bin/bash'].filter((shell) => existsSync(shell)))('%s runs nothing that stands in a proof', async (shell) => {
    const layout = await everythingAtOnce();
    const file = join(layout.home, 'proof.json');
    const said = (field: RegExp): string => {
      const ran = `PATH[$(touch ${join(layout.home, 'ran')})0]`;
      writeFileSync(
        file,
        text.replace(field, (_all, name: string) => `"${name}":${ran}`),
      );
      return spawnSync(shell, [join(DOCS, 'verify-proof.sh'), file], { encoding: 'utf8' }).stdout;
    };
    const text = proofText(await proveEntry(layout, 5));
    for (const field of [/"(index)":\d+/, /"(count)":\d+/, /"(first)":\d+/]) expect(said(field)).toMatch(/^BAD its numbers are none/);
    expect(existsSync(join(layout.home, 'ran'))).toBe(false);
  });
  test('with the key it must be signed by, and with another', async () => {
    const layout = await everythingAtOnce();
    const file = join(layout.home, 'proof.json');
    writeFileSync(file, proofText(await proveEntry(layout, 22)));
    const run = (key: string): number | null => spawnSync('/bin/sh', [join(DOCS, 'verify-proof.sh'), file, key]).status;
    expect([run(publicKeyFile(layout)), run(publicKeyFile(fiveEntries()))]).toEqual([0, 1]);
  });
});

describe('the commands in docs/audit-format.md', () => {
  const blocks = [...readFileSync(join(DOCS, 'audit-format.md'), 'utf8').matchAll(/```sh\n(.*?)```/gs)].map((match) => match[1] ?? '');
  const run = (layout: Layout, block: number): string[] => {
    const commands = (blocks[block] ?? '').replaceAll('~/.callgate', layout.root);
    return execFileSync('/bin/sh', ['-ec', commands], { cwd: layout.home, encoding: 'utf8' }).trim().split('\n');
  };

  test('one entry by hand', () => {
    const layout = fiveEntries();
    const [, second] = entriesOf(layout);
    expect(linesOf(layout)[0]).toContain('\\"hash\\":');
    expect(run(layout, 0).map((line) => line.slice(0, 64))).toEqual([second?.prev, second?.prev]);
  });

  test('one checkpoint by hand', () => {
    const layout = fiveEntries();
    expect(run(layout, 1)).toEqual(['Signature Verified Successfully', entriesOf(layout)[0]?.key]);
  });
});
