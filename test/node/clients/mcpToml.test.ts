/** Codex' servers: whatever way they are written, every other byte stays and all of it comes back. */
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import type { EditResult } from '#node/clients/adapter.ts';
import type { McpFile } from '#node/clients/mcp/mcpFile.ts';
import { MCP_FILES } from '#node/clients/mcp/mcpFiles.ts';
import { listServers, planMcp, unplanMcp } from '#node/clients/mcpServers.ts';
import { parseShimCommand } from '#node/proxy/shim/shimCommand.ts';
import { SHIM } from './clientHome.ts';

const CODEX = MCP_FILES.find((one) => one.id === 'codexUser') as McpFile;

function edited(result: EditResult): Extract<EditResult, { kind: 'edited' }> {
  if (result.kind === 'refused') throw new Error(`${result.code}: ${result.problem.message}`);
  return result;
}

function names(text: string): readonly string[] {
  const listed = listServers(CODEX, text, SHIM);
  if ('kind' in listed) throw new Error(listed.problem.message);
  return listed.filter(({ state }) => state !== 'unsupported').map(({ name }) => name);
}

interface Row {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

const rows: readonly Row[] = [
  {
    name: 'a program, with comments',
    before:
      '# mine\nmodel = "m"\n\n[mcp_servers.fs] # files\ncommand = "npx" # why\nargs = [\n  "-y", # yes\n  "x",\n]\nstartup_timeout_sec = 20.0\n\n[other]\nx = 1\n',
    after: `# mine\nmodel = "m"\n\n[mcp_servers.fs] # files\ncommand = '${SHIM}' # why\nenv = { CALLGATE_ENTRY_ENV = '-' }\nargs = ['--server', 'fs', '--', 'npx', \n  "-y", # yes\n  "x",\n]\nstartup_timeout_sec = 20.0\n\n[other]\nx = 1\n`,
  },
  {
    name: 'no arguments, other line endings, no last one',
    before: '[mcp_servers.a]\r\ncommand = "x"',
    after: `[mcp_servers.a]\r\ncommand = '${SHIM}'\r\nargs = ['--server', 'a', '--', 'x']\r\nenv = { CALLGATE_ENTRY_ENV = '-' }`,
  },
  {
    name: 'empty arguments, variables inline',
    before: "[mcp_servers.a]\ncommand = 'x'\nargs = []\nenv = { A = '1', \"B c\" = '2' }\n",
    after: `[mcp_servers.a]\ncommand = '${SHIM}'\nargs = ['--server', 'a', '--', 'x']\nenv = { CALLGATE_ENTRY_ENV = '- A', A = '1', "B c" = '2' }\n`,
  },
  {
    name: 'variables in a table of their own, others between',
    before: '[mcp_servers.a]\ncommand = "x"\n\n[between]\ny = 2\n\n[mcp_servers.a.env]\nA = "1"\nB = "2"\n',
    after: `[mcp_servers.a]\ncommand = '${SHIM}'\nargs = ['--server', 'a', '--', 'x']\n\n[between]\ny = 2\n\n[mcp_servers.a.env]\nA = "1"\nCALLGATE_ENTRY_ENV = 'A B'\nB = "2"\n`,
  },
  {
    name: 'variables handed on by name',
    before: '[mcp_servers.a]\ncommand = "x"\nenv_vars = ["T", { name = "U", source = "local" }]\n',
    after: `[mcp_servers.a]\ncommand = '${SHIM}'\nargs = ['--server', 'a', '--', 'x']\nenv = { CALLGATE_ENTRY_ENV = 'T U' }\nenv_vars = ["T", { name = "U", source = "local" }]\n`,
  },
  {
    name: 'dotted keys',
    before: 'mcp_servers.a.command = "x"\nmcp_servers.a.args = ["y"]\nmcp_servers.a.env.A = "1"\n',
    after: `mcp_servers.a.command = '${SHIM}'\nmcp_servers.a.args = ['--server', 'a', '--', 'x', "y"]\nmcp_servers.a.env.A = "1"\nmcp_servers.a.env.CALLGATE_ENTRY_ENV = '- A'\n`,
  },
  {
    name: 'an inline table',
    before: '[mcp_servers]\na = { command = "x", args = ["y"], enabled = false } # one\n',
    after: `[mcp_servers]\na = { command = '${SHIM}', args = ['--server', 'a', '--', 'x', 'y'], enabled = false, env = { CALLGATE_ENTRY_ENV = '-' } } # one\n`,
  },
  {
    name: 'a name in quotes',
    before: '[mcp_servers."a b"]\ncommand = "x"\n',
    after: `[mcp_servers."a b"]\ncommand = '${SHIM}'\nargs = ['--server', 'a b', '--', 'x']\nenv = { CALLGATE_ENTRY_ENV = '-' }\n`,
  },
  {
    name: 'an address',
    before: '[mcp_servers.w]\nurl = "https://h.example/mcp" # there\nenabled = true\n',
    after: `[mcp_servers.w]\ncommand = '${SHIM}'\nargs = ['--server', 'w', '--url', 'https://h.example/mcp'] # there\nenabled = true\n`,
  },
  {
    name: 'an address with scopes',
    before: '[mcp_servers.w]\nscopes = ["a", "b"]\nurl = "https://h.example/mcp"\n',
    after: `[mcp_servers.w]\nscopes = ["a", "b"]\ncommand = '${SHIM}'\nargs = ['--server', 'w', '--url', 'https://h.example/mcp']\nenv = { CALLGATE_OAUTH_SCOPE = 'a b' }\n`,
  },
  {
    name: 'an address with a token in a variable',
    before: '[mcp_servers.w]\nurl = "https://h.example/mcp"\nbearer_token_env_var = "TOKEN"\nenabled_tools = ["x"]\n',
    after: `[mcp_servers.w]\ncommand = '${SHIM}'\nargs = ['--server', 'w', '--url', 'https://h.example/mcp']\nenv_vars = ['TOKEN']\nenv = { CALLGATE_HEADER_FROM_1 = 'Authorization: Bearer TOKEN' }\nenabled_tools = ["x"]\n`,
  },
  {
    name: 'an address with headers inline, of both kinds',
    before: '[mcp_servers.w]\nurl = "https://h.example/mcp"\nhttp_headers = { "X-A" = "1" }\nenv_http_headers = { "X-B" = "B" }\n',
    after: `[mcp_servers.w]\ncommand = '${SHIM}'\nargs = ['--server', 'w', '--url', 'https://h.example/mcp']\nenv_vars = ['B']\nenv = { CALLGATE_HEADER_1 = 'X-A: 1', CALLGATE_HEADER_FROM_1 = 'X-B: B' }\n`,
  },
  {
    name: 'an address with headers in a table',
    before: '[mcp_servers.w]\nurl = "https://h.example/mcp"\n\n[mcp_servers.w.http_headers]\nX-A = "it\'s"\nX-B = "2"\n\n[z]\n',
    after: `[mcp_servers.w]\ncommand = '${SHIM}'\nargs = ['--server', 'w', '--url', 'https://h.example/mcp']\n\n[mcp_servers.w.env]\nCALLGATE_HEADER_1 = '''X-A: it's'''\nCALLGATE_HEADER_2 = 'X-B: 2'\n\n[z]\n`,
  },
];

describe('servers in TOML', () => {
  it.each(rows)('$name', ({ before, after }) => {
    const { text, undo } = edited(planMcp(CODEX, before, names(before), SHIM));
    expect(text).toBe(after);
    expect(edited(planMcp(CODEX, text, names(text), SHIM)).text).toBe(text);
    expect(listServers(CODEX, text, SHIM)).toMatchObject([{ state: 'wrapped' }]);
    expect(edited(unplanMcp(CODEX, text, undo)).text).toBe(before);
    // The client itself adds a server, in front or behind.
    const more = '[mcp_servers.zz]\ncommand = "z"\n';
    const tail = text.endsWith('\n') ? '' : '\n';
    expect(edited(unplanMcp(CODEX, text + tail + more, undo)).text).toBe(before + tail + more);
  });

  it.each(rows.filter(({ before }) => before.startsWith('[mcp_servers.') || before.startsWith('#')))(
    'without the record: $name',
    ({ before }) => {
      const { text } = edited(planMcp(CODEX, before, names(before), SHIM));
      const back = parse(edited(unplanMcp(CODEX, text, null)).text);
      const was = parse(before);
      // An empty list of arguments cannot be told from none.
      expect(JSON.parse(JSON.stringify(back).replaceAll('"args":[],', ''))).toEqual(
        JSON.parse(JSON.stringify(was).replaceAll('"args":[],', '')),
      );
    },
  );

  it('the shim finds the headers in the variables that Codex hands on', () => {
    const body =
      'url = "https://h.example/mcp"\nbearer_token_env_var = "T"\nenv_http_headers = { X-B = "B" }\nhttp_headers = { X-A = "1" }\n';
    const { text } = edited(planMcp(CODEX, `[mcp_servers.w]\n${body}`, ['w'], SHIM));
    const { args, env, env_vars } = (
      parse(text) as unknown as { mcp_servers: { w: { args: string[]; env: Record<string, string>; env_vars: string[] } } }
    ).mcp_servers.w;
    expect(env_vars).toEqual(['T', 'B']);
    expect(parseShimCommand(args, { ...env, T: 'secret', B: 'two' }, '/')).toMatchObject({
      upstream: { url: 'https://h.example/mcp', headers: { Authorization: 'Bearer secret', 'X-A': '1', 'X-B': 'two' } },
    });
    expect(parseShimCommand(args, { ...env, B: 'two' }, '/')).toBe('the variable T, which holds the header Authorization, is not set');
    expect(parseShimCommand(args, { ...env, T: 'a\nb', B: 'two' }, '/')).toMatch(/cannot be sent/u);
    expect(parseShimCommand(args, { CALLGATE_HEADER_FROM_1: 'T' }, '/')).toMatch(/^CALLGATE_HEADER_FROM_1 must hold/u);
  });

  it('an entry that was edited since keeps the edit', () => {
    const before = '[mcp_servers.a]\ncommand = "x"\nargs = ["y"]\n';
    const { text, undo } = edited(planMcp(CODEX, before, ['a'], SHIM));
    const result = edited(unplanMcp(CODEX, text.replace('"y"', '"y", "z"'), undo));
    expect(parse(result.text)).toEqual({ mcp_servers: { a: { command: 'x', args: ['y', 'z'] } } });
  });

  it('another launcher and new variables are brought up to date', () => {
    const { text } = edited(
      planMcp(CODEX, '[mcp_servers.a]\ncommand = "x"\nenv = { A = "1" }\n', ['a'], '/old/.callgate/bin/callgate-mcp'),
    );
    expect(listServers(CODEX, text, SHIM)).toMatchObject([{ state: 'plain', foreign: '/old/.callgate/bin/callgate-mcp' }]);
    const grown = text.replace("A = '1'", "A = '1', B = '2'").replace('A = "1"', 'A = "1", B = "2"');
    const now = edited(planMcp(CODEX, grown, ['a'], SHIM));
    expect(parse(now.text)).toEqual({
      mcp_servers: { a: { command: SHIM, args: ['--server', 'a', '--', 'x'], env: { CALLGATE_ENTRY_ENV: 'A B', A: '1', B: '2' } } },
    });
  });

  it.each([
    ['a sign-in of its own', 'url = "https://h.example"\noauth_resource = "r"', /oauth_resource/u],
    ['a client of its own', 'url = "https://h.example"\noauth = { client_id = "c" }', /"oauth"/u],
    ['another environment', 'command = "x"\nexperimental_environment = "remote"', /another environment/u],
    [
      'headers in two tables',
      'url = "https://h.example"\n[mcp_servers.a.http_headers]\nA = "1"\n[mcp_servers.a.env_http_headers]\nB = "C"',
      /two tables/u,
    ],
    ['variables by name beside an address', 'url = "https://h.example"\nenv_vars = ["OPENAI_API_KEY"]', /"env_vars".*to a program/u],
    ['neither', 'enabled = true', /neither/u],
  ])('leaves %s alone and says why', (_name, body, why) => {
    const before = `[mcp_servers.a]\n${body}\n`;
    expect(edited(planMcp(CODEX, before, ['a'], SHIM))).toMatchObject({ text: before, warnings: [expect.stringMatching(why)] });
  });

  it.each([
    ['broken', '[mcp_servers.a', 'INVALID_FILE'],
    ['no table', 'mcp_servers = 1', 'INVALID_FILE'],
    ['all in one inline table', 'mcp_servers = { a = { command = "x" } }', 'UNSUPPORTED_SHAPE'],
  ])('refuses what it cannot edit: %s', (_name, text, code) => {
    expect(planMcp(CODEX, text, ['a'], SHIM)).toMatchObject({ kind: 'refused', code });
  });

  const value = fc.constantFrom('"x"', "'y z'", '"""\nm\n"""', '"a\\"b"');
  const entry = fc.record({
    form: fc.constantFrom('table', 'inline', 'dotted'),
    kind: fc.constantFrom('program', 'address'),
    command: value,
    args: fc.option(fc.constantFrom('[]', '["a"]', '[ # c\n "a", "b",\n]')),
    env: fc.option(fc.constantFrom('{ A = "1" }', '{}')),
    note: fc.constantFrom('', ' # note'),
    gap: fc.constantFrom('', '\n', '# c = 1\n'),
  });
  const file = fc
    .tuple(
      fc.uniqueArray(fc.constantFrom('a', 'b', '"c d"', "'e.f'"), { minLength: 1, maxLength: 3 }),
      fc.array(entry, { minLength: 3, maxLength: 3 }),
    )
    .map(([keys, entries]) => {
      const dotted: string[] = [];
      const inline: string[] = [];
      const tables: string[] = [];
      for (const [index, key] of keys.entries()) {
        const one = entries[index];
        if (!one) continue;
        const pairs =
          one.kind === 'program'
            ? [
                `command = ${one.command}`,
                ...(one.args === null ? [] : [`args = ${one.args}`]),
                ...(one.env === null ? [] : [`env = ${one.env}`]),
              ]
            : ['url = "https://h.example/mcp"', ...(one.env === '{ A = "1" }' ? ['http_headers = { A = "1" }'] : [])];
        const flat = pairs.filter((pair) => !pair.includes('\n'));
        if (one.form === 'inline' && flat.length === pairs.length) inline.push(`${key} = { ${pairs.join(', ')} }${one.note}\n`);
        else if (one.form === 'dotted') dotted.push(...pairs.map((pair) => `mcp_servers.${key}.${pair}${one.note}\n`));
        else tables.push(`[mcp_servers.${key}]\n${one.gap}${pairs.map((pair) => `${pair}${one.note}\n`).join('')}\n`);
      }
      return dotted.length > 0
        ? `${dotted.join('')}\n[z]\n${tables.length > 0 ? '' : 'y = 1\n'}`
        : `${inline.length > 0 ? `[mcp_servers]\n${inline.join('')}` : ''}${tables.join('')}[z]\n`;
    });

  it('round trips of any shape', () => {
    fc.assert(
      fc.property(file, (before) => {
        const { text, undo } = edited(planMcp(CODEX, before, names(before), SHIM));
        expect(Object.keys((parse(text) as { mcp_servers?: object }).mcp_servers ?? {})).toEqual(names(before));
        expect(edited(planMcp(CODEX, text, names(text), SHIM)).text).toBe(text);
        if (text === before) return;
        expect(edited(unplanMcp(CODEX, `${text}q = 1\n`, undo)).text).toBe(`${before}q = 1\n`);
      }),
      { numRuns: 300 },
    );
  });
});
