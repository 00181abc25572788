import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { processStart } from '#home/processIdentity.ts';
import { endAbandoned } from '#node/proxy/shim/abandonedServer.ts';

test.each([
  ['the process that was named is ended', (start: string) => start, true],
  ['a later one under its number is not', () => 'another', false],
])('%s', async (_what, named, ended) => {
  const child = spawn('/bin/sleep', ['60'], { detached: true, stdio: 'ignore' });
  const gone = new Promise<'gone'>((resolve) => child.once('exit', () => resolve('gone')));
  const pid = child.pid ?? 0;
  await endAbandoned({ pid, start: named(processStart(pid) ?? '') });
  const state = await Promise.race([gone, new Promise<'there'>((resolve) => setImmediate(() => resolve('there')))]);
  expect(child.exitCode !== null || child.signalCode !== null || state === 'gone').toBe(ended);
  child.kill('SIGKILL');
  await gone;
});
