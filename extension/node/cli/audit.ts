/** `callgate audit …`: each subcommand is one file. */
import { type AuditAction, NOBODY_READS } from '#node/cli/auditAction.ts';
import { exportAudit } from '#node/cli/auditExport.ts';
import { expire, prove, rotateKey, seal } from '#node/cli/auditKeep.ts';
import { query, tail } from '#node/cli/auditQuery.ts';
import { replay } from '#node/cli/auditReplay.ts';
import { session } from '#node/cli/auditSession.ts';
import { stats } from '#node/cli/auditStats.ts';
import { verify } from '#node/cli/auditVerify.ts';
import { type Command, print } from '#node/cli/command.ts';

const ACTIONS: Readonly<Record<string, { readonly run: AuditAction; readonly help: string }>> = {
  query: { run: query, help: 'the newest entries that match' },
  tail: { run: tail, help: 'the last entries; -f goes on with new ones of every process' },
  stats: { run: stats, help: 'totals by verdict, tool, agent, rule and day' },
  session: { run: session, help: 'what happened in one session, in order; without an ID: which sessions there were' },
  replay: { run: replay, help: 'judge recorded calls again under another policy or other rules' },
  export: { run: exportAudit, help: 'JSON, JSONL, CSV, SARIF, CEF, OCSF to a file; OTLP or syslog to a receiver' },
  verify: { run: verify, help: 'check that no entry was tampered with; --proof FILE: check one proof' },
  prove: { run: prove, help: 'SEQ: print a proof of one entry that stands without the rest' },
  seal: { run: seal, help: 'seal closed segments; --pack compresses them' },
  expire: { run: expire, help: 'show what is older or more than wanted; --yes drops it' },
  'rotate-key': { run: rotateKey, help: 'sign with a new key from now on' },
};

export const audit: Command = async (args, host) => {
  const [name = '', ...rest] = args;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) {
    const asked = ['help', '--help', '-h'].includes(name);
    const lines = Object.entries(ACTIONS).map(([word, { help }]) => `  ${word.padEnd(10)} ${help}`);
    print(asked ? host.stdout : host.stderr, ['usage: callgate audit COMMAND', ...lines].join('\n'));
    return asked ? 0 : 2;
  }
  const ending = new AbortController();
  const stop = (): void => ending.abort();
  const stopUnread = (): void => ending.abort(NOBODY_READS);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  host.stdout.once('close', stopUnread);
  try {
    return await action.run(rest, host, ending.signal);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    host.stdout.off('close', stopUnread);
  }
};
