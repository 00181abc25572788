/** The `host` tier: bundles the suites, runs them in a real extension host, prints and counts what came of them. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chosenEditor, runInDesktopHost } from '#kit/desktopEditor.ts';
import { runInHost } from '#kit/hostTests.ts';
import { leftBehind } from '#kit/leftovers.ts';
import { sandbox } from '#kit/sandbox.ts';

const root = process.cwd();
const reports = join(root, '.cache', 'reports');

/** mocha stays outside of the bundle: it finds its own files by their place. */
async function bundleSuites(): Promise<string> {
  const outfile = join(root, '.cache', 'host', 'index.cjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['test/host/index.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode', 'mocha'],
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  return outfile;
}

function builtVsix(): string {
  const file = readdirSync(join(root, 'dist')).find((name) => name.endsWith('.vsix'));
  if (file === undefined) throw new Error('dist/ holds no VSIX: run `node test/run.mjs build host`');
  return join(root, 'dist', file);
}

const box = sandbox();
try {
  const options = { box, vsix: builtVsix(), suite: await bundleSuites(), deadlineMs: 180_000, picture: join(reports, 'host.png') };
  const results = await (chosenEditor() === 'desktop' ? runInDesktopHost(options) : runInHost(options));
  for (const { title, error, ms } of results)
    console.log(error === null ? `ok    ${title} (${ms} ms)` : `FAIL  ${title}\n${error.replaceAll(/^/gm, '      ')}`);
  const left = await leftBehind(box.layout);
  if (left.length > 0) console.log(`FAIL  the editor left processes behind:\n${left.join('\n')}`);
  else console.log('ok    nothing is left running');
  const failed = results.filter(({ error }) => error !== null).length + (left.length > 0 ? 1 : 0);
  const passed = results.length + 1 - failed;
  mkdirSync(reports, { recursive: true });
  writeFileSync(join(reports, 'host.json'), JSON.stringify({ passed, failed }));
  if (results.length === 0) throw new Error('no test ran in the extension host');
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  box.remove();
}
