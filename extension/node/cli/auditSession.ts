/** `callgate audit session`: which sessions there were, or one of them from its beginning to its end. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import { sessionLines } from '#contract/sessionStory.ts';
import { visibleLine } from '#core/policy/visibleText.ts';
import type { AuditFilter } from '#node/audit/auditFilter.ts';
import { writeWithPatience } from '#node/audit/export/fileExport.ts';
import { sessionList, type SessionSummary } from '#node/audit/sessionList.ts';
import { stepText } from '#node/audit/sessionText.ts';
import { type AuditAction, readFiltered, sayingFailures } from '#node/cli/auditAction.ts';
import { FILTER_USAGE, parseAuditOptions, type AuditOptions } from '#node/cli/auditOptions.ts';
import { localTime } from '#node/cli/auditTable.ts';
import { type CommandHost, print } from '#node/cli/command.ts';

const LIST_LIMIT = 30;
export const SESSION_USAGE = `usage: callgate audit session [ID|latest] [--json] [filters]   (without ID: the newest ${LIST_LIMIT}; the beginning of an ID will do)`;
/** An agent that ran for days is shown in part rather than not at all. */
const MAX_ENTRIES = 200_000;

export const session: AuditAction = async (args, host, signal) => {
  const options = parseAuditOptions(args, { flags: ['json'], values: [] }, { now: Date.now(), cwd: host.cwd });
  if ('problem' in options || options.words.length > 1) {
    print(host.stderr, `${'problem' in options ? `callgate: ${options.problem}\n` : ''}${SESSION_USAGE}\n${FILTER_USAGE}`);
    return 2;
  }
  const [wanted] = options.words;
  return sayingFailures(host, () =>
    wanted === undefined ? listSessions(host, options, signal) : showSession(wanted, host, options, signal),
  );
};

async function listSessions(host: CommandHost, { filter, flags, limit }: AuditOptions, signal: AbortSignal): Promise<number> {
  const sessions = sessionList();
  const { batches, sayProblems } = readFiltered(host, filter, { order: 'oldest', check: 'shape', until: 'end', signal });
  for await (const { found } of batches) for (const { entry } of found) sessions.add(entry);
  const shown = sessions.list().slice(0, limit ?? LIST_LIMIT);
  if (flags.has('json')) await writeWithPatience(host.stdout, shown.map((one) => `${JSON.stringify(one)}\n`).join(''));
  else if (shown.length === 0) print(host.stderr, 'No session is in the record.');
  else await writeWithPatience(host.stdout, `${shown.map(sessionLine).join('\n')}\n`);
  return sayProblems();
}

function sessionLine({ session: id, client, workspace, to, prompts, calls, asked }: SessionSummary): string {
  const total = Object.values(calls).reduce((sum, count) => sum + count, 0);
  const notable = (['flag', 'quarantine', 'block'] as const).flatMap((verdict) =>
    calls[verdict] === 0 ? [] : [`${calls[verdict]} ${verdict}`],
  );
  const counted = [
    `${total} ${total === 1 ? 'call' : 'calls'}`,
    ...notable,
    ...(prompts === 0 ? [] : [`${prompts} ${prompts === 1 ? 'prompt' : 'prompts'}`]),
  ];
  const said = asked === '' ? '' : `\n    ${visibleLine(asked, 120)}`;
  return `${visibleLine(id, 60)}  ${localTime(to)}  ${client}  ${visibleLine(workspace, 80)}  ${counted.join(', ')}${said}`;
}

async function showSession(wanted: string, host: CommandHost, options: AuditOptions, signal: AbortSignal): Promise<number> {
  const ids = await sessionsNamed(wanted, host, options.filter, signal);
  const [id] = ids;
  if (id === undefined) {
    print(
      host.stderr,
      wanted === 'latest'
        ? 'No session is in the record.'
        : `No session begins with ${visibleLine(wanted, 100)}; callgate audit session lists them.`,
    );
    return 1;
  }
  if (ids.length > 1) {
    print(
      host.stderr,
      `${ids.length} sessions begin with ${visibleLine(wanted, 100)}: ${ids
        .slice(0, 5)
        .map((one) => visibleLine(one, 60))
        .join(', ')}${ids.length > 5 ? ' …' : ''}`,
    );
    return 1;
  }
  const { batches, sayProblems } = readFiltered(
    host,
    { ...options.filter, session: [id] },
    { order: 'oldest', check: 'whole', until: 'end', signal },
  );
  const limit = Math.min(options.limit ?? MAX_ENTRIES, MAX_ENTRIES);
  const entries: AuditEntry[] = [];
  let left = 0;
  for await (const { found } of batches)
    for (const { entry } of found)
      if (entries.length < limit) entries.push(entry);
      else left += 1;
  const lines = sessionLines(entries);
  if (options.flags.has('json')) {
    for (const { step, depth } of lines) {
      const [after, all] =
        step.kind === 'call'
          ? [step.after?.seq ?? null, [...(step.call ? [step.call] : []), ...step.ends, ...step.responses]]
          : [null, [step.first]];
      const { kind, first } = step;
      const row = { kind, depth, agent: first.agent, seq: first.seq, time: first.time, after, entries: all };
      if (!(await writeWithPatience(host.stdout, `${JSON.stringify(row)}\n`)) || signal.aborted) break;
    }
  } else {
    print(host.stdout, `Session ${visibleLine(id, 100)}  ${entries[0]?.client ?? ''}  ${visibleLine(entries[0]?.workspace ?? '', 200)}`);
    print(host.stdout, `${localTime(entries[0]?.time ?? 0)} to ${localTime(entries.at(-1)?.time ?? 0)}, ${entries.length} entries\n`);
    for (const line of lines) if (!(await writeWithPatience(host.stdout, `${stepText(line).join('\n')}\n`)) || signal.aborted) break;
  }
  if (left > 0) print(host.stderr, `callgate: ${left} later entries of this session are not shown; --limit and --seq choose others`);
  return sayProblems();
}

/** The ids that begin like this; the whole id alone when it is one. `latest` is that of the newest entry. */
async function sessionsNamed(wanted: string, host: CommandHost, filter: AuditFilter, signal: AbortSignal): Promise<readonly string[]> {
  const order = wanted === 'latest' ? 'newest' : 'oldest';
  const { batches } = readFiltered(host, filter, { order, check: 'shape', until: 'end', signal });
  const ids = new Set<string>();
  for await (const { found } of batches)
    for (const { entry } of found) {
      if (entry.session === '') continue;
      if (wanted === 'latest' || entry.session === wanted) return [entry.session];
      if (entry.session.startsWith(wanted)) ids.add(entry.session);
    }
  return [...ids];
}
