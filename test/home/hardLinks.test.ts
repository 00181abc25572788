import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardedName } from '#home/hardLinks.ts';

let home = '';
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'links-')));
  mkdirSync(join(home, '.ssh'));
  mkdirSync(join(home, '.callgate/keys'), { recursive: true });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe('another name of a guarded file', () => {
  it.each([['.ssh/id_rsa'], ['.netrc'], ['.callgate/keys/window-token']])('leads to %s', (guarded) => {
    writeFileSync(join(home, guarded), 'x');
    linkSync(join(home, guarded), join(home, 'notes.txt'));
    expect(guardedName(join(home, 'notes.txt'), home, join(home, '.callgate'))).toBe(join(home, guarded));
  });
  it('is not seen in files of equal content or with other links', () => {
    writeFileSync(join(home, '.ssh/id_rsa'), 'x');
    writeFileSync(join(home, 'a'), 'x');
    linkSync(join(home, 'a'), join(home, 'b'));
    expect(guardedName(join(home, 'b'), home, join(home, '.callgate'))).toBe(join(home, 'b'));
  });
  it('says nothing about what is not there', () => expect(guardedName(join(home, 'c'), home, home)).toBe(join(home, 'c')));
});
