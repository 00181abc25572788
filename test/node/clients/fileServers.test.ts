/** Which servers a person hears of: each once, and those that somebody took out of protection. */
import { symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { applyPlan, revert } from '#node/clients/applyPlan.ts';
import { fileServers, neverAgain, newOffers, readSeen, type SeenServers } from '#node/clients/fileServers.ts';
import { planProtect } from '#node/clients/planChange.ts';
import { type ClientHome, clientHome } from './clientHome.ts';

const entries = (...names: readonly string[]): string =>
  JSON.stringify({ mcpServers: Object.fromEntries(names.map((name) => [name, { command: 'x' }])) });

/** Looks again and again, as an editor does. */
function watcher(home: ClientHome): { look: () => unknown; never: () => void } {
  let seen: SeenServers = {};
  let last: ReturnType<typeof newOffers>['offers'] = [];
  return {
    look: () => {
      const result = newOffers(fileServers(home), seen);
      // As it comes back from the editor's storage.
      seen = readSeen(JSON.parse(JSON.stringify(result.seen)));
      last = result.offers;
      return last.map(({ name, fresh, reverted }) => [name, fresh, reverted]);
    },
    never: () => {
      for (const offer of last) seen = neverAgain(seen, offer);
    },
  };
}

describe('offers', () => {
  it('what was there at first is not offered; what comes is, once; what never again is not', () => {
    const home = clientHome();
    home.write('project/.mcp.json', entries('a'));
    const { look, never } = watcher(home);
    expect(look()).toEqual([]);
    home.write('project/.mcp.json', entries('a', 'b'));
    expect(look()).toEqual([['.mcp.json', ['b'], []]]);
    expect(look()).toEqual([]);
    // Another branch, and back.
    home.write('project/.mcp.json', entries('a'));
    expect(look()).toEqual([]);
    home.write('project/.mcp.json', entries('a', 'b', 'c'));
    expect(look()).toEqual([['.mcp.json', ['c'], []]]);
    never();
    const file = home.write('project/.mcp.json', entries('a', 'b', 'c'));
    applyPlan(planProtect(`mcp:${file}`, home, { servers: ['b'] }), home);
    expect(look()).toEqual([]);
  });

  it('a file that is new among the known ones is offered', () => {
    const home = clientHome();
    const { look } = watcher(home);
    expect(look()).toEqual([]);
    home.write('.gemini/settings.json', entries('g'));
    home.write('.codex/config.toml', '[mcp_servers.c]\ncommand = "x"\n');
    expect(look()).toEqual([
      ['Codex CLI (config.toml)', ['c'], []],
      ['Gemini CLI (settings.json)', ['g'], []],
    ]);
  });

  it('an entry that was put back is offered every time, by whomever it was', () => {
    const home = clientHome();
    const file = home.write('project/.mcp.json', entries('a'));
    const id = `mcp:${file}`;
    const { look } = watcher(home);
    look();
    for (let round = 0; round < 2; round++) {
      applyPlan(planProtect(id, home), home);
      expect(look()).toEqual([]);
      if (round === 0) home.write('project/.mcp.json', entries('a'));
      else revert(id, home);
      expect(look()).toEqual([['.mcp.json', [], ['a']]]);
      expect(look()).toEqual([]);
    }
  });

  it('a file that cannot be read for a moment loses nothing', () => {
    const home = clientHome();
    const file = home.write('project/.mcp.json', entries('a'));
    applyPlan(planProtect(`mcp:${file}`, home), home);
    const { look } = watcher(home);
    look();
    home.write('project/.mcp.json', '{"mcpServers": {"a"');
    expect(look()).toEqual([]);
    home.write('project/.mcp.json', entries('a'));
    expect(look()).toEqual([['.mcp.json', [], ['a']]]);
  });

  it('entries that cannot be protected, unreadable files and strange storage are no offers', () => {
    const home = clientHome();
    const { look } = watcher(home);
    look();
    home.write('project/.mcp.json', '{"mcpServers":{"a":{"url":"https://h.example","headersHelper":"x"}}}');
    symlinkSync('mcp.json', home.write('project/.vscode/x', '').replace(/x$/u, 'mcp.json'));
    expect(look()).toEqual([]);
    for (const odd of [null, 1, 'x', [], { a: 1, b: { c: 'other', d: 'never' }, e: null }])
      expect(
        Object.values(readSeen(odd))
          .flatMap((marks) => Object.values(marks))
          .every((mark) => mark === 'never'),
      ).toBe(true);
  });

  it('is bounded: of more servers than can be kept the rest is not offered over and over', () => {
    const home = clientHome();
    const { look } = watcher(home);
    look();
    home.write('project/.mcp.json', entries(...Array.from({ length: 499 }, (_, at) => `s${at}`)));
    expect((look() as [string, string[]][])[0]?.[1]).toHaveLength(499);
    home.write('project/.mcp.json', entries(...Array.from({ length: 400 }, (_, at) => `t${at}`)));
    expect((look() as [string, string[]][])[0]?.[1]).toEqual(['t0']);
    expect(look()).toEqual([]);
  });
});
