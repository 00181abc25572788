import { verifyJournal } from '#node/audit/verify.ts';
import { type Command, print } from '#node/cli/command.ts';

const USAGE = 'usage: callgate audit verify [--json]';

/** `callgate audit verify`: reads the whole journal and names the first entry that does not fit. */
export const audit: Command = async (args, { layout, stdout, stderr }) => {
  const [action, ...flags] = args;
  if (action !== 'verify' || flags.some((flag) => flag !== '--json')) {
    print(stderr, USAGE);
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
