/** An empty home for one journal, events to put into it, and a way to look at and change its lines. */
import fc from 'fast-check';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { AuditEntry, AuditEvent } from '#contract/auditRecord.ts';
import { CHANNELS } from '#core/model/call.ts';
import type { JsonValue } from '#core/model/json.ts';
import { VERDICTS } from '#core/model/verdict.ts';
import { layoutFor, type Layout } from '#home/layout.ts';

const homes: string[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

/** A layout in an empty home that is gone after the test. */
export function emptyLayout(): Layout {
  const home = mkdtempSync(join(tmpdir(), 'callgate-journal-'));
  homes.push(home);
  return layoutFor(home);
}

const word = fc.constantFrom('main', 'sub-1', 'claude', 'Bash', 'Read', '', 'ünï', 'Ärger', '"quoted"', 'K', '\u2028', '\ud800');
const text = fc.oneof(word, fc.string({ unit: 'binary', maxLength: 12 }));

export const anyEvent: fc.Arbitrary<AuditEvent> = fc.record({
  kind: fc.constantFrom('call', 'hold', 'response', 'prompt', 'session', 'grant', 'config', 'broker', 'journal'),
  call: text,
  client: fc.constantFrom('claude', 'codex', 'mcp', 'cli'),
  agent: word,
  parent: fc.option(word),
  session: word,
  useId: fc.option(text),
  channel: fc.constantFrom(...CHANNELS),
  tool: word,
  server: fc.option(text),
  cwd: text,
  workspace: text,
  rules: word,
  policy: word,
  args: fc.jsonValue({ noUnicodeString: false }) as fc.Arbitrary<JsonValue>,
  argsHash: fc.constant('cd'.repeat(32)),
  verdict: fc.constantFrom(...VERDICTS),
  outcome: fc.constantFrom('delivered', 'refused', 'asked', 'held', 'expired'),
  by: fc.constantFrom('gate', 'person', 'grant', 'timeout', 'failure', 'client'),
  reason: text,
  note: text,
  findings: fc.array(
    fc.record({
      rule: fc.constantFrom('shell.rm-root', 'secrets.aws-key'),
      title: text,
      category: text,
      severity: fc.constantFrom('low', 'medium', 'high', 'critical'),
      confidence: fc.constantFrom('low', 'medium', 'high'),
      status: fc.constantFrom('experimental', 'stable', 'deprecated'),
      rationale: text,
      at: text,
      span: fc.option(fc.record({ start: fc.nat(), end: fc.nat() })),
      matched: text,
      decoded: fc.option(text),
    }),
    { maxLength: 2 },
  ),
  tookMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
});

export function segmentsOf(layout: Layout): string[] {
  return readdirSync(layout.journal)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => join(layout.journal, name));
}

/** All whole lines over all segments, without their ends. */
export function linesOf(layout: Layout): string[] {
  return segmentsOf(layout).flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(0, -1));
}

export function entriesOf(layout: Layout): AuditEntry[] {
  return linesOf(layout).map((line) => JSON.parse(line) as AuditEntry);
}

export function writeLines(file: string, lines: readonly string[]): void {
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
}

/** What `work` throws. */
export function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}
