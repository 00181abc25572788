/**
 * `npm run eval`: measures the rules in `rules/` on third-party samples and writes `docs/detection.md`.
 *   -- --show FILE   lists what was missed among the attacks and what was raised among the benign samples of one file; writes nothing
 *   -- --table       prints the tables only; writes nothing
 *   -- --quarters 02 only samples of these quarters (groups by hash). `--show` lists quarters 0, 1 and 2 unless told otherwise:
 *                    nobody looks at quarter 3, so that it can tell whether a rule says something general or has learnt its samples
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { context } from '../core/gateKit.ts';
import { held, judgeAll, noticed, type Judged } from './measure.ts';
import { detectionReport } from './report.ts';
import { corporaFiles, corporaFolder, quarterOf, readSampleFile, type Sample } from './samples.ts';

const args = process.argv.slice(2);
const shown = args.includes('--show') ? args[args.indexOf('--show') + 1] : undefined;
const quarters = args.includes('--quarters') ? (args[args.indexOf('--quarters') + 1] ?? '') : shown === undefined ? '0123' : '012';
const read = (file: string): Sample[] => readSampleFile(file).filter((sample) => quarters.includes(String(quarterOf(sample.group))));
const files = corporaFiles();

if (files.length === 0) {
  console.error(`There are no samples in ${corporaFolder}. Set CALLGATE_CORPORA to a folder of .jsonl files.`);
  process.exitCode = 1;
} else if (shown !== undefined) {
  const line = (judged: Judged): string =>
    `${judged.verdict.padEnd(10)} ${judged.sample.id} [${judged.rules.join(' ')}] ${JSON.stringify(judged.sample.call.args).slice(0, 400)}`;
  const core = judgeAll(
    read(shown).filter((sample) => sample.core),
    context,
  );
  console.log('— core attacks that passed as clean');
  for (const judged of core) if (judged.sample.attack && !noticed(judged)) console.log(line(judged));
  console.log('— core benign samples that were raised');
  for (const judged of core) if (!judged.sample.attack && noticed(judged)) console.log(`${held(judged) ? 'HELD ' : ''}${line(judged)}`);
} else {
  const judged = new Map(files.map((file) => [file, judgeAll(read(file), context)]));
  const report = detectionReport(judged, context.pack);
  console.log(report);
  if (!args.includes('--table') && quarters === '0123') {
    const target = fileURLToPath(new URL('../../docs/detection.md', import.meta.url));
    writeFileSync(target, report);
    console.log(`\nwritten to ${target}`);
  }
}
