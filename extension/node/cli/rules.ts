/** `callgate rules`: what rules there are, what one looks for, and whether the examples of a file hold. */
import { readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { openRulePack } from '#core/detect/packFile.ts';
import type { Rule } from '#core/detect/rulePack.ts';
import { visibleRuns } from '#core/policy/visibleText.ts';
import { errorText } from '#home/privateFile.ts';
import { type Command, type CommandHost, print } from '#node/cli/command.ts';
import { compilerBeside, ownTexts, shippedTexts, textsAt, type RuleText } from '#node/cli/ruleFiles.ts';
import { describeCondition } from '#node/rulepack/explainRule.ts';

const USAGE = `usage: callgate rules list [--category CATEGORY] [--json]
       callgate rules show ID
       callgate rules test [--json] [--shipped | FILE… | FOLDER… | --stdin NAME]

list and show know the shipped rules, your own (~/.callgate/rules) and the project's (.callgate/rules).
test compiles rule files and policies and runs every example; without a name it tests your own and the project's.`;

/** Exit status 0: done, every example holds · 1: one does not, a file has a problem, or there is no such rule · 2: wrong words. */
export const rules: Command = async (args, host) => {
  const [action, ...rest] = args;
  const run = action === 'list' ? list : action === 'show' ? show : action === 'test' ? test : null;
  try {
    const status = run === null ? 2 : await run(rest, host);
    if (status === 2) print(host.stderr, USAGE);
    return status;
  } catch (error) {
    print(host.stderr, `callgate: ${errorText(error)}. Reinstall the Callgate extension if a file of its own is missing.`);
    return 1;
  }
};

interface KnownRule {
  readonly rule: Rule;
  readonly file: string;
}

function list(args: readonly string[], host: CommandHost): number {
  const at = args.indexOf('--category');
  const category = at < 0 ? null : args[at + 1];
  const others = args.filter((_, index) => at < 0 || (index !== at && index !== at + 1));
  if (category === undefined || others.some((arg) => arg !== '--json')) return 2;
  const found = [...shippedRules(host), ...ownRules(host)].filter(({ rule }) => category === null || rule.category === category);
  if (others.length > 0)
    print(
      host.stdout,
      JSON.stringify(
        found.map(({ rule: { match: _match, keywords: _keywords, ...rule }, file }) => ({ ...rule, file })),
        null,
        2,
      ),
    );
  else
    for (const { rule, file } of found)
      print(
        host.stdout,
        `${rule.severity.padEnd(8)} ${rule.id.padEnd(44)} ${oneLine(rule.title)}${rule.status === 'stable' ? '' : ` (${rule.status})`}${file.startsWith('rules/') ? '' : `  [${file}]`}`,
      );
  if (found.length > 0) return 0;
  print(host.stderr, `There is no rule of the category ${JSON.stringify(category)}.`);
  return 1;
}

function shippedRules({ bundleFolder }: CommandHost): readonly KnownRule[] {
  const pack = openRulePack(readFileSync(join(bundleFolder, 'rules.json'), 'utf8'), (base64) => Buffer.from(base64, 'base64'));
  return Array.from({ length: pack.size }, (_, number) => pack.rule(number)).map((rule) => ({
    rule,
    file: `rules/${rule.id.split('.')[0]}.yaml`,
  }));
}

function ownRules({ bundleFolder, layout, cwd, stderr }: CommandHost): readonly KnownRule[] {
  const { texts, problems } = ownTexts(layout, cwd);
  for (const problem of problems) print(stderr, problem);
  if (texts.length === 0) return [];
  const { compileRules } = compilerBeside(bundleFolder);
  return texts.flatMap(({ file, name, text }) => compileRules([{ file: name, text }]).json.rules.map((rule) => ({ rule, file })));
}

function show(args: readonly string[], host: CommandHost): number {
  const [id, ...others] = args;
  if (id === undefined || others.length > 0) return 2;
  const prefix = id.split('.')[0];
  const texts = [...shippedTexts(host.bundleFolder), ...ownTexts(host.layout, host.cwd).texts].filter(
    ({ name }) => name.replace(/\.ya?ml$/u, '') === prefix,
  );
  const { compileRules } = compilerBeside(host.bundleFolder);
  for (const source of texts) {
    const { json, examples, info } = compileRules([{ file: source.name, text: source.text }]);
    const rule = json.rules.find((item) => item.id === id);
    if (rule === undefined) continue;
    const notes = info.get(id);
    const own = examples.get(id);
    print(
      host.stdout,
      safe(
        [
          `${rule.id}: ${rule.title}`,
          `${source.file}:${notes?.line ?? 1}`,
          '',
          `severity ${rule.severity}${Object.entries(rule.severityIn ?? {})
            .map(([channel, severity]) => `, ${severity} in ${channel}`)
            .join('')} · confidence ${rule.confidence} · ${rule.status} · ${rule.category}`,
          `channels ${rule.channels.length === 0 ? 'all' : rule.channels.join(', ')}`,
          '',
          'Looks for',
          ...describeCondition(rule.match, 1),
          ...(rule.keywords.length === 0 ? [] : [`  only in texts with one of: ${rule.keywords.join(', ')}`]),
          '',
          rule.rationale,
          ...((notes?.taxonomy.length ?? 0) === 0 ? [] : ['', `Taxonomy  ${notes?.taxonomy.join(', ')}`]),
          ...((notes?.references.length ?? 0) === 0
            ? []
            : ['', 'References', ...(notes?.references ?? []).map((reference) => `  ${reference}`)]),
          '',
          'Examples it sees',
          ...(own?.match ?? []).map((example) => `  ${example.channel.padEnd(10)} ${shortened(example.text)}`),
          'Examples it does not',
          ...(own?.noMatch ?? []).map((example) => `  ${example.channel.padEnd(10)} ${shortened(example.text)}   (${example.why ?? ''})`),
          '',
          'As written',
          ...yamlOf(source, notes?.line ?? 1),
        ].join('\n'),
      ),
    );
    return 0;
  }
  print(host.stderr, `There is no rule ${JSON.stringify(id)}. \`callgate rules list\` names them all.`);
  return 1;
}

/** A rule's own lines: from its dash to the next one as far to the left. */
function yamlOf({ text }: RuleText, line: number): readonly string[] {
  const lines = text.split('\n');
  const dash = /^ *- /u.exec(lines[line - 1] ?? '')?.[0];
  if (dash === undefined) return lines.slice(line - 1, line);
  const rest = lines.slice(line);
  const end = rest.findIndex((item) => item.startsWith(dash) || (item.trim() !== '' && !item.startsWith(' '.repeat(dash.length))));
  return lines.slice(line - 1, end < 0 ? undefined : line + end).map((item) => item.trimEnd());
}

async function test(args: readonly string[], host: CommandHost): Promise<number> {
  const { bundleFolder, layout, cwd, stdin, stdout } = host;
  const json = args.includes('--json');
  const words = args.filter((arg) => arg !== '--json');
  const shipped = words[0] === '--shipped';
  const named = words[0] === '--stdin';
  if ((shipped && words.length > 1) || (named && words.length !== 2) || (!shipped && !named && words.some((word) => word.startsWith('-'))))
    return 2;
  const found = shipped
    ? { texts: shippedTexts(bundleFolder), problems: [] }
    : named
      ? { texts: [{ file: words[1] as string, name: basename(words[1] as string), text: await readAll(stdin) }], problems: [] }
      : words.length > 0
        ? textsAt(words.map((word) => resolve(cwd, word)))
        : ownTexts(layout, cwd);
  const { testRuleFile, compilePolicyFile } = compilerBeside(bundleFolder);
  const known = shipped ? null : new Set(shippedRules(host).map(({ rule }) => rule.id));
  const reports = found.texts.map(({ file, name, text }) =>
    /^policy\.ya?ml$/u.test(name)
      ? { rules: 0, examples: 0, problems: compilePolicyFile(text).problems.map((problem) => ({ file, ...problem })) }
      : testRuleFile(file, name, text, known),
  );
  const problems = reports.flatMap((report) => report.problems);
  const [ruleCount, exampleCount] = [sum(reports.map((report) => report.rules)), sum(reports.map((report) => report.examples))];
  if (json)
    print(stdout, JSON.stringify({ files: reports.length, rules: ruleCount, examples: exampleCount, problems, unread: found.problems }));
  else {
    for (const problem of found.problems) print(stdout, safe(problem));
    for (const { file, line, message } of problems) print(stdout, safe(`${file}:${line}: ${message}`));
    const failed = problems.length + found.problems.length;
    const counted = `${reports.length} ${reports.length === 1 ? 'file' : 'files'}, ${ruleCount} ${ruleCount === 1 ? 'rule' : 'rules'}, ${exampleCount} ${exampleCount === 1 ? 'example' : 'examples'}`;
    if (reports.length + found.problems.length === 0)
      print(
        stdout,
        `There are no rules of your own. Write some into ${join(layout.root, 'rules')} or a project's .callgate/rules: "Callgate: New Rule…" in the editor starts one.`,
      );
    else print(stdout, failed === 0 ? `${counted}: all hold.` : `${counted}: ${failed} ${failed === 1 ? 'problem' : 'problems'}.`);
  }
  return problems.length + found.problems.length === 0 ? 0 : 1;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, number) => all + number, 0);

/** A rule of a checkout is a stranger's text. */
const safe = (text: string): string =>
  visibleRuns(text)
    .map((run) => run.shown)
    .join('');
const oneLine = (text: string): string => safe(text).replaceAll('\n', ' ⏎ ');
const shortened = (text: string): string => oneLine(text.length > 160 ? `${text.slice(0, 160)}…` : text);
