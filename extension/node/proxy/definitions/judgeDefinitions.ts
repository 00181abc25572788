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
        for (const { among, judged } of acrossBorders(entries.slice(from, from + MOST_JOINED), judgeValue)) {
          const names = among.map(({ name }) => `"${name}"`).join(' and ');
          for (const entry of among) {
            const alone = known.get(entry.hash);
            if (alone === undefined || isBad(alone)) continue;
            remember(entry.hash, {
              verdict: judged.verdict,
              findings: [...alone.findings, ...judged.findings.map((one) => ({ ...one, at: '', span: null }))],
              reason: `Read after one another, ${names} say what none says by itself: ${judged.reason}`,
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

interface Together {
  readonly among: readonly Listed[];
  readonly judged: Judged;
}

/** Neighbours over whose borders something was found that is bad, while each of them by itself is not. */
function acrossBorders(entries: readonly Listed[], judge: (name: string, value: JsonValue) => Judged): readonly Together[] {
  const texts = entries.map(endsOf);
  const whole = judge('', { description: texts.join('\n') });
  if (!isBad(whole)) return [];
  const found: Together[] = [];
  const tried = new Set<string>();
  for (const { span } of whole.findings) {
    if (span === null) continue;
    let at = 0;
    const touched: number[] = [];
    for (const [index, text] of texts.entries()) {
      if (text !== '' && span.start < at + text.length && span.end > at) touched.push(index);
      at += text.length + 1;
    }
    const [first = 0, last = 0] = [touched[0], touched.at(-1)];
    if (last <= first || tried.has(`${first} ${last}`)) continue;
    tried.add(`${first} ${last}`);
    const parts = texts.slice(first, last + 1);
    const judged = judge('', { description: parts.join('\n') });
    const apart = parts.map((text) => judge('', { description: text }));
    if (isBad(judged) && apart.every((one) => VERDICTS.indexOf(one.verdict) < VERDICTS.indexOf(judged.verdict)))
      found.push({ among: entries.slice(first, last + 1), judged });
  }
  return found;
}

function endsOf({ definition }: Listed): string {
  const text = isObject(definition) ? definition['description'] : definition;
  if (typeof text !== 'string') return '';
  return text.length <= 2 * END ? text : `${text.slice(0, END)} […] ${text.slice(-END)}`;
}
