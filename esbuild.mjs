// Builds everything that ships into dist/: `node esbuild.mjs [--vsix]`.
// Each bundle has a byte budget and a list of folders it may take code from; breaking either fails the build.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

const root = dirname(fileURLToPath(import.meta.url));
/** Half of it is the rules: as they run, with their tables of words, and as they were written, for `callgate rules show`. */
const VSIX_BUDGET = 2_200_000;

/** What each bundle may contain. `packages` are npm names; everything else outside `folders` is a layering error. */
export const BUNDLES = [
  {
    out: 'extension.cjs',
    entry: 'extension/vscode/main.ts',
    platform: 'node',
    external: ['vscode'],
    budget: 360_000,
    folders: ['extension/core', 'extension/contract', 'extension/home', 'extension/node', 'extension/vscode'],
    packages: ['jsonc-parser', 'smol-toml'],
  },
  {
    out: 'hook.cjs',
    entry: 'hooks/main.ts',
    platform: 'node',
    external: [],
    // 14 kB of it tell which rules were checked, line by line.
    budget: 425_000,
    folders: ['extension/core', 'extension/contract', 'extension/home', 'hooks'],
    packages: [],
  },
  {
    out: 'callgate.cjs',
    entry: 'extension/node/cli/main.ts',
    platform: 'node',
    external: [],
    // The record alone (queries, exports, proofs, replay) is about 100 kB; it loads once for a command or a broker, never for a hook.
    // The relay with its transports is another 100 kB, WebSockets (ws) 60 of them.
    budget: 940_000,
    folders: ['extension/core', 'extension/contract', 'extension/home', 'extension/node'],
    packages: ['sql.js', 'jsonc-parser', 'smol-toml', 'ws'],
  },
  {
    // YAML and all that reads it, for the day somebody writes a rule: hooks and the command line load it only then.
    out: 'rule-compiler.cjs',
    entry: 'extension/node/rulepack/compilerMain.ts',
    platform: 'node',
    external: [],
    budget: 480_000,
    folders: ['extension/core', 'extension/home', 'extension/node/rulepack'],
    packages: ['yaml'],
  },
  {
    // The MCP SDK's OAuth client and its schemas: the relay loads it for the first server that asks for signing in.
    out: 'mcp-oauth.cjs',
    entry: 'extension/node/proxy/oauth/oauthMain.ts',
    platform: 'node',
    external: [],
    budget: 400_000,
    folders: ['extension/core', 'extension/contract', 'extension/node/proxy'],
    packages: ['@modelcontextprotocol/sdk', 'zod', 'pkce-challenge', 'jose'],
  },
  {
    out: 'panel.js',
    entry: 'webview/main.ts',
    platform: 'browser',
    external: [],
    budget: 100_000,
    folders: ['extension/core', 'extension/contract', 'webview'],
    packages: [],
  },
  { out: 'panel.css', entry: 'webview/panel.css', platform: 'browser', external: [], budget: 30_000, folders: ['webview'], packages: [] },
];

/** What is wrong with a bundle that took `inputs` (paths relative to the repository) and has `bytes`. */
export function bundleProblems(bundle, inputs, bytes) {
  const problems = [];
  for (const input of inputs) {
    const name = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1];
    if (name !== undefined) {
      if (!bundle.packages.includes(name)) problems.push(`${bundle.out} contains the package ${name} (${input}), which it may not`);
    } else if (!bundle.folders.some((folder) => input.startsWith(`${folder}/`))) {
      problems.push(`${bundle.out} contains ${input}, which is outside of ${bundle.folders.join(', ')}`);
    }
  }
  if (bytes > bundle.budget) problems.push(`${bundle.out} has ${bytes} bytes, over its budget of ${bundle.budget}`);
  return problems;
}

/** One function of ASCII: one byte a character is what V8 reads fastest; esbuild leaves other signs as they are in regexes. */
function programText(bundle) {
  const ascii = bundle.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `(function(require){var module={exports:{}};${ascii}\nreturn module.exports})`;
}

/** For programs that read rules of exactly these bytes, which buildRules checked, or whoever tests the program. */
async function checkedRules(rules) {
  const { checkOf } = await import('./extension/home/ruleFile.ts');
  return { CHECKED_RULES: JSON.stringify(checkOf(rules)) };
}

/** The hook as it ships: hooks/main.ts, and beside it the program that it starts. Gives esbuild's two results. */
export async function buildHook(esbuild, given, rules) {
  const { PROGRAM } = await import('./hooks/startProgram.ts');
  const options = { ...given, charset: 'ascii', define: { ...given.define, ...(await checkedRules(rules)) } };
  const program = await esbuild.build({ ...options, entryPoints: ['hooks/runHook.ts'], outfile: 'program.js', write: false });
  writeFileSync(join(dirname(resolve(given.absWorkingDir, given.outfile)), PROGRAM), programText(program.outputFiles[0].text));
  return [program, await esbuild.build({ ...options, entryPoints: ['hooks/main.ts'] })];
}

