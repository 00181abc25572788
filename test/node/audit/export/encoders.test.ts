/** Every file format, read back by a reader of its own, over ordinary and hostile entries. */
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AuditEvent } from '#contract/auditRecord.ts';
import { parseEntryLine } from '#home/journal/entryLine.ts';
import { cefLine } from '#node/audit/export/cef.ts';
import { encoderFor, FILE_FORMATS, type FileFormat } from '#node/audit/export/encoder.ts';
import { cut, safeJson } from '#node/audit/export/entryText.ts';
import { messageText } from '#node/audit/export/sarif.ts';
import { sampleEvent } from '../../../home/journal/sampleEvent.ts';
import { foundOf, HOSTILE, hostileEvent, sampleFinding } from './exportBox.ts';

function encoded(format: FileFormat, ...events: readonly AuditEvent[]): string {
  const encoder = encoderFor(format, '1.2.3', (rule) => CODES[rule] ?? []);
  return encoder.begin() + events.map((event, index) => encoder.entry(foundOf(event, index + 1))).join('') + encoder.end();
}

/** RFC 4180, read strictly: every record ends in CRLF, quotes only around whole cells. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell: string;
    if (text[at] === '"') {
      const match = /"((?:[^"]|"")*)"/y;
      match.lastIndex = at;
      const found = match.exec(text);
      if (found === null) throw new Error('a quote is never closed');
      cell = (found[1] ?? '').replaceAll('""', '"');
      at = match.lastIndex;
    } else {
      const end = /[,\r]/g;
      end.lastIndex = at;
      const stop = end.exec(text)?.index ?? text.length;
      cell = text.slice(at, stop);
      if (cell.includes('"') || cell.includes('\n')) throw new Error('a quote or line end outside of quotes');
      at = stop;
    }
    row.push(cell);
    if (text[at] === ',') at += 1;
    else if (text.startsWith('\r\n', at)) {
      rows.push(row);
      row = [];
      at += 2;
    } else throw new Error(`neither comma nor line end at ${at}`);
  }
  return rows;
}

const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}]/u;
const hostileEvents = fc.array(hostileEvent, { minLength: 1, maxLength: 4 });

test('CSV: rows and columns are those of the entries, nothing runs as a formula, nothing hides', () => {
  fc.assert(
    fc.property(hostileEvents, (events) => {
      const [header = [], ...rows] = readCsv(encoded('csv', ...events));
      expect(rows.map((row) => row.length)).toEqual(events.map(() => header.length));
      for (const row of rows)
        for (const cell of row) {
          expect(cell).not.toMatch(/^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/);
          expect(cell.replace(/[\n\t]/g, '')).not.toMatch(UNSEEN);
        }
    }),
    { numRuns: 300 },
  );
});

const cells: readonly (readonly [reason: string, cell: string])[] = [
  ['plain', 'plain'],
  ['=1+1', "'=1+1"],
  ['-2', "'-2"],
  ['@x', "'@x"],
  ['\t=1', "'\t=1"],
  ['\uff1d1', "'\uff1d1"],
  ['say "hi", now', 'say "hi", now'],
  ['two\nlines', 'two\nlines'],
  ['\u202eevil', '\\u{202E}evil'],
];
test.each(cells)('CSV: %j is the cell %j', (reason, cell) => {
  const [header = [], row = []] = readCsv(encoded('csv', sampleEvent({ reason })));
  expect(row[header.indexOf('reason')]).toBe(cell);
});

/** The format's own reading: unescaped pipes part the header, a key is what stands before an unescaped equals sign. */
function readCef(line: string): { header: string[]; extension: Map<string, string> } {
  const parts = line.match(/(?:\\.|[^\\|])*(?:\||$)/g) ?? [];
  const header = parts.slice(0, 7).map((part) => part.replace(/\|$/, '').replace(/\\([\\|])/g, '$1'));
  const rest = parts.slice(7).join('');
  const extension = new Map<string, string>();
  for (const match of rest.matchAll(/(?:^| )([A-Za-z0-9]+)=((?:\\.|[^\\=])*?)(?= [A-Za-z0-9]+=|$)/g))
    extension.set(
      match[1] ?? '',
      (match[2] ?? '').replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign)),
    );
  return { header, extension };
}

