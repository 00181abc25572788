/**
 * Third-party samples, one JSON object a line: a folder `../shared/corpora` beside the repository, or where
 * `CALLGATE_CORPORA` says. They are read where they lie and never copied.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCheckLine } from '#contract/checkLine.ts';
import type { ToolCall } from '#core/model/call.ts';
import { isObject, type JsonValue } from '#core/model/json.ts';

export const corporaFolder = process.env['CALLGATE_CORPORA'] ?? fileURLToPath(new URL('../../../shared/corpora', import.meta.url));

/** Sorted names of the files with samples; empty when there are none on this machine. */
export const corporaFiles = (): readonly string[] =>
  corporaFolder !== '' && existsSync(corporaFolder)
    ? readdirSync(corporaFolder)
        .filter((name) => name.endsWith('.jsonl'))
        .sort()
    : [];

export interface Sample {
  readonly id: string;
  readonly attack: boolean;
  /** As the file writes it: `bash`, `read_path`, `write_content`, `url`, `mcp_call`, `tool_definition`, `tool_response`. */
  readonly channel: string;
  /** Samples made from one template or by one author; confidence intervals resample these, not rows. */
  readonly group: string;
  /** Not in the core subset: what the source itself calls a matter of meaning, doubtful or out of scope. */
  readonly core: boolean;
  readonly call: ToolCall;
}

const NOT_CORE_ATTACK = ['semantic', 'dual_use', 'conflict', 'weak_label', 'out_of_scope', 'sequence', 'long_tail', 'windows'];
const NOT_CORE_BENIGN = ['risky_benign', 'security_task', 'quotes_attacks', 'touches_sensitive', 'loopback'];
const CWD = '/home/dev/app';

export function readSamples(text: string): Sample[] {
  const out: Sample[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const row = JSON.parse(line) as JsonValue;
    if (!isObject(row)) throw new Error(`line ${index + 1} is not an object`);
    const read = parseCheckLine(row, CWD);
    if ('problem' in read) throw new Error(`line ${index + 1}: ${read.problem}`);
    const attack = row['label'] === 'attack';
    const flagged = (flag: string): boolean => row[flag] === true || (Array.isArray(row['flags']) && row['flags'].includes(flag));
    const core = !(attack ? NOT_CORE_ATTACK : NOT_CORE_BENIGN).some(flagged) && !(attack && row['platform'] === 'windows');
    out.push({ id: read.id, attack, channel: String(row['channel']), group: String(row['group'] ?? read.id), core, call: read.call });
  }
  return out;
}

export const readSampleFile = (file: string): Sample[] => readSamples(readFileSync(join(corporaFolder, file), 'utf8'));

/** 0 to 3, the same for every sample of a group (FNV-1a of its name). */
export function quarterOf(group: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < group.length; index++) hash = Math.imul(hash ^ group.charCodeAt(index), 0x01000193);
  return (hash >>> 16) & 3;
}
