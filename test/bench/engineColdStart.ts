/** `node engineColdStart.ts RULES`: prints the microseconds from reading the rules to the first decision in this process. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { openEngine } from '#home/engine.ts';
import { layoutFor } from '#home/layout.ts';
import { checkOf } from '#home/ruleFile.ts';

const file = process.argv[2] ?? '';
// As the hook knows them, which it has to work out again.
const known = checkOf(readFileSync(file, 'latin1'));
const began = process.hrtime.bigint();
const engine = openEngine(layoutFor(tmpdir()), file, { checkedHash: known });
engine.decide({
  client: 'claude',
  agent: 'main',
  session: 'bench',
  useId: null,
  channel: 'shell',
  tool: 'Bash',
  server: null,
  args: { command: 'git status --short && npm test -- --reporter=dot' },
  cwd: '/home/dev/app',
});
process.stdout.write(String(Number(process.hrtime.bigint() - began) / 1000));
const problem = engine.problem();
if (problem !== null) throw new Error(problem);
