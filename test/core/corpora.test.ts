/**
 * Measures the shipped rules on third-party samples when they are at hand (`CALLGATE_CORPORA`, a folder of JSON lines).
 * Floors are over whole files: no single sample decides. Without the folder only the reader is tested.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Channel, ToolCall } from '#core/model/call.ts';
import { isObject, type JsonValue } from '#core/model/json.ts';
import { worse, type Verdict } from '#core/model/verdict.ts';
import { judge, ruleIds } from './gateKit.ts';

const folder = process.env['CALLGATE_CORPORA'] ?? '';
const present = folder !== '' && existsSync(folder);
const CHANNEL_OF: Readonly<Record<string, Channel>> = {
  bash: 'shell',
  read_path: 'read',
  write_content: 'write',
  url: 'fetch',
  mcp_call: 'mcp',
  tool_definition: 'definition',
  tool_response: 'response',
};
const NOT_CORE_ATTACK = ['semantic', 'dual_use', 'conflict', 'weak_label', 'out_of_scope', 'sequence', 'long_tail', 'windows'];
const NOT_CORE_BENIGN = ['risky_benign', 'security_task', 'quotes_attacks', 'touches_sensitive', 'loopback'];

interface Sample {
  readonly id: string;
  readonly attack: boolean;
  readonly call: Partial<ToolCall>;
}

function readSamples(text: string): Sample[] {
  const out: Sample[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const row = JSON.parse(line) as JsonValue;
    if (!isObject(row)) continue;
    const attack = row['label'] === 'attack';
    const flags = attack ? NOT_CORE_ATTACK : NOT_CORE_BENIGN;
    if (
      flags.some((flag) => row[flag] === true || (Array.isArray(row['flags']) && row['flags'].includes(flag))) ||
      (attack && row['platform'] === 'windows')
    )
      continue;
    const channel = CHANNEL_OF[String(row['channel'])] ?? 'other';
    const args =
      channel === 'response'
        ? (row['tool_response'] ?? null)
        : channel === 'definition'
          ? (row['tool_definition'] ?? null)
          : (row['tool_input'] ?? null);
    out.push({ id: String(row['id']), attack, call: { channel, tool: String(row['tool_name'] ?? 'tool'), args, cwd: '/home/dev/app' } });
  }
  return out;
}

interface Rates {
  readonly held: number;
  readonly noticed: number;
  readonly total: number;
  readonly rules: ReadonlyMap<string, number>;
  readonly examples: readonly string[];
}

function rates(samples: readonly Sample[], wanted: 'attack' | 'benign'): Rates {
  let held = 0;
  let noticed = 0;
  const rules = new Map<string, number>();
  const examples: string[] = [];
  const rows = samples.filter((sample) => sample.attack === (wanted === 'attack'));
  for (const sample of rows) {
    const decision = judge(sample.call);
    const stops = worse(decision.verdict, 'quarantine') === decision.verdict;
    if (stops) held++;
    if (decision.verdict !== ('clean' satisfies Verdict)) noticed++;
    if (stops === (wanted === 'benign')) {
      examples.push(`${sample.id} ${ruleIds(decision).join(',')} ${JSON.stringify(sample.call.args).slice(0, 160)}`);
      for (const rule of ruleIds(decision)) rules.set(rule, (rules.get(rule) ?? 0) + 1);
    }
  }
  return { held, noticed, total: rows.length, rules, examples };
}

const percent = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
const MOST_HELD: Readonly<Record<string, number>> = {
  benign_bash: 0.015,
  benign_claude_bash: 0.015,
  benign_paths: 0.015,
  benign_urls: 0.015,
  benign_writes: 0.015,
  benign_hashes: 0.015,
  benign_reads: 0.015,
  benign_documents: 0.015,
  benign_tooldefs: 0.02,
  benign_multilingual: 0.015,
  benign_injecagent: 0.015,
  benign_agentdyn: 0.02,
};

describe('third-party samples', () => {
  it('are read with their flags', () => {
    const text = [
      '{"id":"a","label":"attack","channel":"bash","tool_input":{"command":"x"}}',
      '{"id":"b","label":"attack","channel":"bash","semantic":true,"tool_input":{}}',
      '{"id":"c","label":"benign","channel":"url","flags":["loopback"],"tool_input":{}}',
    ].join('\n');
    expect(readSamples(text).map((sample) => sample.id)).toEqual(['a']);
  });
  for (const file of present
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.jsonl'))
        .sort()
    : []) {
    it(file, { timeout: 120_000 }, () => {
      const samples = readSamples(readFileSync(join(folder, file), 'utf8'));
      const attack = rates(samples, 'attack');
      const benign = rates(samples, 'benign');
      const parts = [file.padEnd(40)];
      if (attack.total > 0)
        parts.push(
          `attacks held ${percent(attack.held, attack.total)}, noticed ${percent(attack.noticed, attack.total)} of ${attack.total}`,
        );
      if (benign.total > 0)
        parts.push(
          `benign held ${percent(benign.held, benign.total)}, noticed ${percent(benign.noticed, benign.total)} of ${benign.total}  ${[...benign.rules].map((item) => item.join(' ')).join(', ')}`,
        );
      console.log(parts.join(' '));
      if (process.env['CALLGATE_CORPORA_SHOW'] === file) console.log([...benign.examples, ...attack.examples].join('\n'));
      const limit = Object.entries(MOST_HELD).find(([prefix]) => file.startsWith(prefix))?.[1] ?? 1;
      expect(benign.held / Math.max(1, benign.total)).toBeLessThanOrEqual(limit);
    });
  }
});
