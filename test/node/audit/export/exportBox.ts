/** Journals to export and hostile events to put into them. */
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import type { AuditEntry, AuditEvent } from '#contract/auditRecord.ts';
import type { Finding } from '#core/model/finding.ts';
import { GENESIS_PREV, sealEntry } from '#home/journal/entryLine.ts';
import { openJournal } from '#home/journal/journal.ts';
import { segmentFile } from '#home/journal/segments.ts';
import type { Layout } from '#home/layout.ts';
import type { ReadBatch } from '#node/audit/readJournal.ts';
import type { FoundEntry } from '#node/audit/takeEntries.ts';
import { anyEvent, emptyLayout } from '../../../home/journal/journalBox.ts';
import { sampleEvent } from '../../../home/journal/sampleEvent.ts';

export const HOSTILE = [
  '=1+1',
  '+cmd|/c calc',
  '-2',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\uff1d1',
  'a\nb\r\nc',
  'nul\0byte',
  'lone\ud800half',
  '\udc00',
  '\u202etxt.exe',
  'bar|pipe\\back=equal',
  '"] ]"\\',
  '[click](https://example.com) {0} \\ud800',
  ']]>',
  '',
  '"quoted",comma;',
  'é漢字🙂',
  '\u2028\u0085\u001b[2J',
];
export const hostileText = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 30 }));
export const hostileEvent: fc.Arbitrary<AuditEvent> = fc
  .tuple(anyEvent, fc.array(hostileText, { minLength: 12, maxLength: 12 }))
  .map(
    ([
      event,
      [
        tool = '',
        server = '',
        cwd = '',
        reason = '',
        note = '',
        session = '',
        agent = '',
        matched = '',
        title = '',
        at = '',
        command = '',
        category = '',
      ],
    ]) => ({
      ...event,
      tool,
      server,
      cwd,
      reason,
      note,
      session,
      agent,

      args: { command },
      findings: [...event.findings, { ...sampleFinding(), matched, title, at, category }],
    }),
  );

export function sampleFinding(changes: Partial<Finding> = {}): Finding {
  return {
    rule: 'shell.rm-root',
    title: 'Deletes everything',
    category: 'destruction',
    severity: 'critical',
    confidence: 'high',
    status: 'stable',
    rationale: 'Nothing comes back.',
    at: '/command',
    span: { start: 0, end: 8 },
    matched: 'rm -rf /',
    decoded: null,
    ...changes,
  };
}

/** The event as the journal's first entry. */
export function foundOf(event: AuditEvent, seq = 1): FoundEntry {
  const sealed = sealEntry(event, { seq, time: 1_767_225_600_000 + seq, writer: '77:1', prev: GENESIS_PREV, key: '0'.repeat(16) });
  if (sealed.problem !== null) throw new Error(sealed.problem);
  return { entry: JSON.parse(sealed.line) as AuditEntry, bytes: Buffer.from(sealed.line), file: '/j/000001.jsonl', line: seq };
}

export async function* batchesOf(...events: readonly AuditEvent[]): AsyncGenerator<ReadBatch, void, void> {
  const found = events.map((event, index) => foundOf(event, index + 1));
  yield { found, reached: found.length, progress: 1 };
}

/** Segments of `perSegment` entries each, events as `make` gives them. */
export function journalOf(
  segments: number,
  perSegment: number,
  make = (seq: number): AuditEvent => sampleEvent({ call: `c-${seq}` }),
): Layout {
  const layout = emptyLayout();
  for (let segment = 0; segment < segments; segment += 1) {
    const journal = openJournal(layout, { segmentBytes: segment === 0 ? 1e9 : 1 });
    journal.append(Array.from({ length: perSegment }, (_, index) => make(segment * perSegment + index + 1)));
    journal.close();
  }
  return layout;
}

export function compress({ journal }: Layout, number: number): void {
  const file = segmentFile(journal, number);
  writeFileSync(`${file}.gz`, gzipSync(readFileSync(file)));
  unlinkSync(file);
}

export function expire({ journal }: Layout, number: number): void {
  const file = segmentFile(journal, number);
  renameSync(file, file.replace('.jsonl', '.expired'));
}