async function build(esbuild, bundle, version) {
  const options = {
    absWorkingDir: root,
    outfile: join('dist', bundle.out),
    bundle: true,
    platform: bundle.platform,
    format: bundle.platform === 'node' ? 'cjs' : 'iife',
    target: bundle.platform === 'node' ? 'node20' : 'es2022',
    external: bundle.external,
    // jsonc-parser's `main` is a UMD file whose inner `require` calls esbuild cannot follow.
    mainFields: bundle.platform === 'node' ? ['module', 'main'] : ['browser', 'module', 'main'],
    minify: true,
    legalComments: 'none',
    charset: 'utf8',
    metafile: true,
    logLevel: 'warning',
    define: { CALLGATE_VERSION: JSON.stringify(version) },
  };
  const rules = readFileSync(join(root, 'dist', 'rules.json'), 'latin1');
  if (bundle.out === 'callgate.cjs') Object.assign(options.define, await checkedRules(rules));
  const results =
    bundle.out === 'hook.cjs'
      ? await buildHook(esbuild, options, rules)
      : [await esbuild.build({ ...options, entryPoints: [bundle.entry] })];
  const files = bundle.out === 'hook.cjs' ? [bundle.out, 'hook-program.cjs'] : [bundle.out];
  const bytes = files.reduce((sum, file) => sum + statSync(join(root, 'dist', file)).size, 0);
  console.log(`${bundle.out.padEnd(16)} ${String(bytes).padStart(8)} of ${bundle.budget} bytes`);
  return bundleProblems(
    bundle,
    results.flatMap((result) => Object.keys(result.metafile.inputs)),
    bytes,
  );
}

async function buildRules() {
  const { compileRules } = await import('./extension/node/rulepack/compile.ts');
  const { writeRulePack } = await import('./extension/core/detect/packFile.ts');
  const folder = join(root, 'rules');
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort();
  const { json, problems, info } = compileRules(
    files.map((file) => ({ file: `rules/${file}`, text: readFileSync(join(folder, file), 'utf8') })),
  );
  writeFileSync(join(root, 'dist', 'rules.json'), writeRulePack(json));
  writeFileSync(join(root, 'dist', 'rule-info.json'), JSON.stringify(Object.fromEntries(info)));
  // As people wrote them, for `callgate rules show` and `rules test --shipped`.
  const texts = Object.fromEntries(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
  writeFileSync(join(root, 'dist', 'rules-source.br'), brotliCompressSync(JSON.stringify(texts)));
  for (const schema of ['rule', 'policy']) copyFileSync(join(folder, `${schema}.schema.json`), join(root, 'dist', `${schema}.schema.json`));
  console.log(`rules.json       ${String(statSync(join(root, 'dist', 'rules.json')).size).padStart(8)} bytes`);
  return problems.map((problem) => `${problem.file}:${problem.line}: ${problem.message}`);
}

function packageVsix(version) {
  const vsix = join('dist', `callgate-${version}.vsix`);
  // Everything is bundled, so no dependency is shipped.
  const packed = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules', '@vscode', 'vsce', 'vsce'),
      'package',
      '--no-dependencies',
      '--allow-missing-repository',
      '--no-rewrite-relative-links',
      // What it takes for Slack tokens are the beginnings of such tokens, which our rules look for.
      '--allow-package-secrets',
      'slack',
      '--out',
      vsix,
    ],
    { cwd: root, encoding: 'utf8' },
  );
  if (packed.status !== 0) return [packed.stdout + packed.stderr];
  const bytes = statSync(join(root, vsix)).size;
  console.log(`${vsix} ${bytes} of ${VSIX_BUDGET} bytes`);
  return bytes > VSIX_BUDGET ? [`${vsix} has ${bytes} bytes, over its budget of ${VSIX_BUDGET}`] : [];
}

/** Runs this file again under the toolchain's own Node: the rule compiler is TypeScript, which older Node cannot import. */
function runUnderPinnedNode() {
  const pinned = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(pinned)) {
    console.error('The toolchain is not installed yet: run `npm start` or `npm test` once, or use Node 24 or newer.');
    return 1;
  }
  return spawnSync(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
}

async function main() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const esbuild = await import('esbuild');
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  mkdirSync(join(root, 'dist'), { recursive: true });
  const problems = [...(await buildRules()), ...(await Promise.all(BUNDLES.map((bundle) => build(esbuild, bundle, version)))).flat()];
  copyFileSync(createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.wasm'), join(root, 'dist', 'sql-wasm.wasm'));
  if (problems.length === 0 && process.argv.includes('--vsix')) problems.push(...packageVsix(version));
  for (const problem of problems) console.error(`error: ${problem}`);
  return problems.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = Number(process.versions.node.split('.')[0]) < 24 ? runUnderPinnedNode() : await main();
}
