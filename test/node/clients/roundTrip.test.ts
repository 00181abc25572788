import fc from 'fast-check';
import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { applyPlan, revert } from '#node/clients/applyPlan.ts';
import type { AgentAdapter, EditResult } from '#node/clients/adapter.ts';
import { claude } from '#node/clients/claude.ts';
import { codex } from '#node/clients/codex.ts';
import { MCP_FILES } from '#node/clients/mcp/mcpFiles.ts';
import { planMcp, unplanMcp } from '#node/clients/mcpServers.ts';
import { planProtect } from '#node/clients/planChange.ts';
import { clientHome, HOOK, RECORD, SHIM } from './clientHome.ts';

const eol = fc.constantFrom('\n', '\r\n');
const bom = fc.constantFrom('', '\uFEFF');
const end = fc.constantFrom('', '\n', '\n\n', '  ');
// No backslash: V8's JSON.parse, which these tests measure with, confuses the keys "\\" and "\"" (Node 24.21).
const key = fc
  .oneof(fc.constantFrom('a', 'model', '"', '__proto__', 'ключ', '//', '/*'), fc.string({ maxLength: 6 }))
  .filter((text) => !text.includes('\\'));
const plain = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>;
const group: fc.Arbitrary<JsonValue> = fc.record({ matcher: fc.string({ maxLength: 4 }), hooks: fc.constant([]) });
const hooks = fc.dictionary(fc.constantFrom('PreToolUse', 'ConfigChange', 'Stop'), fc.array(group, { maxLength: 3 }), { maxKeys: 3 });
const indent = fc.constantFrom('', '  ', '\t', '    ');

/** Settings as somebody might have written them. */
const settings = fc
  .tuple(fc.dictionary(key, plain, { maxKeys: 4 }), fc.option(hooks), indent, eol, bom, end)
  .map(([rest, own, by, newline, mark, tail]) => {
    const { hooks: _hooks, ...others } = rest;
    return mark + JSON.stringify(own ? { ...others, hooks: own } : others, null, by).replaceAll('\n', newline) + tail;
  });

function edited(result: EditResult): Extract<EditResult, { kind: 'edited' }> {
  if (result.kind === 'refused') throw new Error(`${result.code}: ${result.problem.message}`);
  return result;
}

function checkAgent(adapter: AgentAdapter, before: string, record: string | null): void {
  const { text, undo } = edited(adapter.plan(before, HOOK, record));
  expect(edited(adapter.plan(text, HOOK, record)).text).toBe(text);
  const back = edited(adapter.unplan(text, undo, '/f'));
  expect(back.text).toBe(before);
  // Without the record only the meaning can come back, and nothing of ours may stay.
  expect(edited(adapter.unplan(text, null, '/f')).text).not.toMatch(/callgate-hook|unrecorded/u);
}

