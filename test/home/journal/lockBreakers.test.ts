/** Several processes meet a lock whose owner is gone, again and again, and are killed while they break it: never two hold it at once. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createJournalLock } from '#home/journal/journalLock.ts';
import { ownIdentity } from '#home/processIdentity.ts';
import { bundledProgram, type BundledProgram } from './bundledProgram.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const PROCESSES = 4;
const KILLS = 150;
let program: BundledProgram;
let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'callgate-lock-'));
  program = await bundledProgram(join(import.meta.dirname, 'lockBreaker.ts'));
});
afterAll(() => {
  program.remove();
  rmSync(folder, { recursive: true, force: true });
});

test('exactly one holder at a time, however often a lock is left behind and whoever breaks it is killed', async () => {
  const deadPid = spawnSync(process.execPath, ['-e', '']).pid;
  const said = { held: 0, wrong: [] as string[] };
  let kills = 0;
  const keepOne = async (): Promise<void> => {
    while (kills < KILLS) {
      const child = spawn(process.execPath, [program.file, folder, String(deadPid)], { stdio: ['ignore', 'pipe', 'pipe'] });
      let out = '';
      let begin: () => void;
      const begun = new Promise<void>((resolve) => (begin = resolve));
      child.stdout.on('data', (chunk) => {
        out += String(chunk);
        begin();
      });
      child.stderr.on('data', (chunk) => said.wrong.push(String(chunk)));
      const ended = new Promise<void>((resolve) => child.once('close', () => (begin(), resolve())));
      await begun;
      for (const until = Date.now() + Math.random() * 250; Date.now() < until;) {
        await pause(Math.random() * 20);
        // Stood still wherever it is, between a look and what follows from it too.
        child.kill('SIGSTOP');
        await pause(Math.random() * 3);
        child.kill('SIGCONT');
      }
      child.kill('SIGKILL');
      await ended;
      kills += 1;
      const lines = out.split('\n').slice(1, -1);
      said.held += lines.filter((line) => line === 'held').length;
      said.wrong.push(...lines.filter((line) => line !== 'held'));
    }
  };
  await Promise.all(Array.from({ length: PROCESSES }, keepOne));
  expect(said.wrong).toEqual([]);
  expect(said.held).toBeGreaterThan(KILLS);
  // Nothing that was left behind keeps the next one out, and it sweeps up after those that were killed. (An owner file whose maker
  // was killed before it wrote into it goes by its age.)
  const lock = createJournalLock(folder, ownIdentity(), 5000);
  lock.acquire();
  expect(lock.held()).toBe(true);
  lock.release();
  lock.close();
  expect(readdirSync(folder).filter((name) => /^(?:lock$|break-)/.test(name))).toEqual([]);
}, 120_000);
