import { spawn } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { fromPs, noteOffspring, processTable, remaining } from '#node/proxy/transports/offspring.ts';
import type { ProcessRow, ProcessTable } from '#node/proxy/transports/offspring.ts';
import { until } from '../harness.ts';

type Row = readonly [pid: number, parent: number, session: number, command?: string, started?: string];

const table = (...rows: readonly Row[]): ProcessTable =>
  new Map(
    rows.map(([pid, parent, session, command = 'node', started = `${pid}`]): [number, ProcessRow] => [
      pid,
      { pid, parent, session, started, words: () => command.split(' ') },
    ]),
  );

function left(before: ProcessTable, after: ProcessTable): readonly number[] {
  const seen = new Map<number, string>();
  noteOffspring(10, seen, before);
  noteOffspring(10, seen, after);
  return remaining(seen, after);
}

describe('of a server 10', () => {
  const family: readonly Row[] = [
    [10, 1, 10],
    [11, 10, 11],
    [12, 11, 11],
    [20, 1, 20],
    [21, 20, 20],
  ];
  test.each<[string, readonly Row[], readonly Row[], readonly number[]]>([
    ['children and theirs are known', family, family, [11, 12]],
    [
      'those whose parents are gone',
      family,
      [
        [11, 1, 11],
        [12, 1, 11],
        [20, 1, 20],
      ],
      [11, 12],
    ],
    [
      'what these start later',
      family,
      [
        [12, 1, 11],
        [30, 12, 30],
      ],
      [12, 30],
    ],
    ['another process with the same id is none of them', family, [[11, 1, 11, 'node', 'later']], []],
    [
      'a browser a person works in stays, with all of its session',
      family,
      [
        [11, 1, 11, '/usr/lib/firefox/firefox https://x'],
        [12, 11, 11],
      ],
      [],
    ],
    [
      'one the server drives does not',
      family,
      [
        [11, 1, 11, '/opt/google/chrome/chrome --headless=new about:blank'],
        [12, 11, 11],
      ],
      [11, 12],
    ],
    [
      'a circle of parents ends',
      [
        [10, 11, 10],
        [11, 10, 11],
      ],
      [
        [10, 11, 10],
        [11, 10, 11],
      ],
      [11],
    ],
  ])('%s', (_name, before, after, expected) => expect(left(table(...before), table(...after))).toEqual(expected));
});

test.runIf(process.platform !== 'win32').each([
  ['the system’s own list', processTable],
  ['ps', fromPs],
])('%s names a child, its parent, its session and its words', async (_name, list) => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '--', '--headless'], { detached: true, stdio: 'ignore' });
  try {
    const row = await until('the child is listed', () => {
      const found = list().get(child.pid ?? 0);
      return found !== undefined && found.words().length > 1 && found;
    });
    expect(row).toMatchObject({ parent: process.pid, session: child.pid });
    expect(row.started).toBe(list().get(row.pid)?.started);
    expect(row.words()).toContain('--headless');
  } finally {
    child.kill('SIGKILL');
  }
});
