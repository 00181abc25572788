/** `node engineColdStart.ts RULES`: prints the microseconds from reading the rules to the first decision in this process. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { openEngine } from '#home/engine.ts';
import { layoutFor } from '#home/layout.ts';

const file = process.argv[2] ?? '';
// As the hook knows them: by their hash, which it has to work out again.
const known = createHash('sha256').update(readFileSync(file)).digest('hex');
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
