import { describe, expect, it } from 'vitest';
import { normalize } from '#core/normalize/normalize.ts';
import type { Access } from '#core/detect/rulePack.ts';
import { context } from '../gateKit.ts';

/** The paths a command touches. */
function paths(command: string, access: Access): string[] {
  const call = {
    client: 'claude',
    agent: 'main',
    session: 's',
    useId: null,
    channel: 'shell',
    tool: 'Bash',
    server: null,
    args: { command },
    cwd: '/home/dev/app',
  } as const;
  return [
    ...new Set(
      normalize(call, context)
        .paths.filter((path) => path.access === access)
        .map((path) => path.text),
    ),
  ];
}

describe('the folder a command runs in', () => {
  it.each([
    ['cat a', '~/app/a'],
    ['cd x; cat a', '~/app/x/a'],
    ['cd x && cd y && cat a', '~/app/x/y/a'],
    ['cd /etc; cd -; cat a', '~/app/a'],
    ['pushd /etc; popd; cat a', '~/app/a'],
    ['cd; cat a', '~/a'],
    ['(cd /etc); cat a', '~/app/a'],
    ['(cd /etc; cat a)', '/etc/a'],
    ['(cd /etc; (cd ssh; cat a))', '/etc/ssh/a'],
    ['x=$(cd /etc; cat a)', '/etc/a'],
    ['bash -c "cd /etc"; cat a', '~/app/a'],
    ['cd /etc; bash -c "cat a"', '/etc/a'],
    ['eval "cd /etc"; cat a', '/etc/a'],
    ['cd $UNKNOWN; cat a', '~/app/a'],
    ['env -C /etc cat a', '/etc/a'],
    ['cd /etc; cat $PWD/a', '/etc/a'],
    ['find /etc -name a -exec cat {} +', '/etc/a'],
    ['find /etc -name a | xargs cat', '/etc/a'],
  ])('%s', (command, path) => expect(paths(command, 'read')).toContain(path));
  it.each([
    ['cd x; echo > a', '~/app/x/a'],
    ['cd x; tee a', '~/app/x/a'],
    ['cd x; cp b a', '~/app/x/a'],
    ['curl -so a http://h.example/', '~/app/a'],
  ])('%s', (command, path) => expect(paths(command, 'write')).toContain(path));
  it('is not left by a subshell', () => expect(paths('(cd /etc); cat a', 'read')).toEqual(['~/app/a']));
});
