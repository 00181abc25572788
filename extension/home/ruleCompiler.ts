/** What the YAML compiler does for programs that have none: its bundle is loaded only when a file of the user's is new. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Rule } from '#core/detect/rulePack.ts';
import type { PolicyFile } from '#core/policy/policy.ts';

/** What is wrong in a file, and where: `line` counts from 1. */
export interface SourceProblem {
  readonly line: number;
  readonly message: string;
}

export interface CompiledRuleFile {
  /** Those that may be used; all of them when there are no problems. */
  readonly rules: readonly Rule[];
  readonly problems: readonly SourceProblem[];
}

export interface CompiledPolicyFile {
  /** Null when there are problems: half a policy is none. */
  readonly policy: PolicyFile | null;
  readonly problems: readonly SourceProblem[];
}

/** Neither throws for bad files. */
export interface RuleCompiler {
  /** `name`: of the file, without its folder. `shipped`: ids nobody else may use. */
  readonly compileRuleFile: (name: string, text: string, shipped: ReadonlySet<string>) => CompiledRuleFile;
  readonly compilePolicyFile: (text: string) => CompiledPolicyFile;
}

export const COMPILER_BUNDLE = 'rule-compiler.cjs';

/** @throws when the bundle is not there or cannot be loaded. */
export function loadCompiler(bundleFolder: string): RuleCompiler {
  const file = join(bundleFolder, COMPILER_BUNDLE);
  return createRequire(file)(file) as RuleCompiler;
}
