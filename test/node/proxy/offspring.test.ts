import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { STARTED_BY, offspringOf } from '#node/proxy/offspring.ts';
import { until } from './harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'callgate-offspring-'));

/** A process of that name in a session of its own; -e takes its other arguments for itself. */
function start(name: string, mark: string, ...words: string[]): { pid: number; end(): void } {
  const program = join(folder, name);
  symlinkSync(process.execPath, program);
  const child = spawn(program, ['-e', 'setInterval(() => {}, 1000)', '--', ...words], {
    detached: true,
    stdio: 'ignore',
    env: { [STARTED_BY]: mark },
  });
  return { pid: child.pid ?? 0, end: () => void child.kill('SIGKILL') };
}

test.runIf(process.platform === 'linux')('the marked are found, but not the browser a person works in', async () => {
  const started = [start('worker', 'one'), start('chrome', 'one', '--headless'), start('firefox', 'one'), start('other', 'two')];
  try {
    const [worker, driven, persons, foreign] = started.map(({ pid }) => pid);
    const found = await until('both are found', () => {
      const pids = offspringOf(new Set(['one']));
      return [worker, driven].every((pid) => pid !== undefined && pids.includes(pid)) && pids;
    });
    expect(found).not.toContain(foreign);
    await until('the browser has its name', () => offspringOf(new Set(['one'])).length === 2);
    expect(offspringOf(new Set(['one']))).not.toContain(persons);
    expect(offspringOf(new Set())).toEqual([]);
  } finally {
    for (const { end } of started) end();
    rmSync(folder, { recursive: true });
  }
});