test('CEF: one line an entry; seven header fields; every key and value reads back', () => {
  fc.assert(
    fc.property(hostileEvent, (event) => {
      const { entry } = foundOf(event);
      const line = cefLine(entry, '1.2.3');
      expect(line).not.toMatch(UNSEEN);
      const { header, extension } = readCef(line);
      expect(header.slice(0, 4)).toEqual(['CEF:0', 'Callgate', 'Callgate', '1.2.3']);
      expect(header[6]).toMatch(/^(?:[0-9]|10)$/);
      expect([extension.get('externalId'), extension.get('act'), extension.get('outcome'), extension.get('cs6')]).toEqual([
        String(entry.seq),
        entry.outcome,
        entry.verdict,
        entry.hash,
      ]);
    }),
    { numRuns: 500 },
  );
});

test('CEF: what a header and a value escape', () => {
  const { entry } = foundOf(sampleEvent({ reason: 'a=b|c\\d\ne', findings: [sampleFinding({ title: 'x|y\\z=1' })] }));
  const line = cefLine(entry, '1');
  expect(line).toContain('|x\\|y\\\\z=1|10|');
  expect(line).toContain(' reason=a\\=b|c\\\\d\\ne ');
});

const sarifSchema = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../fixtures/sarif/sarif-schema-2.1.0.json'), 'utf8'),
) as object;
const validSarif = new Ajv2020({ strict: false, validateFormats: false }).compile(sarifSchema);

/** As the rules would say; what is no code of a known taxonomy is left out. */
const CODES: Readonly<Record<string, readonly string[]>> = {
  'shell.rm-root': ['T1485', 'ASI05', 'CWE-78'],
  'x.y': ['T1059.004', 'LLM01', 'MCP03', 'nonsense'],
};

test('SARIF: the schema refuses what is not SARIF', () => {
  expect(validSarif({ version: '2.1.0', runs: [{ results: [] }] })).toBe(false);
});

