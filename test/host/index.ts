/** Loaded inside the extension host: runs every suite and writes what came of each test to CALLGATE_HOST_REPORT. */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import type { HostResult } from '#kit/hostTests.ts';

export async function run(): Promise<void> {
  const report = process.env['CALLGATE_HOST_REPORT'];
  if (report === undefined) throw new Error('CALLGATE_HOST_REPORT does not name a file');
  const mocha = new Mocha({ ui: 'tdd', color: false, timeout: 30_000, forbidOnly: true, forbidPending: true });
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  // Only now are `suite` and `test` defined.
  await import('./activation.suite.ts');
  await import('./broker.suite.ts');
  await import('./rules.suite.ts');
  const results: HostResult[] = [];
  const failures = await new Promise<number>((resolve) => {
    const runner = mocha.run(resolve);
    runner.on('pass', (test) => results.push({ title: test.fullTitle(), error: null, ms: test.duration ?? 0 }));
    runner.on('fail', (test, error: unknown) =>
      results.push({
        title: test.fullTitle(),
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        ms: test.duration ?? 0,
      }),
    );
  });
  writeFileSync(report, JSON.stringify(results, null, 1));
  if (failures > 0) throw new Error(`${failures} tests failed`);
}
