/** The gate itself, with a few plain rules, as a relay's judge: nobody can be asked. What it wrote down can be read. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { Judge } from '#contract/judgement.ts';
import { openLocalGate } from '#home/localGate.ts';
import type { RelayEntry } from '#core/policy/relayPart.ts';
import { relayPolicyFor } from '#core/policy/relayPolicy.ts';
import { NO_POLICY } from '#core/policy/policy.ts';
import type { RelayHelp } from '#node/proxy/relayHelp.ts';
import { gateBox, TEST_RULES } from '../../home/gateBox.ts';

export interface GateJudge {
  readonly judge: Judge;
  readonly help: (relay?: Partial<RelayEntry>) => RelayHelp;
  readonly journal: () => AuditEntry[];
  readonly remove: () => void;
}

export function gateJudge(): GateJudge {
  const box = gateBox();
  const [word] = TEST_RULES.rules;
  if (word === undefined) throw new Error('the test rules are gone');
  const token = {
    ...word,
    id: 'test.token',
    title: 'A token',
    severity: 'high' as const,
    category: 'credential-leak',
    keywords: ['tok_'],
    match: { kind: 'regex' as const, fields: ['text' as const, 'content' as const], regex: 'tok_[a-z0-9"]{12}', flags: '', secret: null },
  };
  writeFileSync(box.rulesFile, JSON.stringify({ ...TEST_RULES, rules: [...TEST_RULES.rules, token] }));
  const gate = openLocalGate({ layout: box.layout, rulesFile: box.rulesFile, warn: () => undefined });
  return {
    judge: (call, options) => Promise.resolve(gate.judge(call, 'refuse', options)),
    help: (relay = {}) => {
      const entry = { servers: [], results: null, maskSecrets: false, requireHook: false, giveKeys: [], ...relay };
      const user = { severity: {}, rules: [], experimental: 'report' as const, relay: [entry] };
      return {
        policy: (server) => relayPolicyFor(server, { ...NO_POLICY, user }),
        findings: (call) => gate.engine.decide(call).findings,
      };
    },
    journal: () =>
      readdirSync(box.layout.journal)
        .filter((name) => name.endsWith('.jsonl'))
        .sort()
        .flatMap((name) => readFileSync(join(box.layout.journal, name), 'utf8').split('\n'))
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as AuditEntry),
    remove: () => {
      gate.close();
      box.remove();
    },
  };
}