test('SARIF: hostile and ordinary journals are valid by the official schema, and rules and results agree', () => {
  fc.assert(
    fc.property(hostileEvents, (events) => {
      const text = encoded('sarif', ...events, sampleEvent());
      const log = JSON.parse(text, (_, value: unknown) => {
        if (typeof value === 'string') expect(value).not.toMatch(/\p{Cs}/u);
        return value;
      }) as Sarif;
      expect([validSarif(log), validSarif.errors ?? []]).toEqual([true, []]);
      const [run] = log.runs;
      expect(run.results).toHaveLength(events.reduce((sum, { findings }) => sum + findings.length, 0));
      for (const { ruleId, ruleIndex } of run.results) expect(run.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
      for (const { relationships } of run.tool.driver.rules)
        for (const { target } of relationships) {
          const taxonomy = run.taxonomies[target.toolComponent.index];
          expect([taxonomy?.name, taxonomy?.taxa[target.index]?.id]).toEqual([target.toolComponent.name, target.id]);
        }
    }),
    { numRuns: 60 },
  );
});

interface Sarif {
  readonly runs: readonly [
    {
      readonly results: readonly {
        readonly ruleId: string;
        readonly ruleIndex: number;
        readonly level: string;
        readonly message: { readonly text: string };
        readonly partialFingerprints: Readonly<Record<string, string>>;
        readonly locations: readonly object[];
      }[];
      readonly tool: {
        readonly driver: {
          readonly rules: readonly {
            readonly id: string;
            readonly relationships: readonly {
              readonly target: {
                readonly id: string;
                readonly index: number;
                readonly toolComponent: { readonly name: string; readonly index: number };
              };
            }[];
          }[];
        };
      };
      readonly taxonomies: readonly { readonly name: string; readonly taxa: readonly { readonly id: string }[] }[];
    },
  ];
}

test('SARIF: one finding, whole', () => {
  const event = sampleEvent({ findings: [sampleFinding(), sampleFinding({ rule: 'x.y', severity: 'low', category: 'other' })] });
  const [run] = (JSON.parse(encoded('sarif', event, event)) as Sarif).runs;
  expect(run.results.map(({ ruleId, ruleIndex, level }) => [ruleId, ruleIndex, level])).toEqual([
    ['shell.rm-root', 0, 'error'],
    ['x.y', 1, 'note'],
    ['shell.rm-root', 0, 'error'],
    ['x.y', 1, 'note'],
  ]);
  expect(run.taxonomies.map(({ name, taxa }) => [name, taxa.map(({ id }) => id).join(' ')])).toEqual([
    ['Callgate categories', 'destruction other'],
    ['MITRE ATT&CK', 'T1485 T1059.004'],
    ['OWASP Top 10 for Agentic Applications', 'ASI05'],
    ['CWE', 'CWE-78'],
    ['OWASP Top 10 for LLM Applications', 'LLM01'],
    ['OWASP MCP Top 10', 'MCP03'],
  ]);
  // The same finding of another entry is the same finding; another rule's is not.
  const prints = run.results.map(({ partialFingerprints }) => partialFingerprints['callgateFinding/v1']);
  expect([prints[0] === prints[2], prints[0] === prints[1]]).toEqual([true, false]);
  expect(run.results[0]?.locations).toEqual([
    {
      physicalLocation: { artifactLocation: { uri: '000001.jsonl', uriBaseId: 'JOURNAL' }, region: { startLine: 1 } },
      logicalLocations: [{ name: 'Bash', fullyQualifiedName: 'claude/Bash/command', kind: 'function' }],
    },
  ]);
});

test.each([
  ['see [docs](https://example.com)', 'see \\[docs\\](https://example.com)'],
  ['use {0} and {x}', 'use {{0}} and {{x}}'],
  ['a[0] = {x}', 'a[0] = {x}'],
  ['\u202eabc', '\\u{202E}abc'],
])('SARIF message %j', (text, message) => {
  expect(messageText(text)).toBe(message);
});

/** The parts of OCSF 1.3.0 that its classes require of every event, and what we fill of the rest. */
const ocsfSchema = {
  type: 'object',
  required: ['activity_id', 'category_uid', 'class_uid', 'type_uid', 'time', 'severity_id', 'metadata'],
  properties: {
    time: { type: 'integer' },
    severity_id: { enum: [1, 2, 3, 4, 5] },
    action_id: { enum: [0, 1, 2] },
    disposition_id: { enum: [1, 2, 3, 8, 23, 25, 27] },
    is_alert: { type: 'boolean' },
    metadata: {
      type: 'object',
      required: ['product', 'version'],
      properties: { version: { const: '1.3.0' }, product: { type: 'object', required: ['vendor_name'] }, sequence: { type: 'integer' } },
    },
  },
  oneOf: [
    {
      required: ['finding_info'],
      properties: {
        class_uid: { const: 2004 },
        category_uid: { const: 2 },
        activity_id: { enum: [1, 3] },
        confidence_id: { enum: [1, 2, 3] },
        finding_info: {
          type: 'object',
          required: ['uid', 'title'],
          properties: {
            uid: { type: 'string', minLength: 1 },
            title: { type: 'string' },
            analytic: { type: 'object', required: ['type_id'] },
          },
        },
        evidences: { type: 'array', minItems: 1 },
      },
    },
    {
      required: ['actor', 'api', 'src_endpoint'],
      properties: {
        class_uid: { const: 6003 },
        category_uid: { const: 6 },
        activity_id: { enum: [2, 3, 99] },
        api: { type: 'object', required: ['operation'] },
        status_id: { enum: [1, 2, 99] },
      },
    },
    { properties: { class_uid: { const: 0 }, category_uid: { const: 0 }, activity_id: { const: 99 } } },
  ],
};
const validOcsf = new Ajv().compile(ocsfSchema);

test('OCSF: every entry is an event of the right shape, and its type is its class and activity', () => {
  fc.assert(
    fc.property(fc.oneof(hostileEvent, fc.constantFrom(sampleEvent(), sampleEvent({ kind: 'broker' }))), (event) => {
      const lines = encoded('ocsf', event).split('\n');
      expect(lines).toHaveLength(2);
      expect(lines[0]).not.toMatch(/\p{Cs}/u);
      const made = JSON.parse(lines[0] ?? '') as Record<string, number>;
      expect([validOcsf(made), validOcsf.errors ?? []]).toEqual([true, []]);
      expect(made['type_uid']).toBe((made['class_uid'] ?? 0) * 100 + (made['activity_id'] ?? 0));
    }),
    { numRuns: 300 },
  );
});

const classes: readonly (readonly [Partial<AuditEvent>, object])[] = [
  [{}, { class_uid: 6003, activity_id: 99, activity_name: 'shell', disposition: 'Allowed', status_id: 1 }],
  [
    { channel: 'read', tool: 'Read' },
    { class_uid: 6003, activity_id: 2 },
  ],
  [
    { outcome: 'held', verdict: 'quarantine', findings: [sampleFinding()] },
    { class_uid: 2004, activity_id: 1, disposition: 'Quarantined', severity: 'Critical', is_alert: true },
  ],
  [
    { kind: 'hold', outcome: 'delivered', by: 'person', findings: [sampleFinding()] },
    { class_uid: 2004, activity_id: 3, disposition: 'Approved' },
  ],
  [
    { kind: 'hold', outcome: 'refused', by: 'person' },
    { class_uid: 6003, disposition: 'Rejected', status_id: 2 },
  ],
  [
    { kind: 'config', by: 'failure', outcome: 'refused' },
    { class_uid: 0, activity_name: 'config', disposition: 'Error' },
  ],
];
test.each(classes)('OCSF: %j', (changes, expected) => {
  expect(JSON.parse(encoded('ocsf', sampleEvent(changes)))).toMatchObject(expected);
});

test('JSON and JSON Lines carry the journal’s own bytes, whose hashes still fit', () => {
  fc.assert(
    fc.property(hostileEvents, (events) => {
      const found = events.map((event, index) => foundOf(event, index + 1));
      const lines = encoded('jsonl', ...events)
        .split('\n')
        .slice(0, -1);
      expect(lines.map((line) => parseEntryLine(Buffer.from(line)).code)).toEqual(events.map(() => null));
      expect(JSON.parse(encoded('json', ...events))).toEqual(found.map(({ entry }) => entry));
    }),
    { numRuns: 100 },
  );
});

test.each(FILE_FORMATS)('%s of nothing is a whole file', (format) => {
  const text = encoded(format);
  if (format === 'json') expect(JSON.parse(text)).toEqual([]);
  else if (format === 'sarif') expect([validSarif(JSON.parse(text)), validSarif.errors ?? []]).toEqual([true, []]);
  else if (format === 'csv') expect(readCsv(text)).toHaveLength(1);
  else expect(text).toBe('');
});

test('half a surrogate pair never reaches JSON, and text that looks like one stays', () => {
  expect(JSON.parse(safeJson(['a\ud800b', '\\ud800', '\\\\ud800', '\\\ud800', '🙂', ...HOSTILE]))).toEqual(
    ['a\ufffdb', '\\ud800', '\\\\ud800', '\\\ufffd', '🙂', ...HOSTILE].map((text) => text.replace(/\p{Cs}/gu, '\ufffd')),
  );
});

test('cutting leaves whole characters and says so', () => {
  expect([cut('abcdef', 4), cut('ab🙂cd', 4), cut('abc', 3)]).toEqual(['abc…', 'ab…', 'abc']);
});
