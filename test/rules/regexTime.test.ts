/** Every regex of every rule against text made from its own words: a bound on length alone does not make a regex fast. */
import { describe, expect, it } from 'vitest';
import { slowness } from '#node/rulepack/regexPump.ts';
import { compiledRules } from '../core/gateKit.ts';

const UNITS = 16 * 1024;
/** Of the processor, as the machine may be busy. The slowest rule needs about a tenth of it; one with nested repeats needs minutes. */
const MOST_MS = 750;
const COMMON: readonly string[] = ['a', ' ', 'a ', '\n', '/', '../', '.', '0', '=', "'", '"', ';', 'A', '-', '%2e', '<', '@', ':', 'a.', 'a/', '~/', '\t', '\\', 'a,'];
const KEYS: ReadonlySet<string> = new Set(['regex', 'operand', 'argument', 'line', 'stdin', 'assigns', 'not', 'path', 'query', 'userinfo', 'port', 'target']);

interface Probe {
  readonly name: string;
  readonly source: string;
  readonly flags: string;
}

function probesOf(name: string, value: unknown, out: Probe[]): Probe[] {
  if (Array.isArray(value)) for (const item of value) probesOf(name, item, out);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      if (KEYS.has(key) && typeof member === 'string') out.push({ name: `${name}/${key}`, source: member, flags: 'flags' in value && typeof value.flags === 'string' ? value.flags : '' });
      else probesOf(name, member, out);
    }
  }
  return out;
}

/** The literal words of a regex: text made of them gets furthest into it before it fails. */
function wordsOf(source: string): string[] {
  const bare = source.replace(/\\[sSdDwWbB]/gu, ' ').replace(/\\(.)/gu, '$1').replace(/\{\d+(?:,\d+)?\}\??/gu, '').replace(/\(\?[:=!<]*|\[[^\]]*\]|[()?*+^$]/gu, ' ');
  return [...new Set(bare.split(/[\s|]+/u).filter((word) => word !== ''))];
}

function slowest(probe: Probe): { took: number; unit: string } {
  const regex = new RegExp(probe.source, `${probe.flags}dgu`);
  const words = wordsOf(probe.source);
  const few = words.slice(0, 6);
  let worst = { took: 0, unit: '' };
  for (const unit of new Set([...COMMON, ...words.flatMap((word) => [word, `${word} `, `${word} a `]), ...few.flatMap((word) => few.map((other) => `${word} ${other} `))])) {
    const text = unit.repeat(Math.ceil(UNITS / unit.length)).slice(0, UNITS);
    const start = process.cpuUsage();
    let hits = 0;
    for (const _ of text.matchAll(regex)) if (++hits > 16) break;
    const used = process.cpuUsage(start);
    const took = (used.user + used.system) / 1000;
    if (took > worst.took) worst = { took, unit };
    if (took > MOST_MS) return worst;
  }
  return worst;
}

describe('regexes of the shipped rules', () => {
  const all = compiledRules.json.rules.flatMap((rule) => probesOf(rule.id, rule.match, []));
  // Many rules share a regex: one name of it is enough.
  const probes = [...new Map(all.map((probe) => [`${probe.flags}/${probe.source}`, probe])).values()];
  it('are all found', () => {
    expect(probes.length).toBeGreaterThan(150);
  });
  it('are quick on texts made from their own repeats', { timeout: 120_000 }, () => {
    expect(probes.map((probe) => [probe.name, slowness(probe.source, probe.flags)]).filter(([, problem]) => problem !== null)).toEqual([]);
  });
  it('take time in proportion to the text', { timeout: 240_000 }, () => {
    expect(probes.map((probe) => ({ name: probe.name, ...slowest(probe) })).filter((found) => found.took > MOST_MS)).toEqual([]);
  });
  it('and one that does not is seen', () => {
    // Passes the compiler's look at its shape: the two repeats share their text, which only trying shows.
    expect(slowest({ name: 'bad', source: 'a{0,180}a{0,180}b', flags: '' }).took).toBeGreaterThan(MOST_MS);
  });
});
