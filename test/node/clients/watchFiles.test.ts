/** Changes as clients make them: replaced files, folders that come and go, links. Waits for the telling, never for a time. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { watchFiles } from '#node/clients/watchFiles.ts';
import { clientHome } from './clientHome.ts';

function watching(files: readonly string[]): { next: () => Promise<void>; count: () => number; nudge: () => void } {
  let count = 0;
  let wake: (() => void) | null = null;
  const watch = watchFiles({
    quietMs: 5,
    apartMs: 5,
    onChange: () => {
      count++;
      wake?.();
      wake = null;
    },
  });
  onTestFinished(watch.dispose);
  watch.files(files);
  return {
    next: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
    count: () => count,
    nudge: watch.nudge,
  };
}

const replace = (file: string, text: string): void => {
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
};

it.each<[string, (file: string) => void, (file: string) => void]>([
  ['written', (file) => writeFileSync(file, 'a'), (file) => writeFileSync(file, 'b')],
  ['replaced', (file) => writeFileSync(file, 'a'), (file) => replace(file, 'b')],
  ['removed', (file) => writeFileSync(file, 'a'), (file) => rmSync(file)],
  ['made', () => undefined, (file) => writeFileSync(file, 'b')],
])('a file that is %s', async (_name, before, change) => {
  const home = clientHome();
  const file = join(home.workspace, '.mcp.json');
  before(file);
  const { next } = watching([file]);
  const told = next();
  change(file);
  await told;
  // And a second time: the watch does not hang on the file that was.
  const again = next();
  replace(file, 'c');
  await expect(again).resolves.toBeUndefined();
});

it('a folder that is made, with the file in it, removed and made again', async () => {
  const home = clientHome();
  const file = join(home.workspace, '.config', 'x', 'mcp.json');
  const { next } = watching([file]);
  for (let round = 0; round < 2; round++) {
    const made = next();
    mkdirSync(dirname(file), { recursive: true });
    await made;
    const written = next();
    writeFileSync(file, 'a');
    await written;
    const gone = next();
    rmSync(join(home.workspace, '.config'), { recursive: true });
    await expect(gone).resolves.toBeUndefined();
  }
});

it('the file behind a link', async () => {
  const home = clientHome();
  const real = home.write('dotfiles/mcp.json', 'a');
  const link = join(home.workspace, '.mcp.json');
  symlinkSync(real, link);
  const { next } = watching([link]);
  const told = next();
  writeFileSync(real, 'b');
  await expect(told).resolves.toBeUndefined();
});

it('other files in the same folder are nobody’s business', async () => {
  const home = clientHome();
  const { count } = watching([join(home.workspace, '.mcp.json')]);
  const other = watching([join(home.workspace, 'other')]);
  const told = other.next();
  home.write('project/other', 'x');
  await told;
  // By the time of its second telling the first watch would have told of the same change long since.
  const again = other.next();
  other.nudge();
  await again;
  expect(count()).toBe(0);
});

it('many changes are told of together', async () => {
  const home = clientHome();
  const file = join(home.workspace, '.mcp.json');
  const { next, count, nudge } = watching([file]);
  const told = next();
  for (let at = 0; at < 50; at++) writeFileSync(file, String(at));
  await told;
  const last = next();
  nudge();
  await last;
  // Were each of them told of, it would be a hundred.
  expect(count()).toBe(2);
});

it('a nudge is told like a change; nothing is after the end', async () => {
  const home = clientHome();
  let count = 0;
  const watch = watchFiles({ quietMs: 1, apartMs: 1, onChange: () => count++ });
  watch.files([join(home.workspace, '.mcp.json')]);
  watch.dispose();
  watch.nudge();
  const { next, nudge } = watching([]);
  const told = next();
  nudge();
  await told;
  expect(count).toBe(0);
});
