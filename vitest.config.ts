import { defineConfig } from 'vitest/config';

/** Whole processes that are started, starved, stopped and killed, and hostile input by the megabyte: slow, so a tier of their own. */
const FAULTS = [
  'test/core/hostileInput.test.ts',
  'test/core/detect/linear.test.ts',
  'test/core/detect/sameAsPlain.test.ts',
  'test/core/fuzz/coverage.test.ts',
  'test/rules/regexTime.test.ts',
  'test/home/journal/lockBreakers.test.ts',
  'test/home/journal/writers.test.ts',
  'test/node/audit/durability.test.ts',
  'test/node/audit/tamper.test.ts',
  'test/node/audit/export/receivers.test.ts',
  'test/node/audit/secretsOnDisk.test.ts',
  'test/node/audit/thirdParty.test.ts',
  'test/node/broker/broker.test.ts',
  'test/node/broker/ensureBroker.test.ts',
  'test/node/clients/canary.test.ts',
  'test/node/launcher/**/*.test.ts',
  'test/node/proxy/shim/shim.test.ts',
  'test/node/proxy/transports/stdioUpstream.test.ts',
];

export default defineConfig({
  test: {
    testTimeout: 20_000,
    // Two cores: more workers than that only add start-up cost.
    maxWorkers: 2,
    // A test that is silently skipped or has no assertion must not count as passed.
    expect: { requireAssertions: true },
    allowOnly: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/{core,rules,home,node,hooks,webview,vscode,build}/**/*.test.ts'],
          exclude: FAULTS,
          // Reading the modules and compiling the rules costs a file seconds; shared, it is paid once a worker.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'faults', include: FAULTS } },
    ],
  },
});
