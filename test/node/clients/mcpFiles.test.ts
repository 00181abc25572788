/** Every client's file: where it lies, and what becomes of its entries. One row for each form a client knows. */
import { describe, expect, it } from 'vitest';
import type { McpFile, Place } from '#node/clients/mcp/mcpFile.ts';
import { MCP_FILES, mcpFileAt } from '#node/clients/mcp/mcpFiles.ts';
import { listServers, planMcp, unplanMcp } from '#node/clients/mcpServers.ts';
import { parseShimCommand } from '#node/proxy/shim/shimCommand.ts';
import { SHIM } from './clientHome.ts';

function fileOf(id: string): McpFile {
  const found = MCP_FILES.find((one) => one.id === id);
  if (!found) throw new Error(id);
  return found;
}

const PLACES: readonly Place[] = [
  { platform: 'linux', home: '/home/u', env: {}, workspaceFolders: ['/w'], foldersIn: () => ['a1'] },
  { platform: 'darwin', home: '/Users/u', env: {}, workspaceFolders: ['/w'], foldersIn: () => ['a1'] },
  {
    platform: 'win32',
    home: 'C:\\Users\\u',
    env: { APPDATA: 'C:\\Users\\u\\AppData\\Roaming' },
    workspaceFolders: ['C:\\w'],
    foldersIn: () => ['a1'],
  },
];

describe('where the files lie', () => {
  it.each([
    ['claudeProject', '/w/.mcp.json', '/w/.mcp.json', 'C:\\w\\.mcp.json'],
    ['claudeUser', '/home/u/.claude.json', '/Users/u/.claude.json', 'C:\\Users\\u\\.claude.json'],
    ['vscodeProject', '/w/.vscode/mcp.json', '/w/.vscode/mcp.json', 'C:\\w\\.vscode\\mcp.json'],
    [
      'vscodeUser',
      '/home/u/.config/Code/User/mcp.json',
      '/Users/u/Library/Application Support/Code/User/profiles/a1/mcp.json',
      'C:\\Users\\u\\AppData\\Roaming\\Code - Insiders\\User\\mcp.json',
    ],
    [
      'vscodeUser',
      '/home/u/.vscode-server/data/User/mcp.json',
      '/Users/u/Library/Application Support/VSCodium/User/mcp.json',
      'C:\\Users\\u\\AppData\\Roaming\\Code\\User\\profiles\\a1\\mcp.json',
    ],
    ['cursor', '/w/.cursor/mcp.json', '/Users/u/.cursor/mcp.json', 'C:\\Users\\u\\.cursor\\mcp.json'],
    ['codexUser', '/home/u/.codex/config.toml', '/Users/u/.codex/config.toml', 'C:\\Users\\u\\.codex\\config.toml'],
    ['codexProject', '/w/.codex/config.toml', '/w/.codex/config.toml', 'C:\\w\\.codex\\config.toml'],
    [
      'claudeDesktop',
      '/home/u/.config/Claude/claude_desktop_config.json',
      '/Users/u/Library/Application Support/Claude/claude_desktop_config.json',
      'C:\\Users\\u\\AppData\\Roaming\\Claude\\claude_desktop_config.json',
    ],
    [
      'windsurf',
      '/home/u/.codeium/windsurf/mcp_config.json',
      '/Users/u/.codeium/windsurf/mcp_config.json',
      'C:\\Users\\u\\.codeium\\windsurf\\mcp_config.json',
    ],
    [
      'cline',
      '/home/u/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json',
      '/Users/u/Library/Application Support/Cursor/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json',
      'C:\\Users\\u\\.cline\\data\\settings\\cline_mcp_settings.json',
    ],
    ['geminiUser', '/home/u/.gemini/settings.json', '/Users/u/.gemini/settings.json', 'C:\\Users\\u\\.gemini\\settings.json'],
    ['geminiProject', '/w/.gemini/settings.json', '/w/.gemini/settings.json', 'C:\\w\\.gemini\\settings.json'],
    ['copilotUser', '/home/u/.copilot/mcp-config.json', '/Users/u/.copilot/mcp-config.json', 'C:\\Users\\u\\.copilot\\mcp-config.json'],
    ['copilotProject', '/w/.github/mcp.json', '/w/.github/mcp.json', 'C:\\w\\.github\\mcp.json'],
    [
      'zedUser',
      '/home/u/.config/zed/settings.json',
      '/Users/u/.config/zed/settings.json',
      'C:\\Users\\u\\AppData\\Roaming\\Zed\\settings.json',
    ],
    ['zedProject', '/w/.zed/settings.json', '/w/.zed/settings.json', 'C:\\w\\.zed\\settings.json'],
  ])('%s', (id, ...paths) => {
    for (const [index, place] of PLACES.entries()) expect(fileOf(id).locate(place)).toContain(paths[index]);
  });

  it.each([
    ['claudeUser', { CLAUDE_CONFIG_DIR: '/c' }, '/c/.claude.json'],
    ['codexUser', { CODEX_HOME: '/c' }, '/c/config.toml'],
    ['copilotUser', { COPILOT_HOME: '/c' }, '/c/mcp-config.json'],
    ['zedUser', { XDG_CONFIG_HOME: '/c' }, '/c/zed/settings.json'],
    ['cline', { CLINE_DIR: '/c' }, '/c/data/settings/cline_mcp_settings.json'],
  ])('%s moves with %o', (id, env, path) => {
    expect(fileOf(id).locate({ platform: 'linux', home: '/home/u', workspaceFolders: [], foldersIn: () => [], env })).toContain(path);
  });

  it('an editor that keeps its user folder elsewhere says where', () => {
    const place: Place = {
      platform: 'linux',
      home: '/home/u',
      env: {},
      workspaceFolders: [],
      foldersIn: () => [],
      editorUserFolders: ['/portable/data/User'],
    };
    expect(fileOf('vscodeUser').locate(place)).toContain('/portable/data/User/mcp.json');
    expect(fileOf('cline').locate(place)).toContain(
      '/portable/data/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json',
    );
  });

  it('a recorded path is found again as the kind of file it is, and no other path is', () => {
    for (const place of PLACES)
      for (const file of MCP_FILES)
        for (const path of file.locate(place)) {
          const found = mcpFileAt(path);
          expect([path, found?.format, found?.shape, found?.containers]).toEqual([path, file.format, file.shape, file.containers]);
        }
    for (const path of [
      '/home/u/.ssh/config',
      '/home/u/.claude/settings.json',
      '/home/u/.config/Code/User/settings.json',
      '/w/mcp.json',
      '/w/package.json',
    ])
      expect([path, mcpFileAt(path)]).toEqual([path, undefined]);
  });
});

