import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{core,rules,home,node,hooks,webview,vscode,build}/**/*.test.ts'],
    testTimeout: 20_000,
    // Two cores: more workers than that only add start-up cost.
    maxWorkers: 2,
    // A test that is silently skipped or has no assertion must not count as passed.
    expect: { requireAssertions: true },
    allowOnly: false,
  },
});
