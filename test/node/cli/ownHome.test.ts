import { homedir } from 'node:os';
import { expect, test } from 'vitest';
import { ownHome } from '#node/cli/ownHome.ts';

const rows: readonly [folder: string, home: string][] = [
  ['/home/ada/.callgate/lib/0.1.0', '/home/ada'],
  ['/Users/a b/.callgate/lib/1.2.3-rc.1', '/Users/a b'],
  ['/home/ada/.vscode/extensions/callgate.callgate-0.1.0/dist', homedir()],
  ['/home/ada/lib/0.1.0', homedir()],
];

test.for(rows)('a bundle in %s belongs to %s', ([folder, home]) => {
  expect(ownHome(folder)).toBe(home);
});