const told = { env: { CALLGATE_ENTRY_ENV: '-' } };
const via = (...words: readonly string[]): readonly string[] => ['--server', 's', ...words];

interface Row {
  readonly name: string;
  readonly file: string;
  readonly entry: object;
  /** Null: left as it is, for a reason that matches `why`. */
  readonly after: object | null;
  readonly why?: RegExp;
}

const rows: readonly Row[] = [
  {
    name: 'Claude: a program with variables',
    file: 'claudeProject',
    entry: { type: 'stdio', command: 'npx', args: ['-y', 'x'], env: { TOKEN: '${TOKEN:-none}', B: '1' }, timeout: 5 },
    after: {
      type: 'stdio',
      command: SHIM,
      args: via('--', 'npx', '-y', 'x'),
      env: { TOKEN: '${TOKEN:-none}', B: '1', CALLGATE_ENTRY_ENV: 'TOKEN B' },
      timeout: 5,
    },
  },
  {
    name: 'Claude: a WebSocket',
    file: 'claudeUser',
    entry: { type: 'ws', url: 'wss://h.example/mcp', headers: { Authorization: 'Bearer ${T}' } },
    after: {
      type: 'stdio',
      command: SHIM,
      args: via('--url', 'wss://h.example/mcp', '--transport', 'websocket'),
      env: { CALLGATE_HEADER_1: 'Authorization: Bearer ${T}' },
    },
  },
  {
    name: 'Claude: streamable-http, switched off, with a sign-in that says nothing',
    file: 'claudeProject',
    entry: { type: 'streamable-http', url: 'https://h.example/mcp', oauth: {}, disabled: true },
    after: { type: 'stdio', command: SHIM, args: via('--url', 'https://h.example/mcp', '--transport', 'http'), oauth: {}, disabled: true },
  },
  {
    name: 'Claude: scopes',
    file: 'claudeUser',
    entry: { type: 'http', url: 'https://h.example/mcp', oauth: { scopes: 'a b' } },
    after: {
      type: 'stdio',
      command: SHIM,
      args: via('--url', 'https://h.example/mcp', '--transport', 'http'),
      env: { CALLGATE_OAUTH_SCOPE: 'a b' },
      oauth: { scopes: 'a b' },
    },
  },
  {
    name: 'Claude: scopes beside a header',
    file: 'claudeUser',
    entry: { url: 'https://h.example/mcp', headers: { A: 'b' }, oauth: { scopes: ['a', 'b'] } },
    after: {
      command: SHIM,
      args: via('--url', 'https://h.example/mcp'),
      env: { CALLGATE_HEADER_1: 'A: b', CALLGATE_OAUTH_SCOPE: 'a b' },
      oauth: { scopes: ['a', 'b'] },
    },
  },
  {
    name: 'VS Code: SSE with an input',
    file: 'vscodeUser',
    entry: { type: 'sse', url: 'https://h.example/sse', headers: { 'X-Key': '${input:key}' } },
    after: {
      type: 'stdio',
      command: SHIM,
      args: via('--url', 'https://h.example/sse', '--transport', 'sse'),
      env: { CALLGATE_HEADER_1: 'X-Key: ${input:key}' },
    },
  },
  {
    name: 'VS Code: a file of variables and watching stay',
    file: 'vscodeProject',
    entry: { command: 'node', args: ['s.js'], envFile: '${workspaceFolder}/.env', cwd: '${workspaceFolder}', dev: { watch: '*.js' } },
    after: {
      command: SHIM,
      args: via('--', 'node', 's.js'),
      envFile: '${workspaceFolder}/.env',
      cwd: '${workspaceFolder}',
      dev: { watch: '*.js' },
    },
  },
  {
    name: 'VS Code: a sandbox',
    file: 'vscodeProject',
    entry: { command: 'node', sandboxEnabled: true, sandbox: { network: {} } },
    after: null,
    why: /sandbox/u,
  },
  {
    name: 'VS Code: a sandbox that is off',
    file: 'vscodeProject',
    entry: { command: 'node', sandboxEnabled: false },
    after: { command: SHIM, args: via('--', 'node'), ...told, sandboxEnabled: false },
  },
  {
    name: 'VS Code: a debugger',
    file: 'vscodeProject',
    entry: { command: 'node', dev: { debug: { type: 'node' } } },
    after: null,
    why: /debugger/u,
  },
  {
    name: 'VS Code: a socket',
    file: 'vscodeProject',
    entry: { type: 'http', url: 'unix:///tmp/s.sock' },
    after: null,
    why: /can be relayed/u,
  },
  {
    name: 'Cursor: an address without a type',
    file: 'cursor',
    entry: { url: '${env:URL}', headers: { A: '${env:A}' } },
    after: { command: SHIM, args: via('--url', '${env:URL}'), env: { CALLGATE_HEADER_1: 'A: ${env:A}' } },
  },
  {
    name: 'Cursor: a client of its own',
    file: 'cursor',
    entry: { url: 'https://h.example', auth: { CLIENT_ID: 'c' } },
    after: null,
    why: /signs in/u,
  },
  {
    name: 'Claude Desktop: a program',
    file: 'claudeDesktop',
    entry: { command: 'uvx', args: ['x'] },
    after: { command: SHIM, args: via('--', 'uvx', 'x'), ...told },
  },
  {
    name: 'Claude Desktop: an address it would not read',
    file: 'claudeDesktop',
    entry: { url: 'https://h.example' },
    after: null,
    why: /neither/u,
  },
  {
    name: 'Windsurf: serverUrl',
    file: 'windsurf',
    entry: { serverUrl: 'https://h.example/mcp', headers: { API_KEY: 'Bearer ${env:T}' }, disabledTools: ['x'] },
    after: {
      command: SHIM,
      args: via('--url', 'https://h.example/mcp'),
      env: { CALLGATE_HEADER_1: 'API_KEY: Bearer ${env:T}' },
      disabledTools: ['x'],
    },
  },
  {
    name: 'Cline: an address without a type is SSE',
    file: 'cline',
    entry: { url: 'https://h.example/sse', autoApprove: [], timeout: 60 },
    after: { command: SHIM, args: via('--url', 'https://h.example/sse', '--transport', 'sse'), autoApprove: [], timeout: 60 },
  },
  {
    name: 'Cline: streamableHttp',
    file: 'cline',
    entry: { type: 'streamableHttp', url: 'https://h.example/mcp', headers: { A: 'b' } },
    after: {
      type: 'stdio',
      command: SHIM,
      args: via('--url', 'https://h.example/mcp', '--transport', 'http'),
      env: { CALLGATE_HEADER_1: 'A: b' },
    },
  },
  {
    name: 'Cline: the older word for a type',
    file: 'cline',
    entry: { transportType: 'sse', url: 'https://h.example/sse' },
    after: { transportType: 'stdio', command: SHIM, args: via('--url', 'https://h.example/sse', '--transport', 'sse') },
  },
  {
    name: 'Gemini: httpUrl',
    file: 'geminiUser',
    entry: { httpUrl: 'https://h.example/mcp', headers: { A: '$A' }, trust: false, includeTools: ['x'] },
    after: {
      command: SHIM,
      args: via('--url', 'https://h.example/mcp', '--transport', 'http'),
      env: { CALLGATE_HEADER_1: 'A: $A' },
      trust: false,
      includeTools: ['x'],
    },
  },
  {
    name: 'Claude: variables beside an address, which the client itself gives to nobody',
    file: 'claudeProject',
    entry: { type: 'http', url: 'https://h.example/mcp', env: { LD_PRELOAD: './x.so' } },
    after: null,
    why: /"env".*to a program/u,
  },
  {
    name: 'Cursor: headers and variables beside an address',
    file: 'cursor',
    entry: { url: 'https://h.example/mcp', headers: { A: 'b' }, env: { CALLGATE_HEADER_FROM_1: 'X: OPENAI_API_KEY' } },
    after: null,
    why: /"env".*to a program/u,
  },
  {
    name: 'VS Code: a file of variables beside an address',
    file: 'vscodeProject',
    entry: { type: 'http', url: 'https://h.example/mcp', envFile: '${workspaceFolder}/.env' },
    after: null,
    why: /"envFile".*to a program/u,
  },
  {
    name: 'Claude: no variables beside an address',
    file: 'claudeProject',
    entry: { url: 'https://h.example/mcp', env: {} },
    after: { command: SHIM, args: via('--url', 'https://h.example/mcp'), env: {} },
  },
  {
    name: 'Gemini: both addresses',
    file: 'geminiUser',
    entry: { httpUrl: 'https://a.example', url: 'https://b.example' },
    after: null,
    why: /two addresses/u,
  },
  {
    name: 'Gemini: signs in with Google',
    file: 'geminiProject',
    entry: { httpUrl: 'https://a.example', authProviderType: 'google_credentials' },
    after: null,
    why: /authProviderType/u,
  },
  {
    name: 'Gemini: a sign-in that is only switched on',
    file: 'geminiUser',
    entry: { url: 'https://a.example/mcp', oauth: { enabled: true } },
    after: { command: SHIM, args: via('--url', 'https://a.example/mcp'), oauth: { enabled: true } },
  },
  {
    name: 'Copilot: local, one variable: its name alone would be taken for its value',
    file: 'copilotUser',
    entry: { type: 'local', tools: ['*'], command: 'npx', args: [], env: { KEY: 'KEY' } },
    after: { type: 'local', tools: ['*'], command: SHIM, args: via('--', 'npx'), env: { KEY: 'KEY', CALLGATE_ENTRY_ENV: '- KEY' } },
  },
  {
    name: 'Copilot: http',
    file: 'copilotProject',
    entry: { type: 'http', url: 'https://h.example/mcp', headers: { A: '${A:-b}' }, tools: ['*'] },
    after: {
      type: 'stdio',
      command: SHIM,
      args: via('--url', 'https://h.example/mcp', '--transport', 'http'),
      env: { CALLGATE_HEADER_1: 'A: ${A:-b}' },
      tools: ['*'],
    },
  },
  {
    name: 'Copilot: a client of its own',
    file: 'copilotUser',
    entry: { type: 'http', url: 'https://h.example', oauthClientId: 'x' },
    after: null,
    why: /client of its own/u,
  },
  {
    name: 'Zed: a custom program',
    file: 'zedUser',
    entry: { source: 'custom', enabled: false, command: 'x', args: ['y'], env: null },
    after: null,
    why: /"env" is not an object/u,
  },
  {
    name: 'Zed: a custom program with variables',
    file: 'zedUser',
    entry: { source: 'custom', command: 'x', args: ['y'], env: { A: '1' } },
    after: { source: 'custom', command: SHIM, args: via('--', 'x', 'y'), env: { A: '1', CALLGATE_ENTRY_ENV: '- A' } },
  },
  {
    name: 'Zed: an address',
    file: 'zedProject',
    entry: { url: 'https://h.example/mcp', headers: { A: 'b' } },
    after: { command: SHIM, args: via('--url', 'https://h.example/mcp'), env: { CALLGATE_HEADER_1: 'A: b' } },
  },
  { name: 'Zed: of an extension', file: 'zedUser', entry: { source: 'extension', settings: {} }, after: null, why: /extension of Zed/u },
  { name: 'Zed: the older form', file: 'zedUser', entry: { command: { path: 'x', args: [] } }, after: null, why: /older form/u },
];

