/** The rule files a command of `callgate rules` works on, and the compiler that reads them. */
import { lstatSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import type * as Compiler from '#node/rulepack/compilerMain.ts';
import { userPlace, workspacePlace } from '#home/customRules.ts';
import { findCustomFiles, readCustomFile, type CustomPlace } from '#home/customRulesFiles.ts';
import type { Layout } from '#home/layout.ts';
import { errorText } from '#home/privateFile.ts';
import { COMPILER_BUNDLE } from '#home/ruleCompiler.ts';
import { workspaceOf } from '#home/workspace.ts';

export type CompilerModule = typeof Compiler;

/** @throws when the bundle is missing. */
export function compilerBeside(bundleFolder: string): CompilerModule {
  const file = join(bundleFolder, COMPILER_BUNDLE);
  return createRequire(file)(file) as CompilerModule;
}

export interface RuleText {
  /** As people are told. */
  readonly file: string;
  /** Without its folder: ids start with it. */
  readonly name: string;
  readonly text: string;
}

export interface FoundTexts {
  readonly texts: readonly RuleText[];
  /** `file:1: what is wrong`. */
  readonly problems: readonly string[];
}

const MAX_SOURCE_BYTES = 16 * 1024 * 1024;

/** The shipped rule files as they were written. @throws when they are missing or damaged. */
export function shippedTexts(bundleFolder: string): readonly RuleText[] {
  const json: unknown = JSON.parse(
    brotliDecompressSync(readFileSync(join(bundleFolder, 'rules-source.br')), { maxOutputLength: MAX_SOURCE_BYTES }).toString('utf8'),
  );
  return Object.entries(json as Record<string, string>).map(([name, text]) => ({ file: `rules/${name}`, name, text }));
}

/** The user's rule files and those of the project `cwd` is in. */
export function ownTexts(layout: Layout, cwd: string): FoundTexts {
  const workspace = workspaceOf(cwd);
  const places = workspace === '' || workspace === layout.home ? [userPlace(layout)] : [userPlace(layout), workspacePlace(workspace)];
  return together(places.map(textsIn));
}

/** Files as given; of folders every rule file in them. */
export function textsAt(paths: readonly string[]): FoundTexts {
  return together(
    paths.map((path) => {
      try {
        if (lstatSync(path).isDirectory())
          return textsIn({ holder: null, rules: path, policy: join(path, '.no-policy-here'), owner: 'anybody' });
        return textOf(path, basename(path), 'anybody');
      } catch (error) {
        return { texts: [], problems: [`${path}:1: ${errorText(error)}`] };
      }
    }),
  );
}

function textsIn(place: CustomPlace): FoundTexts {
  const found = findCustomFiles(place);
  const problems = found.problems.filter(({ file }) => file !== place.policy).map(({ file, message }) => `${file}:1: ${message}`);
  return together([{ texts: [], problems }, ...found.rules.map(({ file, name }) => textOf(file, name, place.owner))]);
}

function textOf(file: string, name: string, owner: CustomPlace['owner']): FoundTexts {
  const read = readCustomFile(file, owner);
  return 'text' in read
    ? { texts: [{ file, name, text: read.text }], problems: [] }
    : { texts: [], problems: [`${file}:1: ${read.message}`] };
}

const together = (found: readonly FoundTexts[]): FoundTexts => ({
  texts: found.flatMap(({ texts }) => texts),
  problems: found.flatMap(({ problems }) => problems),
});
