import { mkdtempSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { currentFolder, outliveReaders } from '#node/cli/command.ts';

test('a reader that stops is no error, anything else is', () => {
  const stream = new PassThrough();
  outliveReaders(stream);
  stream.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  const full = Object.assign(new Error('disk full'), { code: 'ENOSPC' });
  expect(() => stream.emit('error', full)).toThrow(full);
});

test('a folder that is gone is replaced by another', () => {
  const gone = mkdtempSync(join(tmpdir(), 'callgate-gone-'));
  // In a process of its own, started there: Node asks the system once and remembers.
  const file = JSON.stringify(join(import.meta.dirname, '../../../extension/node/cli/command.ts'));
  const script = `import(${file}).then(({ currentFolder }) => console.log(currentFolder(() => process.cwd(), '/home/u')));`;
  const shell = 'cd "$1" && rmdir "$1" && exec "$2" -e "$3"';
  expect(execFileSync('/bin/sh', ['-c', shell, 'sh', gone, process.execPath, script], { encoding: 'utf8' })).toBe('/home/u\n');
  expect(currentFolder(() => '/work', '/home/u')).toBe('/work');
});
