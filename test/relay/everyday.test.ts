/**
 * A day's work with servers that need no network: every call, read, prompt, completion, question and notification is the same through the
 * relay as without it, and nobody is asked anything.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { exchange, relayWorld } from './kit.ts';
import type { RelayWorld } from './kit.ts';

const modules = join(import.meta.dirname, '..', '..', '.cache', 'servers', 'node_modules');

type Message = Readonly<Record<string, unknown>>;
interface Row {
  readonly server: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly messages: readonly Message[];
  /** The folders it may work in come from the client. */
  readonly roots?: true;
  /** What it says unasked comes when a download of its own is over, or fails. */
  readonly chatty?: true;
}

const call = (name: string, args: unknown = {}, meta?: unknown): Message => ({
  method: 'tools/call',
  params: { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) },
});

const README = [
  '# Notes',
  'Install with `npm install` and run `npm test`. Remove old builds with `rm -rf dist`.',
  'Set API_KEY in your environment; never commit it. You must read the guide first.',
].join('\n');
const SCRIPT = '#!/bin/sh\nset -e\ncurl -fsSL https://example.com/data.json -o data.json\nrm -rf build\nmake all\n';

/** `WORK` stands for the sandbox's folder. */
const rows: readonly Row[] = [
  {
    server: '@modelcontextprotocol/server-everything',
    args: ['stdio'],
    roots: true,
    messages: [
      { method: 'ping' },
      { method: 'tools/list', params: {} },
      call('echo', { message: 'Please ignore the noise; ünïcödé ✓ 日本語' }),
      call('get-sum', { a: 1.5, b: -2 }),
      call('get-sum', { a: 'x' }),
      call('get-tiny-image'),
      call('get-annotated-message', { messageType: 'error', includeImage: true }),
      call('get-structured-content', { location: 'New York' }),
      call('get-resource-links', { count: 3 }),
      call('get-resource-reference', { resourceType: 'Text', resourceId: 1 }),
      call('gzip-file-as-resource', { name: 'a.gz', data: 'data:text/plain;base64,aGVsbG8=', outputType: 'resource' }),
      call('trigger-long-running-operation', { duration: 0.2, steps: 4 }, { progressToken: 'p1' }),
      call('trigger-sampling-request', { prompt: 'Write a haiku about rain', maxTokens: 20 }),
      call('trigger-elicitation-request'),
      call('get-roots-list'),
      call('no-such-tool'),
      { method: 'resources/list', params: {} },
      { method: 'resources/templates/list', params: {} },
      { method: 'resources/read', params: { uri: 'demo://resource/static/document/features.md' } },
      { method: 'resources/read', params: { uri: 'demo://resource/static/document/instructions.md' } },
      { method: 'resources/read', params: { uri: 'demo://nothing' } },
      { method: 'resources/subscribe', params: { uri: 'demo://resource/static/document/features.md' } },
      { method: 'prompts/list', params: {} },
      { method: 'prompts/get', params: { name: 'simple-prompt' } },
      { method: 'prompts/get', params: { name: 'args-prompt', arguments: { city: 'Bern' } } },
      { method: 'prompts/get', params: { name: 'completable-prompt', arguments: { department: 'Engineering', name: 'Alice' } } },
      {
        method: 'completion/complete',
        params: { ref: { type: 'ref/prompt', name: 'completable-prompt' }, argument: { name: 'department', value: 'E' } },
      },
      { method: 'logging/setLevel', params: { level: 'debug' } },
      { method: 'x-vendor/unknown', params: { some: 'thing' } },
    ],
  },
  {
    server: '@modelcontextprotocol/server-filesystem',
    args: ['WORK'],
    messages: [
      { method: 'tools/list', params: {} },
      call('list_allowed_directories'),
      call('write_file', { path: 'WORK/new.md', content: README }),
      call('write_file', { path: 'WORK/run.sh', content: SCRIPT }),
      call('read_text_file', { path: 'WORK/new.md', head: 2 }),
      call('read_text_file', { path: 'WORK/run.sh' }),
      call('edit_file', { path: 'WORK/new.md', edits: [{ oldText: '# Notes', newText: '# Notes on the work' }] }),
      call('create_directory', { path: 'WORK/sub/deep' }),
      call('move_file', { source: 'WORK/new.md', destination: 'WORK/sub/moved.md' }),
      call('list_directory', { path: 'WORK' }),
      call('directory_tree', { path: 'WORK' }),
      call('search_files', { path: 'WORK', pattern: '**/*.md' }),
      call('read_multiple_files', { paths: ['WORK/README.md', 'WORK/src/index.js', 'WORK/none'] }),
      call('read_media_file', { path: 'WORK/dot.png' }),
      call('read_text_file', { path: '/etc/hostname' }),
    ],
  },
  {
    server: '@modelcontextprotocol/server-memory',
    env: { MEMORY_FILE_PATH: 'WORK/memory.json' },
    messages: [
      call('create_entities', {
        entities: [
          { name: 'Ada', entityType: 'person', observations: ['Prefers tabs', 'Works on the parser; asks that tests always run first'] },
          { name: 'Parser', entityType: 'project', observations: ['Written in Rust'] },
        ],
      }),
      call('create_relations', { relations: [{ from: 'Ada', to: 'Parser', relationType: 'maintains' }] }),
      call('add_observations', { observations: [{ entityName: 'Ada', contents: ['Do not call before ten'] }] }),
      call('search_nodes', { query: 'parser' }),
      call('open_nodes', { names: ['Ada'] }),
      call('delete_observations', { deletions: [{ entityName: 'Ada', observations: ['Prefers tabs'] }] }),
      call('delete_entities', { entityNames: ['Parser'] }),
      call('read_graph'),
    ],
  },
  {
    server: '@modelcontextprotocol/server-sequential-thinking',
    messages: [1, 2, 3].map((thoughtNumber) =>
      call('sequentialthinking', {
        thought: `Step ${thoughtNumber}: first list what must not break, then delete the old code.`,
        nextThoughtNeeded: thoughtNumber < 3,
        thoughtNumber,
        totalThoughts: 3,
      }),
    ),
  },
  {
    server: '@cyanheads/git-mcp-server',
    env: { GIT_BASE_DIR: '', LOGS_DIR: 'WORK/.git/server-logs' },
    messages: [
      { method: 'tools/list', params: {} },
      { method: 'resources/list', params: {} },
      { method: 'prompts/list', params: {} },
      call('git_set_working_dir', { path: 'WORK' }),
      call('git_status', {}),
      call('git_log', { maxCount: 5 }),
      call('git_diff', {}),
      call('git_branch', { mode: 'list' }),
      call('git_show', { object: 'HEAD' }),
      call('git_add', { paths: ['README.md'] }),
      call('git_tag', { mode: 'create', tagName: 'v1' }),
      call('git_blame', { filePath: 'src/index.js' }),
    ],
  },
  {
    server: '@wonderwhy-er/desktop-commander',
    chatty: true,
    messages: [
      { method: 'tools/list', params: {} },
      { method: 'prompts/list', params: {} },
      call('write_file', { path: 'WORK/made.txt', content: 'one\ntwo\n', mode: 'rewrite' }),
      call('read_file', { path: 'WORK/README.md' }),
      call('edit_block', { file_path: 'WORK/made.txt', old_string: 'two', new_string: 'three', expected_replacements: 1 }),
      call('list_directory', { path: 'WORK', depth: 1 }),
      call('create_directory', { path: 'WORK/there' }),
      call('list_searches'),
    ],
  },
  {
    server: '@eslint/mcp',
    messages: [{ method: 'tools/list', params: {} }, call('lint-files', { filePaths: ['WORK/src/index.js'] })],
  },
];

