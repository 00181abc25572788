import { expect, test } from 'vitest';
import type { FileServers } from '#node/clients/fileServers.ts';
import { type Answer, offerProtection, offerText, SEEN_KEY } from '../../extension/vscode/offerProtection.ts';

const file = (...names: readonly string[]): FileServers => ({
  id: 'mcp:/w/.mcp.json',
  name: '.mcp.json',
  file: '/w/.mcp.json',
  servers: names.map((name) => ({ name, state: 'plain', detail: 'x', foreign: null })),
});

function editor(answer: Answer = 'later') {
  const kept = new Map<string, unknown>();
  const state = { found: [file('a')] as readonly FileServers[], wanted: true, inUse: true, looks: 0 };
  const asked: string[] = [];
  const protectedOnes: unknown[] = [];
  const logged: string[] = [];
  let changes = 0;
  const check = offerProtection({
    look: async () => {
      state.looks++;
      if (state.looks === 99) throw new Error('no launcher');
      return state.found;
    },
    memory: { get: (key) => kept.get(key), update: async (key, value) => void kept.set(key, JSON.parse(JSON.stringify(value))) },
    ask: async (message) => (asked.push(message), answer),
    protect: async (id, servers) => void protectedOnes.push([id, servers]),
    wanted: () => state.wanted,
    inUse: () => state.inUse,
    looked: () => undefined,
    onChanged: () => void changes++,
    log: (message) => void logged.push(message),
  });
  return { check, state, asked, protectedOnes, logged, kept, changes: () => changes };
}

test.each<[Answer, unknown[]]>([
  ['later', []],
  ['never', []],
  ['protect', [['mcp:/w/.mcp.json', ['b']]]],
])('a new server is offered once, whatever the answer: %s', async (answer, done) => {
  const { check, state, asked, protectedOnes, kept, changes } = editor(answer);
  await check();
  state.found = [file('a', 'b')];
  await check();
  await check();
  await Promise.resolve();
  expect(asked).toEqual(['MCP server in .mcp.json (.mcp.json): "b" is new and not protected.']);
  expect(protectedOnes).toEqual(done);
  expect(JSON.stringify(kept.get(SEEN_KEY))).toContain(answer === 'never' ? '"b":"never"' : '"b":"plain"');
  expect(changes()).toBe(1);
});

test('a window that nobody looks at does not look either, and does so later', async () => {
  const { check, state, asked } = editor();
  await check();
  state.found = [file('a', 'b')];
  state.inUse = false;
  await check();
  expect([asked.length, state.looks]).toEqual([0, 1]);
  state.inUse = true;
  await check();
  expect(asked).toHaveLength(1);
});

test('switched off, nothing is asked, then or later', async () => {
  const { check, state, asked } = editor();
  await check();
  Object.assign(state, { wanted: false, found: [file('a', 'b')] });
  await check();
  state.wanted = true;
  await check();
  expect(asked).toEqual([]);
});

test('a failed look is logged and the next one works; looks do not overlap', async () => {
  const { check, state, logged } = editor();
  state.looks = 98;
  await check();
  expect(logged).toEqual(['Looking for new MCP servers failed: no launcher']);
  await Promise.all([check(), check(), check()]);
  expect(state.looks).toBe(101);
});

test('a branch with many files at once asks of three', async () => {
  const { check, state, asked } = editor();
  const many = (names: readonly string[]): FileServers[] => [1, 2, 3, 4, 5].map((at) => ({ ...file(...names), id: `mcp:${at}` }));
  state.found = many([]);
  await check();
  state.found = many(['x']);
  await check();
  expect(asked).toHaveLength(3);
});

test('names from a stranger cannot fill the screen or hide', () => {
  const offer = { id: 'i', name: 'Zed', file: '/w/settings.json', fresh: ['n'.repeat(1000), 'a\u202Eb\n', ...'cdefgh'], reverted: ['r'] };
  const text = offerText(offer);
  expect(text.length).toBeLessThanOrEqual(500);
  expect(text).toContain('"r" ran through Callgate and does not any more');
  expect(text).toContain('3 more');
  expect(text).not.toMatch(/[\u202E\n]/u);
});
