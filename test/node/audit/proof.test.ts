/** One entry shown without the rest: made from a sealed, a packed and the open segment, and worthless after any change. */
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkpointFile } from '#home/journal/checkpoint.ts';
import { openJournal } from '#home/journal/journal.ts';
import { publicKeyFile } from '#home/journal/keys.ts';
import { listSegments } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import { proofText, proveEntry, verifyProof } from '#node/audit/proof.ts';
import { rotateKey } from '#node/audit/rotation.ts';
import { sampleEvent } from '../../home/journal/sampleEvent.ts';
import { sealedJournal, segmentsOfThree } from './sealedJournal.ts';

test('every entry that is kept can be proved, and none that was dropped', async () => {
  const layout = await sealedJournal();
  const key = readFileSync(publicKeyFile(layout), 'utf8');
  const { has } = listSegments(layout.journal);
  expect([has(1, 'expired'), has(1, 'jsonl.gz'), has(2, 'jsonl.gz'), has(2, 'jsonl'), has(4, 'jsonl'), has(5, 'seal')]).toEqual([
    true,
    false,
    true,
    false,
    true,
    false,
  ]);
  for (const seq of [4, 5, 9, 10, 12, 13, 15, 16]) {
    const result = verifyProof(proofText(await proveEntry(layout, seq)), key);
    expect(result).toMatchObject({ problem: null, entry: { seq } });
  }
  await expect(proveEntry(layout, 3)).rejects.toThrow('was dropped');
  await expect(proveEntry(layout, 999)).rejects.toThrow('there is no entry 999');
});

test('a proof of before a change of keys holds with the old key', async () => {
  const layout = segmentsOfThree(2);
  const old = readFileSync(publicKeyFile(layout), 'utf8');
  const before = proofText(await proveEntry(layout, 2));
  await rotateKey(layout);
  expect(verifyProof(before, old).problem).toBeNull();
  expect(verifyProof(before, readFileSync(publicKeyFile(layout), 'utf8')).problem).toContain('another key');
  expect(verifyProof(proofText(await proveEntry(layout, 2)), readFileSync(publicKeyFile(layout), 'utf8')).problem).toBeNull();
});

test('what no checkpoint names yet is not covered by the signature of a proof', async () => {
  const layout = segmentsOfThree(2);
  const checkpoint = readFileSync(checkpointFile(layout));
  const journal = openJournal(layout);
  journal.append([sampleEvent()]);
  journal.close();
  writeFileSync(checkpointFile(layout), checkpoint);
  expect((await proveEntry(layout, 5)).statement).toMatchObject({ first: 4, count: 3 });
  await expect(proveEntry(layout, 7)).rejects.toThrow('entry 7 is not signed yet');
});

describe('changed proofs', () => {
  let proof = '';
  let layout: Layout;
  let foreign = '';
  beforeAll(async () => {
    layout = segmentsOfThree(3);
    proof = proofText(await proveEntry(layout, 5));
    foreign = readFileSync(publicKeyFile(segmentsOfThree(1)), 'utf8');
  });
  const rows: readonly (readonly [string, (text: string) => string])[] = [
    ['another argument', (text) => text.replace('ls -la', 'ls -lb')],
    ['another place', (text) => text.replace('"index":1', '"index":0')],
    ['another sibling', (text) => text.replace(/"siblings":\["../, '"siblings":["zz')],
    ['a sibling too many', (text) => text.replace('"siblings":[', `"siblings":["${'0'.repeat(64)}",`)],
    ['no siblings', (text) => text.replace(/"siblings":\[[^\]]*\]/, '"siblings":[]')],
    ['another root', (text) => text.replace(/"root":"..../, '"root":"0000')],
    ['another count', (text) => text.replace('"count":3', '"count":4')],
    ['another signature', (text) => text.replace(/"sig":"..../, '"sig":"AAAA')],
    ['another key', (text) => text.replace(/"publicKey":"[^"]*"/, `"publicKey":${JSON.stringify(foreign)}`)],
    ['no JSON', (text) => text.slice(1)],
    ['an empty object', () => '{}'],
    ['null', () => 'null'],
  ];
  test.each(rows)('%s proves nothing', (_name, change) => {
    expect(verifyProof(proof).problem).toBeNull();
    const changed = change(proof);
    expect(changed).not.toBe(proof);
    expect(verifyProof(changed).problem).toMatch(/\w/);
  });
});
