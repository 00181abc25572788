/** `callgate audit query` and `tail`: entries for people, or as the journal's own lines. */
import type { FoundEntry } from '#node/audit/takeEntries.ts';
import { writeWithPatience } from '#node/audit/export/fileExport.ts';
import { type AuditAction, readFiltered, sayingFailures } from '#node/cli/auditAction.ts';
import { FILTER_USAGE, parseAuditOptions, type AuditOptions } from '#node/cli/auditOptions.ts';
import { tableHeader, tableRow, widthOf } from '#node/cli/auditTable.ts';
import { type CommandHost, print } from '#node/cli/command.ts';

const QUERY_LIMIT = 100;
const TAIL_LIMIT = 10;
export const QUERY_USAGE = `usage: callgate audit query [--oldest-first] [--json] [filters]   (newest first, at most ${QUERY_LIMIT} unless --limit says otherwise)`;
export const TAIL_USAGE = `usage: callgate audit tail [-n N] [-f] [--json] [filters]`;

function printer({ stdout }: CommandHost, { flags }: AuditOptions): (found: readonly FoundEntry[]) => Promise<boolean> {
  const asJson = flags.has('json');
  const width = widthOf(stdout);
  let headed = asJson;
  return (found) => {
    const lines = found.map((item) => (asJson ? item.bytes.toString('utf8') : tableRow(item.entry, width)));
    if (!headed && lines.length > 0) lines.unshift(tableHeader(width));
    headed ||= lines.length > 0;
    return writeWithPatience(stdout, lines.map((line) => `${line}\n`).join(''));
  };
}

export const query: AuditAction = async (args, host, signal) => {
  const options = parseAuditOptions(args, { flags: ['json', 'oldest-first'], values: [] }, { now: Date.now(), cwd: host.cwd });
  if ('problem' in options || options.words.length > 0) {
    print(host.stderr, `${'problem' in options ? `callgate: ${options.problem}\n` : ''}${QUERY_USAGE}\n${FILTER_USAGE}`);
    return 2;
  }
  return sayingFailures(host, async () => {
    const order = options.flags.has('oldest-first') ? 'oldest' : 'newest';
    const { batches, sayProblems } = readFiltered(host, options.filter, { order, check: 'whole', until: 'end', signal });
    const show = printer(host, options);
    const limit = options.limit ?? QUERY_LIMIT;
    let shown = 0;
    for await (const { found } of batches) {
      const wanted = found.slice(0, limit - shown);
      shown += wanted.length;
      if (!(await show(wanted)) || shown >= limit || signal.aborted) break;
    }
    if (shown === 0 && !options.flags.has('json')) print(host.stderr, 'No entry matches.');
    return sayProblems();
  });
};

export const tail: AuditAction = async (args, host, signal) => {
  const options = parseAuditOptions(args, { flags: ['json', 'f', 'follow'], values: ['n'] }, { now: Date.now(), cwd: host.cwd });
  const count = 'problem' in options ? 0 : tailCount(options);
  if ('problem' in options || options.words.length > 0 || count === null) {
    print(host.stderr, `${'problem' in options ? `callgate: ${options.problem}\n` : ''}${TAIL_USAGE}\n${FILTER_USAGE}`);
    return 2;
  }
  return sayingFailures(host, async () => {
    const show = printer(host, options);
    const end = await lastSeq(host, signal);
    const before = readFiltered(host, options.filter, { order: 'newest', check: 'whole', until: 'end', signal, to: end });
    const last: FoundEntry[] = [];
    for await (const { found } of before.batches) {
      for (const item of found) if (last.length < count) last.push({ ...item, bytes: Buffer.from(item.bytes) });
      if (last.length >= count) break;
    }
    await show(last.reverse());
    const status = before.sayProblems();
    if (!options.flags.has('f') && !options.flags.has('follow')) return status;
    const after = readFiltered(host, options.filter, { order: 'oldest', check: 'whole', until: 'follow', signal, from: end + 1 });
    for await (const { found } of after.batches) if (!(await show(found)) || signal.aborted) break;
    return Math.max(status, after.sayProblems());
  });
};

function tailCount({ values, limit }: AuditOptions): number | null {
  const text = values.get('n')?.at(-1);
  const count = text === undefined ? (limit ?? TAIL_LIMIT) : Number(text);
  return count === Number.POSITIVE_INFINITY || (Number.isSafeInteger(count) && count >= 0) ? count : null;
}

/** Of the newest entry; 0 when there is none. */
async function lastSeq(host: CommandHost, signal: AbortSignal): Promise<number> {
  const { batches } = readFiltered(host, {}, { order: 'newest', check: 'whole', until: 'end', signal });
  for await (const { found } of batches) if (found[0] !== undefined) return found[0].entry.seq;
  return 0;
}
