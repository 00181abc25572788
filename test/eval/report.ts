/** `docs/detection.md`: what was measured, as Markdown. */
import type { RulePack } from '#core/detect/rulePack.ts';
import { held, noticed, rateOf, type Judged, type Rate } from './measure.ts';

/** The aims, by channel: least share of core attacks noticed, most of benign samples held. */
const AIMS: Readonly<Record<string, readonly [string, number, number]>> = {
  bash: ['shell commands', 0.95, 0.01],
  write_content: ['written content', 0.95, 0.01],
  read_path: ['paths', 0.95, 0.01],
  url: ['addresses', 0.98, 0.005],
  tool_response: ['text in results', 0.85, 0.01],
  tool_definition: ['tool definitions', 0.9, 0.005],
  mcp_call: ['MCP arguments', 0.95, 0.01],
};
/** Ordinary agent work: how rarely it may be held and warned about. */
const ORDINARY = ['benign_claude_bash.jsonl', 'benign_bash_ci.jsonl', 'benign_bash_tldr.jsonl', 'benign_bash_nl2bash.jsonl'];

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const interval = (rate: Rate): string => `${percent(rate.low)} – ${percent(rate.high)}`;
const table = (rows: readonly (readonly string[])[]): string => {
  const [head = [], ...rest] = rows;
  return [head, head.map(() => '---'), ...rest].map((row) => `| ${row.join(' | ')} |`).join('\n');
};
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** `judged`: every sample of every file, also those outside the core subset. */
export function detectionReport(judged: ReadonlyMap<string, readonly Judged[]>, pack: RulePack): string {
  const byChannel = Object.entries(AIMS).map(([channel, [name, recall, positives]]) => {
    const attacks = ratesOf(judged, channel, true, noticed);
    const attacksHeld = ratesOf(judged, channel, true, held);
    const benign = ratesOf(judged, channel, false, held);
    return [
      name,
      `${percent(mean(attacks.map((rate) => rate.rate)))} of ${attacks.length} files`,
      `≥ ${percent(recall)}`,
      percent(mean(attacksHeld.map((rate) => rate.rate))),
      `${percent(mean(benign.map((rate) => rate.rate)))} of ${benign.length} files`,
      `≤ ${percent(positives)}`,
    ];
  });
  const perFile = [...judged].flatMap(([file, rows]) =>
    [...new Set(rows.map((row) => row.sample.channel))].sort().map((channel) => {
      const core = rows.filter((row) => row.sample.core && row.sample.channel === channel);
      const attacks = core.filter((row) => row.sample.attack);
      const benign = core.filter((row) => !row.sample.attack);
      const attackRate = rateOf(attacks, noticed);
      const benignRate = rateOf(benign, held);
      return [
        file.replace(/\.jsonl$/u, ''),
        channel,
        ...(attacks.length === 0
          ? ['', '', '', '']
          : [
              `${attacks.length} / ${attackRate.groups}`,
              percent(attackRate.rate),
              interval(attackRate),
              percent(rateOf(attacks, held).rate),
            ]),
        ...(benign.length === 0
          ? ['', '', '', '']
          : [
              `${benign.length} / ${benignRate.groups}`,
              percent(benignRate.rate),
              interval(benignRate),
              percent(rateOf(benign, noticed).rate),
            ]),
      ];
    }),
  );
  const ordinary = ORDINARY.filter((file) => judged.has(file)).map((file) => {
    const rows = judged.get(file) ?? [];
    const calls = (count: number): string => (count === 0 ? `none of ${rows.length}` : `1 in ${Math.round(rows.length / count)}`);
    return [file.replace(/\.jsonl$/u, ''), calls(rows.filter(held).length), calls(rows.filter(noticed).length)];
  });
  return `# Detection quality

Written by \`npm run eval\`. ${pack.size} rules, pack ${pack.hash.slice(0, 12)}.

The samples are other people's: attack and benign calls published with other projects, read from a folder beside the
repository and not shipped. *Core* leaves out what the sources themselves call a matter of meaning, dual use, doubtful or
out of scope. *Noticed* is flag or worse, *held* is quarantine or block. Averages are over files, as many attack files
share a few templates; intervals are 95 % bootstrap intervals over groups of samples of the same make. These samples were
at hand while the rules were written: what the rules do on others is lower.

## By channel, core subset

${table([['channel', 'attacks noticed', 'aim', 'attacks held', 'benign held', 'aim'], ...byChannel])}

## Ordinary agent work, every sample

${table([['file', 'held', 'noticed'], ...ordinary])}

Aim: held rarer than 1 in 300 calls, noticed rarer than 1 in 50.

## By file, core subset

${table([['file', 'channel', 'attacks / groups', 'noticed', '95 %', 'held', 'benign / groups', 'held', '95 %', 'noticed'], ...perFile])}
`;
}

function ratesOf(
  judged: ReadonlyMap<string, readonly Judged[]>,
  channel: string,
  attack: boolean,
  test: (judged: Judged) => boolean,
): readonly Rate[] {
  return [...judged.values()]
    .map((rows) => rows.filter((row) => row.sample.core && row.sample.channel === channel && row.sample.attack === attack))
    .filter((rows) => rows.length > 0)
    .map((rows) => rateOf(rows, test));
}