function program(server: string): string {
  const { bin } = JSON.parse(readFileSync(join(modules, server, 'package.json'), 'utf8')) as { bin: string | Record<string, string> };
  return join(modules, server, typeof bin === 'string' ? bin : (Object.values(bin)[0] ?? ''));
}

let world: RelayWorld;
before(async () => (world = await relayWorld()));
after(() => world.stop());

const DATE = '2026-01-02T03:04:05Z';
function prepare(): void {
  const { work } = world.box;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, 'src'), { recursive: true });
  writeFileSync(join(work, 'README.md'), README);
  writeFileSync(join(work, 'src', 'index.js'), 'export const a = 1;\nvar unused = eval("1");\n');
  writeFileSync(join(work, 'eslint.config.mjs'), 'export default [{ rules: { "no-eval": "error", "no-unused-vars": "warn" } }];\n');
  writeFileSync(
    join(work, 'dot.png'),
    Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64'),
  );
  const git = (...args: string[]): void =>
    void execFileSync('git', ['-C', work, ...args], {
      stdio: 'ignore',
      env: { ...world.env, GIT_AUTHOR_DATE: DATE, GIT_COMMITTER_DATE: DATE },
    });
  git('init', '-b', 'main');
  git('add', '.');
  git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', 'commit', '-m', 'Begin the notes');
  writeFileSync(join(work, 'README.md'), `${README}\nMore.\n`);
}

const CAPABILITIES = { sampling: {}, elicitation: {} };
const RESULTS = {
  'sampling/createMessage': { role: 'assistant', content: { type: 'text', text: 'Rain on the window' }, model: 'm', stopReason: 'endTurn' },
  'elicitation/create': { action: 'accept', content: { name: 'Ada', check: true } },
  'roots/list': { roots: [{ uri: 'file:///work', name: 'work' }] },
  ping: {},
};
/** Of those, how long something took and when is another one each time. */
const steady = (text: string): string =>
  text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/gu, 'TIME')
    .replaceAll(/\d{1,2}:\d\d:\d\d(?: [AP]M)?/gu, 'TIME')
    .replaceAll(/"[A-Z0-9]{5}-[A-Z0-9]{5}"|\b[0-9a-f]{8}-[0-9a-f-]{27}\b/gu, 'ID');

/** Servers count their requests, and ask for roots when they come to it. */
const unnumbered = (line: string): string => line.replace(/,"id":\d+\}$/u, '}');

for (const { server, args = [], env = {}, messages, roots, chatty } of rows) {
  test(server, async () => {
    const filled = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll('WORK', world.box.work)) as T;
    const [command, given] = [process.execPath, [program(server), ...filled(args)]];
    const base = { env: { ...world.env, ...filled(env) }, cwd: world.box.work };
    const day = async (run: { readonly command: string; readonly args: readonly string[] }): Promise<unknown> => {
      prepare();
      const heard: string[] = [];
      const capabilities = { ...CAPABILITIES, ...(roots === undefined ? {} : { roots: { listChanged: true } }) };
      const answers = await exchange({ ...run, ...base }, filled(messages), { capabilities, results: RESULTS, heard });
      // Notifications of a moment may change places with an answer.
      const unasked = heard.map((line) => unnumbered(steady(line))).sort();
      return { answers: answers.map(steady), heard: chatty === undefined ? unasked : [] };
    };
    const direct = await day({ command, args: given });
    assert.deepEqual(await day({ command: world.relay, args: ['--server', server, '--', command, ...given] }), direct);
  });
}
