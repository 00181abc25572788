/** `callgate audit export`: a file of one of the formats, or a receiver that entries are shipped to. */
import { resolve } from 'node:path';
import { encoderFor, FILE_FORMATS, FORMAT_FACTS, type FileFormat } from '#node/audit/export/encoder.ts';
import { ExportError } from '#node/audit/export/exportError.ts';
import { exportToFile, exportToStream, type ExportOptions } from '#node/audit/export/fileExport.ts';
import { type AuditAction, NOBODY_READS, readFiltered, sayingFailures } from '#node/cli/auditAction.ts';
import { FILTER_USAGE, parseAuditOptions, type AuditOptions } from '#node/cli/auditOptions.ts';
import { progressLine } from '#node/cli/auditProgress.ts';
import { rulesTaxonomy } from '#node/cli/auditTaxonomy.ts';
import { shipEntries, SHIP_USAGE, SHIP_VALUES } from '#node/cli/auditShip.ts';
import { type CommandHost, print } from '#node/cli/command.ts';

const formats = FILE_FORMATS.map((format) => `  ${format.padEnd(7)} ${FORMAT_FACTS[format].title}: ${FORMAT_FACTS[format].detail}`);
export const EXPORT_USAGE = `usage: callgate audit export --format FORMAT [--output FILE] [filters]
${formats.join('\n')}
${SHIP_USAGE}`;

export const exportAudit: AuditAction = async (args, host, signal) => {
  const options = parseAuditOptions(
    args,
    { flags: ['follow'], values: ['format', 'output', 'progress', ...SHIP_VALUES] },
    { now: Date.now(), cwd: host.cwd },
  );
  const usage = (problem: string): number => {
    print(host.stderr, `${problem === '' ? '' : `callgate: ${problem}\n`}${EXPORT_USAGE}\n${FILTER_USAGE}`);
    return 2;
  };
  if ('problem' in options) return usage(options.problem);
  if (options.words.length > 0) return usage(`there is no place for ${JSON.stringify(options.words[0])}`);
  const format = options.values.get('format')?.at(-1);
  if (format === 'otlp' || format === 'syslog') return shipEntries(format, options, host, signal, usage);
  const fileFormat = FILE_FORMATS.find((known) => known === format);
  if (fileFormat === undefined) return usage(format === undefined ? '--format says which' : `there is no format ${JSON.stringify(format)}`);
  if (options.flags.has('follow')) return usage('--follow goes with otlp and syslog; for lines use callgate audit tail -f --json');
  return sayingFailures(host, () => exportOnce(fileFormat, options, host, signal));
};

async function exportOnce(format: FileFormat, options: AuditOptions, host: CommandHost, signal: AbortSignal): Promise<number> {
  const { stdout, stderr, version, cwd } = host;
  const progress = progressLine(stderr, options.values.get('progress')?.at(-1) === 'json' ? 'json' : 'terminal');
  const { batches, sayProblems } = readFiltered(host, options.filter, { order: 'oldest', check: 'whole', until: 'end', signal });
  const how: ExportOptions = { limit: options.limit ?? Number.POSITIVE_INFINITY, signal, onProgress: progress.show };
  const encoder = encoderFor(format, version, rulesTaxonomy(host));
  const output = options.values.get('output')?.at(-1);
  try {
    if (output === undefined || output === '-') {
      await exportToStream(batches, encoder, stdout, how);
      progress.end();
    } else {
      const file = resolve(cwd, output);
      const entries = await exportToFile(batches, encoder, file, how);
      progress.end();
      print(stdout, `${entries} ${entries === 1 ? 'entry was' : 'entries were'} written to ${file}`);
    }
  } catch (error) {
    progress.end();
    const isToStream = output === undefined || output === '-';
    if (isToStream && error instanceof ExportError && error.code === 'CANCELLED' && signal.reason === NOBODY_READS) return 0;
    throw error;
  }
  return sayProblems();
}
