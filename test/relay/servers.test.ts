/**
 * Real MCP servers from npm: what they list and what one call gives is the same, byte for byte, through the relay as without it. Calls that
 * would leave this machine are made with arguments that the server itself refuses.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { relayWorld, check } from './kit.ts';
import type { RelayWorld } from './kit.ts';

const modules = join(import.meta.dirname, '..', '..', '.cache', 'servers', 'node_modules');
const KEY = 'not-a-key';

interface Row {
  readonly server: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly call: readonly [tool: string, args: Readonly<Record<string, unknown>>];
}

/** `WORK` stands for the sandbox's folder, `REDIS` for the address of something that answers like Redis. */
const rows: readonly Row[] = [
  { server: '@modelcontextprotocol/server-everything', args: ['stdio'], call: ['echo', { message: 'hello' }] },
  { server: '@modelcontextprotocol/server-filesystem', args: ['WORK'], call: ['list_directory', { path: 'WORK' }] },
  { server: '@modelcontextprotocol/server-memory', env: { MEMORY_FILE_PATH: 'WORK/memory.json' }, call: ['read_graph', {}] },
  {
    server: '@modelcontextprotocol/server-sequential-thinking',
    call: ['sequentialthinking', { thought: 'First', nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 }],
  },
  { server: '@modelcontextprotocol/server-pdf', args: ['--stdio'], call: ['list_pdfs', {}] },
  { server: '@modelcontextprotocol/server-brave-search', env: { BRAVE_API_KEY: KEY }, call: ['brave_web_search', {}] },
  { server: '@modelcontextprotocol/server-everart', env: { EVERART_API_KEY: KEY }, call: ['no_such_tool', {}] },
  { server: '@modelcontextprotocol/server-gdrive', env: { GDRIVE_CREDENTIALS_PATH: 'WORK/gdrive.json' }, call: ['no_such_tool', {}] },
  { server: '@modelcontextprotocol/server-github', call: ['get_issue', {}] },
  { server: '@modelcontextprotocol/server-gitlab', env: { GITLAB_PERSONAL_ACCESS_TOKEN: KEY }, call: ['create_issue', {}] },
  { server: '@modelcontextprotocol/server-google-maps', env: { GOOGLE_MAPS_API_KEY: KEY }, call: ['no_such_tool', {}] },
  { server: '@modelcontextprotocol/server-postgres', args: ['postgresql://127.0.0.1:9/none'], call: ['no_such_tool', {}] },
  { server: '@modelcontextprotocol/server-puppeteer', call: ['no_such_tool', {}] },
  { server: '@modelcontextprotocol/server-redis', args: ['REDIS'], call: ['get', {}] },
  { server: '@modelcontextprotocol/server-slack', env: { SLACK_BOT_TOKEN: KEY, SLACK_TEAM_ID: KEY }, call: ['slack_post_message', {}] },
  { server: '@playwright/mcp', call: ['browser_resize', { width: 'wide' }] },
  { server: '@upstash/context7-mcp', call: ['resolve-library-id', {}] },
  { server: 'firecrawl-mcp', env: { FIRECRAWL_API_KEY: KEY }, call: ['firecrawl_check_crawl_status', {}] },
  { server: '@notionhq/notion-mcp-server', call: ['no_such_tool', {}] },
  { server: 'exa-mcp-server', env: { EXA_API_KEY: KEY }, call: ['web_search_exa', {}] },
  { server: 'tavily-mcp', env: { TAVILY_API_KEY: KEY }, call: ['no_such_tool', {}] },
  { server: '@wonderwhy-er/desktop-commander', call: ['get_file_info', {}] },
  { server: 'chrome-devtools-mcp', call: ['click', {}] },
  { server: 'figma-developer-mcp', args: ['--stdio', `--figma-api-key=${KEY}`], call: ['get_figma_data', {}] },
  { server: '@eslint/mcp', call: ['lint-files', {}] },
  { server: '@mui/mcp', call: ['fetchDocs', {}] },
  { server: '@cyanheads/git-mcp-server', call: ['git_log', { maxCount: 'many' }] },
  { server: 'mcp-obsidian', args: ['WORK'], call: ['search_notes', { query: 'note' }] },
];

function program(server: string): string {
  const { bin } = JSON.parse(readFileSync(join(modules, server, 'package.json'), 'utf8')) as { bin: string | Record<string, string> };
  return join(modules, server, typeof bin === 'string' ? bin : (Object.values(bin)[0] ?? ''));
}

let world: RelayWorld;
let redis = '';
/** Says yes to whatever it is sent: the server only needs to find something there. */
const redisLike = createServer((socket) => {
  socket.on('data', (chunk: Buffer) => socket.write('+OK\r\n'.repeat(String(chunk).match(/^\*\d+\r$/gm)?.length ?? 1)));
  socket.on('error', () => undefined);
});
before(async () => {
  world = await relayWorld();
  world.box.write('notes/one.md', 'A note.');
  world.box.write('gdrive.json', '{}');
  await new Promise<void>((resolve) => redisLike.listen(0, '127.0.0.1', resolve));
  const address = redisLike.address();
  redis = `redis://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
});
after(async () => {
  await new Promise((resolve) => redisLike.close(resolve));
  await world.stop();
});

for (const { server, args = [], env = {}, call } of rows) {
  test(server, async () => {
    const filled = (text: string): string => text.replace('WORK', world.box.work).replace('REDIS', redis);
    const filledAll = <T>(value: T): T => JSON.parse(filled(JSON.stringify(value))) as T;
    mkdirSync(world.box.work, { recursive: true });
    const [name, given] = call;
    const answers = await check(
      server,
      {
        command: process.execPath,
        args: [program(server), ...args.map(filled)],
        env: { ...world.env, ...filledAll(env) },
        cwd: world.box.work,
      },
      world,
      [
        { method: 'tools/list', params: {} },
        { method: 'tools/call', params: { name, arguments: filledAll(given) } },
      ],
    );
    const listed = JSON.parse(answers[1] ?? '') as { result?: { tools?: readonly unknown[] } };
    assert.ok((listed.result?.tools?.length ?? 0) > 0, 'it lists tools');
  });
}
