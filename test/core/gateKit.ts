/** The pack built from `rules/` and a context as the gate's tests use them. */
import { readdirSync, readFileSync } from 'node:fs';
import { decide, type GateContext } from '#core/gate.ts';
import { parseRulePack } from '#core/detect/packFile.ts';
import type { RulePack } from '#core/detect/rulePack.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { Decision } from '#core/model/verdict.ts';
import { compileRules, type CompiledRules } from '#node/rulepack/compile.ts';
import { EXAMPLE_CWD, EXAMPLE_HOME } from '#node/rulepack/examples.ts';

const folder = new URL('../../rules/', import.meta.url);

export function ruleSources(): { file: string; text: string }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ file: `rules/${name}`, text: readFileSync(new URL(name, folder), 'utf8') }));
}

export const compiledRules: CompiledRules = compileRules(ruleSources());

function packOf(): RulePack {
  const { pack, problems } = parseRulePack(compiledRules.json);
  if (pack === null) throw new Error(problems.join('\n'));
  return pack;
}

export const context: GateContext = {
  pack: packOf(),
  custom: [],
  home: EXAMPLE_HOME,
  dataFolder: `${EXAMPLE_HOME}/.callgate`,
  caseInsensitivePaths: false,
  realpath: () => null,
  readText: () => null,
};

const CALL: ToolCall = {
  client: 'claude',
  agent: 'main',
  session: 's',
  useId: null,
  channel: 'shell',
  tool: 'Bash',
  server: null,
  args: {},
  cwd: EXAMPLE_CWD,
};

export function judge(call: Partial<ToolCall>, changes: Partial<GateContext> = {}): Decision {
  return decide({ ...CALL, ...call }, { ...context, ...changes });
}

export const shell = (command: string): Decision => judge({ args: { command } });
export const ruleIds = (decision: Decision): string[] => [...new Set(decision.findings.map((finding) => finding.rule))].sort();
