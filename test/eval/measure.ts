/** Recall and false positives of the shipped rules over samples, with confidence intervals over groups. */
import { decide, type GateContext } from '#core/gate.ts';
import type { Verdict } from '#core/model/verdict.ts';
import type { Sample } from './samples.ts';

export interface Judged {
  readonly sample: Sample;
  readonly verdict: Verdict;
  readonly rules: readonly string[];
}

export function judgeAll(samples: readonly Sample[], context: GateContext): Judged[] {
  return samples.map((sample) => {
    const decision = decide(sample.call, context);
    return { sample, verdict: decision.verdict, rules: [...new Set(decision.findings.map((finding) => finding.rule))] };
  });
}

export const noticed = (judged: Judged): boolean => judged.verdict !== 'clean';
export const held = (judged: Judged): boolean => judged.verdict === 'quarantine' || judged.verdict === 'block';

export interface Rate {
  readonly rate: number;
  /** 95 % confidence interval. */
  readonly low: number;
  readonly high: number;
  readonly rows: number;
  readonly groups: number;
}

const RESAMPLES = 1000;

/**
 * Share of rows that meet `test`, with a percentile bootstrap over whole groups: rows of one template say little more
 * than one of them. Seeded, so equal input gives equal figures.
 */
export function rateOf(rows: readonly Judged[], test: (judged: Judged) => boolean): Rate {
  const groups = new Map<string, { hits: number; rows: number }>();
  for (const row of rows) {
    const group = groups.get(row.sample.group) ?? { hits: 0, rows: 0 };
    groups.set(row.sample.group, { hits: group.hits + (test(row) ? 1 : 0), rows: group.rows + 1 });
  }
  const all = [...groups.values()];
  const rate = (picked: readonly { hits: number; rows: number }[]): number => {
    const total = picked.reduce((sum, group) => sum + group.rows, 0);
    return total === 0 ? 0 : picked.reduce((sum, group) => sum + group.hits, 0) / total;
  };
  const random = seeded(rows.length);
  const means = Array.from({ length: RESAMPLES }, () =>
    rate(all.map(() => all[Math.floor(random() * all.length)] ?? { hits: 0, rows: 0 })),
  );
  means.sort((a, b) => a - b);
  return {
    rate: rate(all),
    low: means[Math.floor(RESAMPLES * 0.025)] ?? 0,
    high: means[Math.ceil(RESAMPLES * 0.975) - 1] ?? 0,
    rows: rows.length,
    groups: all.length,
  };
}

/** A linear congruential generator (Numerical Recipes): numbers from 0 to below 1. */
function seeded(seed: number): () => number {
  let state = (seed + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}
