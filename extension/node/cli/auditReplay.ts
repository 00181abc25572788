/** `callgate audit replay`: what another policy or other rules would have said about the calls in the record. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { VERDICTS } from '#core/model/verdict.ts';
import { visibleLine } from '#core/policy/visibleText.ts';
import { userPlace } from '#home/customRules.ts';
import { openEngine } from '#home/engine.ts';
import { writeWithPatience } from '#node/audit/export/fileExport.ts';
import { replayCalls, type Changed, type ReplayReport } from '#node/audit/replayCalls.ts';
import { type AuditAction, readFiltered, sayingFailures } from '#node/cli/auditAction.ts';
import { FILTER_USAGE, parseAuditOptions } from '#node/cli/auditOptions.ts';
import { progressLine } from '#node/cli/auditProgress.ts';
import { localTime } from '#node/cli/auditTable.ts';
import { print } from '#node/cli/command.ts';

export const REPLAY_USAGE = `usage: callgate audit replay [--policy FILE] [--rules FOLDER] [--json] [filters]

Judges the recorded calls and results again and says what would have come out otherwise; nothing is run, held or recorded.
  --policy   by this policy instead of ~/.callgate/policy.yaml
  --rules    with the rules of this folder instead of ~/.callgate/rules
  --limit    how many changed calls are listed (200, with --json all); all are counted
Files are looked at as they are today. A secret that was taken out of the record counts as its rule stands now.`;
const LIST_LIMIT = 200;

export const replay: AuditAction = async (args, host, signal) => {
  const { cwd, layout, stdout, stderr } = host;
  const options = parseAuditOptions(args, { flags: ['json'], values: ['policy', 'rules'] }, { now: Date.now(), cwd });
  if ('problem' in options || options.words.length > 0) {
    print(stderr, `${'problem' in options ? `callgate: ${options.problem}\n` : ''}${REPLAY_USAGE}\n${FILTER_USAGE}`);
    return 2;
  }
  const [policy, rules] = ['policy', 'rules'].map((name) => {
    const file = options.values.get(name)?.at(-1);
    return file === undefined ? null : resolve(cwd, file);
  });
  for (const file of [policy, rules])
    if (typeof file === 'string' && !existsSync(file)) {
      print(stderr, `callgate: ${visibleLine(file, 500)} does not exist`);
      return 1;
    }
  const own = userPlace(layout);
  const isOther = typeof policy === 'string' || typeof rules === 'string';
  // Whoever names a file vouches for it, wherever it lies.
  const place = isOther ? { own: { ...own, policy: policy ?? own.policy, rules: rules ?? own.rules, owner: 'anybody' as const } } : {};
  const engine = openEngine(layout, join(host.bundleFolder, 'rules.json'), place);
  return sayingFailures(host, async () => {
    const asJson = options.flags.has('json');
    const replaying = replayCalls(engine.decideAgain);
    const limit = options.limit ?? (asJson ? Number.POSITIVE_INFINITY : LIST_LIMIT);
    const changes: Changed[] = [];
    const filter = { ...options.filter, kind: options.filter.kind ?? (['call', 'response'] as const) };
    const { batches, sayProblems } = readFiltered(host, filter, { order: 'oldest', check: 'whole', until: 'end', signal });
    const progress = progressLine(stderr, 'terminal');
    try {
      for await (const { found, progress: share } of batches) {
        for (const { entry } of found) {
          const change = replaying.add(entry);
          if (change !== null && changes.length < limit) changes.push(change);
        }
        progress.show({ progress: share, entries: replaying.report().judged });
        if (signal.aborted) break;
      }
    } finally {
      progress.end();
    }
    const report = replaying.report();
    const text = asJson
      ? JSON.stringify({ ...report, changes })
      : [...reportText(report), '', ...changes.map(changeText)].join('\n').trimEnd();
    await writeWithPatience(stdout, `${text}\n`);
    if (!asJson && report.changed > changes.length)
      print(stderr, `callgate: ${report.changed - changes.length} more changed; --limit all lists them`);
    const status = sayProblems();
    const problem = engine.problem();
    // It names folders of recorded calls, which are other people's words.
    if (problem !== null)
      print(
        stderr,
        problem
          .split('\n')
          .map((line) => visibleLine(line, 500))
          .join('\n'),
      );
    // What is only mentioned when nobody asked for it is a failure when somebody did.
    return problem !== null && isOther ? 1 : signal.aborted ? 1 : status;
  });
};

function reportText({ judged, table, changed, prompts, redacted, cut, unreadable }: ReplayReport): readonly string[] {
  const cell = (text: string): string => text.padStart(11);
  const more = prompts.after - prompts.before;
  return [
    `${judged} judged again, ${changed} would have come out otherwise.`,
    '',
    [cell('then \\ now'), ...VERDICTS.map(cell)].join(''),
    ...VERDICTS.map((then) => [cell(then), ...VERDICTS.map((now) => cell(String(table[then][now])))].join('')),
    '',
    `A person was asked about ${prompts.before} of them, and would have been asked about ${prompts.after}: ${more === 0 ? 'as often' : more > 0 ? `${more} more` : `${-more} fewer`}.`,
    ...(redacted > 0 ? [`${redacted} hold secrets that are not in the record; those count as their rules stand now.`] : []),
    ...(cut > 0 ? [`${cut} could not be judged: only their beginning is in the record.`] : []),
    ...(unreadable > 0 ? [`${unreadable} could not be judged: they were never calls that could be read.`] : []),
  ];
}

function changeText({ seq, time, kind, tool, server, before, after, rulesBefore, rulesAfter }: Changed): string {
  const name = `${server === null ? '' : `${visibleLine(server, 60)}/`}${visibleLine(tool, 60)}${kind === 'response' ? ' (result)' : ''}`;
  const gone = rulesBefore.filter((rule) => !rulesAfter.includes(rule)).map((rule) => `-${rule}`);
  const fresh = rulesAfter.filter((rule) => !rulesBefore.includes(rule)).map((rule) => `+${rule}`);
  const same = rulesAfter.filter((rule) => rulesBefore.includes(rule));
  return `#${seq}  ${localTime(time)}  ${name}  ${before} -> ${after}  ${visibleLine([...fresh, ...gone, ...same].join(' '), 300)}`.trimEnd();
}