describe('what becomes of an entry', () => {
  it.each(rows)('$name', ({ file: id, entry, after, why }) => {
    const file = fileOf(id);
    const key = file.containers[0]?.[0] ?? '';
    const before = JSON.stringify({ first: [1], [key]: { s: entry } }, null, '\t');
    const result = planMcp(file, before, ['s'], SHIM);
    if (result.kind === 'refused') throw new Error(result.problem.message);
    const now = JSON.parse(result.text) as Record<string, Record<string, unknown>>;
    expect(now[key]?.['s']).toEqual(after ?? entry);
    if (after === null) {
      expect([result.text, result.warnings]).toEqual([before, [expect.stringMatching(why ?? /^$/u)]]);
      return;
    }
    expect(listServers(file, result.text, SHIM)).toMatchObject([{ name: 's', state: 'wrapped' }]);
    // And the shim understands what stands there, once the client has expanded it.
    const { args, env } = JSON.parse(JSON.stringify(after).replace('${env:URL}', 'https://h.example')) as {
      args: string[];
      env?: Record<string, string>;
    };
    expect(parseShimCommand(args, env ?? {}, '/')).toMatchObject({ server: 's' });
    // Undone by the record, and by the entry itself when the record is lost or somebody edited it since.
    expect(unplanMcp(file, result.text, result.undo)).toMatchObject({ text: before });
    const edited = result.text.replace('"s": {', '"s": {"x-mine": 1,');
    const back = unplanMcp(file, edited, result.undo);
    expect(back.kind === 'edited' && JSON.parse(back.text)[key].s).toEqual({ ...entry, 'x-mine': 1 });
    const lost = unplanMcp(file, result.text, null);
    expect(lost.kind === 'edited' && lost.text).not.toMatch(/callgate/iu);
  });
});

