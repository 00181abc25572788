/** The hook program as it is shipped, and a dist folder around it. */
import * as esbuild from 'esbuild';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
// @ts-expect-error plain JavaScript without types
import { buildHook } from '../../../esbuild.mjs';
import { writeRulePack } from '#core/detect/packFile.ts';
import { TEST_RULES } from '../../home/gateBox.ts';

const repository = resolve(import.meta.dirname, '../../..');

/** `folder` gets everything `installLauncher` copies; the program and the index code are not what these tests run. */
export async function buildTestDist(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const rules = writeRulePack(TEST_RULES);
  const options = {
    outfile: join(folder, 'hook.cjs'),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minify: true,
    logLevel: 'error',
    absWorkingDir: repository,
  };
  await (buildHook as (bundler: typeof esbuild, options: object, rules: string) => Promise<unknown>)(esbuild, options, rules);
  writeFileSync(join(folder, 'rules.json'), rules);
  writeFileSync(join(folder, 'callgate.cjs'), `process.stdout.write(JSON.stringify(process.argv.slice(2)));\n`);
  for (const name of ['sql-wasm.wasm', 'rule-compiler.cjs', 'mcp-oauth.cjs', 'rules-source.br'])
    writeFileSync(join(folder, name), 'not run in these tests');
  return folder;
}

export function copyDist(from: string, to: string): string {
  mkdirSync(to, { recursive: true });
  for (const name of [
    'hook.cjs',
    'hook-program.cjs',
    'rules.json',
    'callgate.cjs',
    'sql-wasm.wasm',
    'mcp-oauth.cjs',
    'rule-compiler.cjs',
    'rules-source.br',
  ])
    copyFileSync(join(from, name), join(to, name));
  return to;
}
