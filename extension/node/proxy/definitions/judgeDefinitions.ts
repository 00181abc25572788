/** What the gate says of definitions, each by itself and of those whose texts only together say something. */
import type { ToolCall } from '#core/model/call.ts';
import type { Finding } from '#core/model/finding.ts';
import { isObject, type JsonValue } from '#core/model/json.ts';
import { VERDICTS, type Decision } from '#core/model/verdict.ts';
import type { Judged } from '#node/proxy/definitions/classify.ts';
import { type Listed, without } from '#node/proxy/definitions/listing.ts';

/** Not pinned (see pinnedText), so judged whenever they come. */
export const UNPINNED = ['_meta', 'icons'] as const;
/** Others are judged meanwhile. */
const TURN_MS = 10;
const MAX_REMEMBERED = 20_000;
/** What stands at the two ends of a text may be the half of something. */
const END = 300;
const MOST_JOINED = 200;

export interface DefinitionJudge {
  /** Hashes of the rules and the policy in force. What was judged by others is forgotten. */
  readonly judgedBy: () => string;
  /** The same as it last was. */
  readonly inForce: () => string;
  /** By hash; filled by `judge`. */
  readonly known: ReadonlyMap<string, Judged>;
  readonly judge: (entries: readonly Listed[]) => Promise<void>;
  /**
   * Marks those of `entries` (in the order in which a model reads them) whose text is bad only together with its neighbour's.
   * Gives what of them has changed.
   */
  readonly judgeTogether: (entries: readonly Listed[]) => Promise<readonly Listed[]>;
  readonly judgeValue: (name: string, value: JsonValue) => Judged;
}

export const isBad = ({ verdict }: Judged): boolean => verdict === 'quarantine' || verdict === 'block';

export function definitionJudge(call: Pick<ToolCall, 'server' | 'cwd' | 'session'>, decide: (call: ToolCall) => Decision): DefinitionJudge {
  const known = new Map<string, Judged>();
  let inForce = '';
  const ask = (tool: string, args: JsonValue): Decision =>
    decide({ ...call, client: 'mcp', agent: 'main', useId: null, channel: 'definition', tool, args });
  const judgeValue = (name: string, value: JsonValue): Judged => {
    const { verdict, findings } = ask(name, value);
    return { verdict, findings, reason: titlesOf(findings) };
  };
  const remember = (hash: string, judged: Judged): void => {
    known.set(hash, judged);
    for (const oldest of known.keys()) {
      if (known.size <= MAX_REMEMBERED) break;
      known.delete(oldest);
    }
  };

  return {
    judgedBy: () => {
      const { rules, policy } = ask('', {});
      const now = `${rules}|${policy}`;
      if (now !== inForce) known.clear();
      inForce = now;
      return now;
    },
    inForce: () => inForce,
    known,
    judgeValue,
    judge: async (entries) => {
      let turn = performance.now();
      for (const entry of entries) {
        if (known.has(entry.hash)) continue;
        const { definition } = entry;
        remember(entry.hash, judgeValue(entry.name, isObject(definition) ? without(definition, UNPINNED) : { instructions: definition }));
        if (performance.now() - turn < TURN_MS) continue;
        await new Promise<void>((resolve) => setImmediate(resolve));
        turn = performance.now();
      }
    },
    judgeTogether: async (entries) => {
      const marked: Listed[] = [];
      for (let from = 0; from + 1 < entries.length; from += MOST_JOINED - 1) {
        for (const [first, second, finding] of acrossBorders(entries.slice(from, from + MOST_JOINED), judgeValue)) {
          for (const entry of [first, second]) {
            const alone = known.get(entry.hash);
            if (alone === undefined || isBad(alone)) continue;
            remember(entry.hash, {
              verdict: finding.verdict,
              findings: [...alone.findings, ...finding.findings.map((one) => ({ ...one, at: '', span: null }))],
              reason: `Read after one another, "${first.name}" and "${second.name}" say what neither says by itself: ${finding.reason}`,
            });
            marked.push(entry);
          }
        }
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      return marked;
    },
  };
}

/** The gate's own sentence speaks of a call. */
function titlesOf(findings: readonly Finding[]): string {
  const titles = new Set(findings.slice(0, 3).map(({ title, rule }) => `${title} (${rule})`));
  return [...titles].join('; ');
}

type Together = readonly [first: Listed, second: Listed, judged: Judged];

/** Neighbours over whose border something was found that is bad, while each of them by itself is not. */
function acrossBorders(entries: readonly Listed[], judge: (name: string, value: JsonValue) => Judged): readonly Together[] {
  const texts = entries.map(endsOf);
  const joined = texts.join('\n');
  const whole = judge('', { description: joined });
  if (!isBad(whole)) return [];
  const found: Together[] = [];
  let border = -1;
  for (let index = 0; index + 1 < entries.length; index++) {
    border += (texts[index]?.length ?? 0) + 1;
    const [first, second] = [entries[index], entries[index + 1]];
    if (!first || !second || !whole.findings.some((finding) => spans(finding, border))) continue;
    const parts = [texts[index] ?? '', texts[index + 1] ?? ''];
    const pair = judge('', { description: parts.join('\n') });
    const apart = parts.map((text) => judge('', { description: text }));
    if (isBad(pair) && apart.every((one) => VERDICTS.indexOf(one.verdict) < VERDICTS.indexOf(pair.verdict)))
      found.push([first, second, pair]);
  }
  return found;
}

const spans = ({ span }: Finding, border: number): boolean => span !== null && span.start < border && span.end > border + 1;

function endsOf({ definition }: Listed): string {
  const text = isObject(definition) ? definition['description'] : definition;
  if (typeof text !== 'string') return '';
  return text.length <= 2 * END ? text : `${text.slice(0, END)} […] ${text.slice(-END)}`;
}
