/** The file formats there are, and the encoder of each. */
import { cefEncoder } from '#node/audit/export/cef.ts';
import { csvEncoder } from '#node/audit/export/csv.ts';
import type { Encoder } from '#node/audit/export/encoderShape.ts';
import { jsonEncoder, jsonLinesEncoder } from '#node/audit/export/jsonEntries.ts';
import { ocsfEncoder } from '#node/audit/export/ocsf.ts';
import { sarifEncoder } from '#node/audit/export/sarif.ts';

export const FILE_FORMATS = ['json', 'jsonl', 'csv', 'sarif', 'cef', 'ocsf'] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

/** For people who choose: what it is, and how such files end. */
export const FORMAT_FACTS: Readonly<Record<FileFormat, { readonly title: string; readonly detail: string; readonly ending: string }>> = {
  json: { title: 'JSON', detail: 'one array of entries', ending: 'json' },
  jsonl: { title: 'JSON Lines', detail: 'the journal’s own lines, which can be verified', ending: 'jsonl' },
  csv: { title: 'CSV', detail: 'a table for spreadsheets, formulas made harmless', ending: 'csv' },
  sarif: { title: 'SARIF 2.1.0', detail: 'findings for code scanning tools', ending: 'sarif' },
  cef: { title: 'CEF', detail: 'ArcSight Common Event Format, one event a line', ending: 'cef' },
  ocsf: { title: 'OCSF 1.3', detail: 'Open Cybersecurity Schema Framework, one event a line', ending: 'ocsf.jsonl' },
};

/**
 * @param version of Callgate, which formats name as the product's
 * @param codesOf see `sarifEncoder`
 */
export function encoderFor(format: FileFormat, version: string, codesOf: (rule: string) => readonly string[] = () => []): Encoder {
  switch (format) {
    case 'json':
      return jsonEncoder();
    case 'jsonl':
      return jsonLinesEncoder();
    case 'csv':
      return csvEncoder();
    case 'sarif':
      return sarifEncoder(version, codesOf);
    case 'cef':
      return cefEncoder(version);
    case 'ocsf':
      return ocsfEncoder(version);
  }
}