describe('round trips', () => {
  it('Claude settings of any shape', () => {
    fc.assert(
      fc.property(settings, fc.constantFrom(null, RECORD), (before, record) => checkAgent(claude, before, record)),
      { numRuns: 300 },
    );
  });

  it('Claude settings edited after the change: the edit stays, ours goes', () => {
    const edits: readonly ((value: JsonObject) => JsonObject)[] = [
      (value) => ({ added: 1, ...value }),
      (value) => ({ ...value, added: [1] }),
      (value) => ({ ...value, hooks: { ...(isObject(value['hooks']) ? value['hooks'] : {}), Stop: [{ hooks: [] }] } }),
    ];
    fc.assert(
      fc.property(settings, fc.constantFrom(...edits), fc.constantFrom(undefined, 2, '\t'), (before, edit, by) => {
        const { text, undo } = edited(claude.plan(before, HOOK));
        const value = JSON.parse(text.replace('\uFEFF', '')) as JsonObject;
        const result = edited(claude.unplan(JSON.stringify(edit(value), null, by), undo, '/f'));
        const wanted = edit(JSON.parse(before.replace('\uFEFF', '')) as JsonObject);
        expect(JSON.parse(result.text)).toEqual(wanted);
      }),
      { numRuns: 200 },
    );
  });

  const comment = fc.constantFrom('', '', ' // note, "x": {', ' /* a */');
  const entry = fc.oneof(
    fc.record(
      { command: fc.string({ minLength: 1, maxLength: 8 }), args: fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }) },
      { requiredKeys: ['command'] },
    ),
    fc.record(
      {
        type: fc.constantFrom('http', 'sse'),
        url: fc.constantFrom('https://h.example/mcp', '${URL}'),
        headers: fc.dictionary(key, fc.constantFrom('v', '${input:k}'), { maxKeys: 2 }),
        'x-other': plain,
      },
      { requiredKeys: ['url'] },
    ),
    plain,
  );

  /** A JSONC servers file with comments behind lines and trailing commas. */
  const servers = fc
    .tuple(
      fc.uniqueArray(key, { maxLength: 4 }),
      fc.array(entry, { minLength: 4, maxLength: 4 }),
      fc.array(comment, { minLength: 5, maxLength: 5 }),
      fc.boolean(),
      eol,
      bom,
      end,
    )
    .map(([names, entries, notes, trailing, newline, mark, tail]) => {
      const lines = names.map((name, index) => {
        const value = JSON.stringify(entries[index], null, 2).replaceAll('\n', `${newline}    `);
        return `    ${JSON.stringify(name)}: ${value}${index < names.length - 1 || trailing ? ',' : ''}${notes[index]}`;
      });
      return mark + ['{', `  "servers": {${notes[4]?.startsWith(' //') ? notes[4] : ''}`, ...lines, '  }', `}${tail}`].join(newline);
    });

  it('MCP files of any shape, and with an edit elsewhere', () => {
    const vscode = MCP_FILES.find((one) => one.id === 'vscodeProject');
    if (!vscode) throw new Error('no VS Code adapter');
    fc.assert(
      fc.property(servers, (before) => {
        const names = [...before.matchAll(/^ {4}("(?:[^"\\]|\\.)*"): /gmu)].map((match) => String(JSON.parse(match[1] ?? '""')));
        const { text, undo } = edited(planMcp(vscode, before, names, SHIM));
        expect(edited(planMcp(vscode, text, names, SHIM)).text).toBe(text);
        if (text === before) return;
        const grow = (body: string): string => body.replace('"servers"', '/* new */ "mine": 1, "servers"');
        expect(edited(unplanMcp(vscode, text, undo)).text).toBe(before);
        expect(edited(unplanMcp(vscode, grow(text), undo)).text).toBe(grow(before));
      }),
      { numRuns: 300 },
    );
  });

  const tomlValue = fc.constantFrom(
    '1',
    '"a # b"',
    "'c'",
    '"""\nd = 1\n[x]\n"""',
    '[1, # one\n 2]',
    '{ k = "}" }',
    '2026-01-01T00:00:00Z',
    '9223372036854775807',
    '-0.0',
    'inf',
  );
  const pairs = (names: readonly string[]): fc.Arbitrary<string> =>
    fc
      .uniqueArray(fc.tuple(fc.constantFrom(...names), tomlValue, fc.constantFrom('', ' # note')), {
        selector: ([name]) => name,
        maxLength: 3,
      })
      .map((list) => list.map(([name, value, note]) => `${name} = ${value}${note}\n`).join(''));
  const tomlHook = fc.constantFrom(
    '[[hooks.PreToolUse]]\nmatcher = "Bash"\n\n  [[hooks.PreToolUse.hooks]]\n  type = "command"\n  command = "x"\n',
    '[[ hooks . "PreToolUse" ]]\nhooks = [{ type = "command", command = "y" }]\n',
  );
  const features = fc.constantFrom(
    '',
    '[features]\n',
    '[features]\na = true\n\n# end\n',
    '[features]\nunified_exec_tty = true # mine\n',
    '[features]\nunified_exec_tty = false\n',
    '[features.sub]\nx = 1\n',
  );
  const toml = fc
    .tuple(
      pairs(['a', '"b c"', 'model', "'d.e'"]),
      features,
      fc.array(tomlHook, { maxLength: 2 }),
      pairs(['x', 'y.z']),
      fc.constantFrom('', '[hooks.state."/o:pre_tool_use:0:0"]\ntrusted_hash = "h"\n'),
      eol,
      bom,
      fc.constantFrom('', '\n', '# last'),
    )
    .map(
      ([root, feature, groups, other, state, newline, mark, tail]) =>
        mark + `# top\n${root}${feature}${groups.join('')}[other]\n${other}${state}${tail}`.replaceAll('\n', newline),
    );

  it('Codex configs of any shape', () => {
    fc.assert(
      fc.property(toml, fc.constantFrom(null, RECORD), (before, record) => checkAgent(codex, before, record)),
      { numRuns: 300 },
    );
  });

  it('Codex configs edited after the change: the edit stays, ours goes', () => {
    const edits: readonly ((text: string) => string)[] = [
      (text) => text.replace('# top', '# top\nnew = 1'),
      (text) => `${text}\n[new]\nx = 1\n`,
      (text) => `${text}\n[[hooks.PreToolUse]]\nmatcher = "new"\n`,
      (text) => text.replaceAll('\r\n', '\n').replaceAll(/^timeout = 900$/gmu, 'timeout = 60'),
    ];
    const meaning = (text: string): unknown =>
      JSON.parse(
        JSON.stringify(parse(text.replace('\uFEFF', ''), { integersAsBigInt: 'asNeeded' }), (_, value: unknown) =>
          typeof value === 'bigint' ? String(value) : value,
        ),
      );
    fc.assert(
      fc.property(toml, fc.constantFrom(...edits), (before, edit) => {
        const { text, undo } = edited(codex.plan(before, HOOK));
        expect(meaning(edited(codex.unplan(edit(text), undo, '/f')).text)).toEqual(meaning(edit(before)));
      }),
      { numRuns: 300 },
    );
  });

  it('on the disk, every byte comes back', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          settings.map((text) => ['claude', '.claude/settings.json', text] as const),
          toml.map((text) => ['codex', '.codex/config.toml', text] as const),
        ),
        ([id, path, before]) => {
          const home = clientHome();
          const file = home.write(path, before);
          const plan = planProtect(id, home);
          applyPlan(plan, home);
          const protectedText = readFileSync(file, 'utf8');
          expect(protectedText).toBe(plan.after);
          revert(id, home);
          expect(readFileSync(file, 'utf8')).toBe(before);
          writeFileSync(file, protectedText);
          // Protected again behind our back: undo still finds its parts.
          expect(revert(id, home).changed).toBe('changed');
        },
      ),
      { numRuns: 30 },
    );
  });
});
