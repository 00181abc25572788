/** The kept code only ever makes a hook faster: whatever state its file is in, the program of the text is what runs. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { PROGRAM, startProgram } from '#hooks/startProgram.ts';

const top = mkdtempSync(join(tmpdir(), 'cgs-'));
afterAll(() => rmSync(top, { recursive: true, force: true }));
const load = createRequire(import.meta.url);
let folders = 0;

const program = (answer: number): string => `(function (require) { return { answer: () => ${answer} }; })`;
const answerOf = (started: { readonly exports: unknown }): number => (started.exports as { answer: () => number }).answer();
const rehearse = (): Promise<void> => Promise.resolve();

interface Folder {
  readonly folder: string;
  readonly cache: () => string;
  readonly started: (text: string) => ReturnType<typeof startProgram>;
}

function newFolder(): Folder {
  const folder = join(top, String(++folders));
  mkdirSync(folder);
  const cache = (): string => join(folder, readdirSync(folder).find((name) => name.endsWith('.cache')) ?? 'none');
  const started = (text: string): ReturnType<typeof startProgram> => {
    writeFileSync(join(folder, PROGRAM), text);
    return startProgram(join(folder, 'hook.cjs'), load);
  };
  return { folder, cache, started };
}

test('code is kept for its owner only, used the next time and left alone then', async () => {
  const { cache, started } = newFolder();
  const first = started(program(42));
  expect(answerOf(first)).toBe(42);
  let rehearsed = 0;
  await first.keepCode(async () => void rehearsed++);
  expect(statSync(cache()).mode & 0o777).toBe(0o600);
  const before = statSync(cache()).ino;
  const second = started(program(42));
  expect(answerOf(second)).toBe(42);
  await second.keepCode(async () => void rehearsed++);
  expect({ rehearsed, same: statSync(cache()).ino === before }).toEqual({ rehearsed: 1, same: true });
});

const damage: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ['empty', () => Buffer.alloc(0)],
  ['torn', (bytes) => bytes.subarray(0, bytes.length - 7)],
  ['only its hash', (bytes) => bytes.subarray(0, 32)],
  ['a bit flipped in the code', (bytes) => (bytes.writeUInt8(bytes.readUInt8(bytes.length - 20) ^ 1, bytes.length - 20), bytes)],
  ['a bit flipped in the hash', (bytes) => (bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0), bytes)],
  ['no code of V8', () => Buffer.from('x'.repeat(500))],
  ['far too large', () => Buffer.alloc(9 * 1024 * 1024)],
];
test.each(damage)('kept code that is %s is not used and made anew', async (_name, harm) => {
  const { cache, started } = newFolder();
  const first = started(program(1));
  await first.keepCode(rehearse);
  const sound = readFileSync(cache());
  writeFileSync(cache(), harm(Buffer.from(sound)));
  const next = started(program(1));
  expect(answerOf(next)).toBe(1);
  await next.keepCode(rehearse);
  expect(readFileSync(cache()).subarray(32).length).toBeGreaterThan(100);
  expect(statSync(cache()).size).toBeLessThan(1_000_000);
});

test('the code of another program of the same length is never run', async () => {
  const { cache, started } = newFolder();
  const other = started(program(11));
  answerOf(other);
  await other.keepCode(rehearse);
  const mine = started(program(22));
  expect(answerOf(mine)).toBe(22);
  await mine.keepCode(rehearse);
  expect(readFileSync(cache()).length).toBeGreaterThan(32);
  expect(answerOf(started(program(22)))).toBe(22);
});

test('neither a rehearsal that fails nor a folder that takes no file disturbs the answer', async () => {
  const { folder, cache, started } = newFolder();
  const first = started(program(3));
  await first.keepCode(() => Promise.reject(new Error('rehearsal')));
  expect(cache()).toMatch(/none$/);
  // A folder in the file's place fails for every user, unlike a mode, which root ignores.
  await first.keepCode(rehearse);
  const taken = cache();
  rmSync(taken);
  mkdirSync(taken);
  chmodSync(taken, 0o700);
  const again = started(program(3));
  await again.keepCode(rehearse);
  expect({ answer: answerOf(again), left: readdirSync(folder).filter((name) => name.endsWith('.tmp')) }).toEqual({
    answer: 3,
    left: [],
  });
});
