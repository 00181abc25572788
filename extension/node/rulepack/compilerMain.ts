/** The bundle `rule-compiler.cjs`: everything that needs YAML, loaded only when somebody's file has to be read. */
export { compileRuleFile } from '#node/rulepack/customCompile.ts';
export { compilePolicyFile } from '#node/rulepack/customPolicy.ts';
export { compileRules } from '#node/rulepack/compile.ts';
export { testRuleFile } from '#node/rulepack/runExamples.ts';
