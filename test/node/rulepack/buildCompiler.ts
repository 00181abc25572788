/** The bundle that compiles people's own rules, as it ships. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { COMPILER_BUNDLE } from '#home/ruleCompiler.ts';

export async function buildCompiler(folder: string): Promise<void> {
  await build({
    entryPoints: ['extension/node/rulepack/compilerMain.ts'],
    outfile: join(folder, COMPILER_BUNDLE),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'error',
  });
}
