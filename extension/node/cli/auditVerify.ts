/** `callgate audit verify`: reads the whole journal and names the first entry that does not fit. */
import { verifyJournal } from '#node/audit/verify.ts';
import { type AuditAction } from '#node/cli/auditAction.ts';
import { print } from '#node/cli/command.ts';

export const VERIFY_USAGE = 'usage: callgate audit verify [--json]';

export const verify: AuditAction = async (flags, { layout, stdout, stderr }) => {
  if (flags.some((flag) => flag !== '--json')) {
    print(stderr, VERIFY_USAGE);
    return 2;
  }
  const report = await verifyJournal(layout);
  if (flags.includes('--json')) print(stdout, JSON.stringify(report));
  else if (report.problem === null)
    print(
      stdout,
      `The journal in ${layout.journal} is whole: ${report.entries} ${report.entries === 1 ? 'entry' : 'entries'}, every hash, link and signature fits.`,
    );
  else {
    const { seq, file, line, code, message } = report.problem;
    print(stderr, `The journal was tampered with or damaged. First bad entry: ${seq} (${file}:${line}) ${code}: ${message}`);
  }
  return report.ok ? 0 : 1;
};