describe('Claude’s own file', () => {
  const file = fileOf('claudeUser');
  const value = {
    numStartups: 3,
    mcpServers: { a: { command: 'x' } },
    projects: {
      '/p': { history: ['h'], mcpServers: { a: { command: 'y' }, b: { type: 'http', url: 'https://h.example' } } },
      '/q': { mcpServers: {} },
    },
  };

  it('servers of every scope, each by a name of its own', () => {
    const before = JSON.stringify(value, null, 2);
    expect(listServers(file, before, SHIM)).toMatchObject([{ name: 'a' }, { name: 'a (/p)' }, { name: 'b (/p)' }]);
    const result = planMcp(file, before, ['a (/p)'], SHIM);
    if (result.kind === 'refused') throw new Error(result.problem.message);
    expect(JSON.parse(result.text)).toEqual({
      ...value,
      projects: {
        ...value.projects,
        '/p': {
          ...value.projects['/p'],
          mcpServers: { ...value.projects['/p'].mcpServers, a: { command: SHIM, args: ['--server', 'a', '--', 'y'], ...told } },
        },
      },
    });
    expect(unplanMcp(file, result.text, result.undo)).toMatchObject({ text: before });
  });

  it('grown to megabytes it lists the same servers', () => {
    const large = JSON.stringify({ ...value, history: Array.from({ length: 20_000 }, (_, at) => `prompt ${at} "{[`) });
    expect(large.length).toBeGreaterThan(256 * 1024);
    expect(listServers(file, large, SHIM)).toEqual(listServers(file, JSON.stringify(value), SHIM));
    expect(listServers(file, `${large},`, SHIM)).toMatchObject({ kind: 'refused', code: 'INVALID_FILE' });
    expect(listServers(file, JSON.stringify({ x: large, mcpServers: [] }), SHIM)).toMatchObject({ kind: 'refused', code: 'INVALID_FILE' });
  });
});
