/** What protecting or unprotecting would do to a file, worked out in full before anything is touched. */
import { readdirSync } from 'node:fs';
import type { Layout } from '#home/layout.ts';
import { type AgentAdapter, type AgentId, type EditResult, type Launcher, type Refused, type UndoInfo } from '#node/clients/adapter.ts';
import { claude } from '#node/clients/claude.ts';
import { codex } from '#node/clients/codex.ts';
import { ConfigError } from '#node/clients/configError.ts';
import { type ConfigFile, missingFolders, readConfig, sha256 } from '#node/clients/configFile.ts';
import type { McpFile } from '#node/clients/mcp/mcpFile.ts';
import { MCP_FILES, mcpFileAt } from '#node/clients/mcp/mcpFiles.ts';
import { listServers, planMcp, unplanMcp } from '#node/clients/mcpServers.ts';
import { liveRecord, liveRecordsOf, originalOf, type StoredRecord } from '#node/clients/originals.ts';
import { otherScopes } from '#node/clients/otherScopes.ts';

export interface ClientContext {
  readonly layout: Layout;
  readonly home: string;
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workspaceFolders: readonly string[];
  /** `User` folders of the editor we run in; without them those of the usual places count. */
  readonly editorUserFolders?: readonly string[];
  readonly launcher: Launcher;
}

export interface Plan {
  /** As in `Protectable`: `claude`, `codex`, `mcp:<file>`. */
  readonly id: string;
  readonly action: 'protect' | 'unprotect';
  readonly file: string;
  /** What is really written, behind symbolic links. */
  readonly target: string;
  /** Null: there is no file. */
  readonly before: string | null;
  /** Null: the file goes. Equal to `before`: nothing to do. */
  readonly after: string | null;
  /** One line per change. */
  readonly summary: readonly string[];
  readonly warnings: readonly string[];
  /** What the person has to agree to beside the file's change, as a sentence; null if nothing. Then call `trustCodex`. */
  readonly needsConsent: string | null;
  /** For the record: what a later undo gives back, and how it finds our parts. */
  readonly restore: string | null;
  readonly undo: UndoInfo;
  readonly folders: readonly string[];
}

export const AGENTS: readonly AgentAdapter[] = [claude, codex];

export const TRUST_CONSENT =
  'Codex runs a hook only once it is trusted, and normally asks you itself. With your consent Callgate records that trust for its own hooks through `codex app-server`; the commands are the ones shown above.';

export type Subject =
  | { readonly kind: 'agent'; readonly id: string; readonly adapter: AgentAdapter; readonly file: string }
  | { readonly kind: 'mcp'; readonly id: string; readonly adapter: McpFile; readonly file: string };

export function subjects(context: Omit<ClientContext, 'layout' | 'launcher'>): readonly Subject[] {
  const { platform, home, env } = context;
  const found = MCP_FILES.flatMap((adapter) =>
    adapter.locate({ ...context, foldersIn }).map((file): Subject => ({ kind: 'mcp', id: `mcp:${file}`, adapter, file })),
  );
  return [
    ...AGENTS.map((adapter): Subject => ({ kind: 'agent', id: adapter.id, adapter, file: adapter.locate(platform, home, env) })),
    // The home folder, opened as a project, holds some of the user's own files.
    ...found.filter(({ id }, index) => found.findIndex((one) => one.id === id) === index),
  ];
}

/** An editor with more profiles than this is not looked into further. */
const MOST_FOLDERS = 200;

function foldersIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .slice(0, MOST_FOLDERS)
      .map(({ name }) => name);
  } catch {
    return []; // no such folder, or none that its owner lets us see: then the editor has no profiles there for us
  }
}

export function subjectOf(id: string, context: ClientContext): Subject {
  const found = subjects(context).find((one) => one.id === id);
  if (!found)
    throw new ConfigError('UNKNOWN_ID', `There is no client or MCP file "${id}" here; open its folder in the editor and try again`);
  return found;
}

export interface ProtectChoice {
  /** MCP files: which servers; all that can be wrapped when left out. */
  readonly servers?: readonly string[];
}

/** @throws ConfigError INVALID_FILE, UNSUPPORTED_SHAPE (with line and column), NOT_A_FILE, UNKNOWN_ID, BROKEN_RECORD */
export function planProtect(id: string, context: ClientContext, choice: ProtectChoice = {}): Plan {
  const subject = subjectOf(id, context);
  const config = readConfig(subject.file);
  const stored = liveRecord(context.layout, id, config.file);
  const result = edit(subject, config, context, choice);
  if (result.kind === 'refused') throw refusal(subject, result);
  // Over an older entry of ours, undo goes back to before that one.
  const base = baseOf(subject, config, stored, result.text);
  const first = base === config.text;
  const carried = first || !stored ? result.undo : mergedUndo(subject, stored.record.undo, result.undo);
  return {
    id,
    action: 'protect',
    file: config.file,
    target: config.target,
    before: config.text,
    after: result.text,
    summary: result.summary,
    warnings: [...linked(config), ...result.warnings, ...otherScopes(subject.adapter.id, context)],
    needsConsent: needsTrust(subject, result.text, context) ? TRUST_CONSENT : null,
    restore: base,
    undo: carried,
    folders: config.text === null ? missingFolders(config.target) : first || !stored ? [] : stored.record.createdFolders,
  };
}

function baseOf(subject: Subject, config: ConfigFile, stored: StoredRecord | null, after: string): string | null {
  const { text } = config;
  if (text === null || text === after) return text;
  if (stored !== null) return undone(subject, config, stored).text;
  // An entry of another machine's Callgate, or of one whose record is lost: nobody wants that back, but the server behind it.
  const direct = subject.kind === 'mcp' ? unplanMcp(subject.adapter, text, null) : null;
  return direct?.kind === 'edited' ? direct.text : text;
}

/** A stranger's workspace may hold a link to a file of the user's own. */
function linked({ file, target }: ConfigFile): readonly string[] {
  return file === target ? [] : [`${file} is a link: the file that changes is ${target}`];
}

function needsTrust(subject: Subject, after: string, { launcher }: ClientContext): boolean {
  return (
    subject.id === 'codex' &&
    subject.kind === 'agent' &&
    subject.adapter.inspect(after, launcher.hookCommand('codex'), subject.file, recordCommandOf(launcher, 'codex')).state !== 'protected'
  );
}

export function recordCommandOf(launcher: Launcher, client: AgentId): string | null {
  return launcher.recordCommand?.(client) ?? null;
}

function edit(subject: Subject, config: ConfigFile, context: ClientContext, choice: ProtectChoice): EditResult {
  if (subject.kind === 'agent') {
    const { launcher } = context;
    return subject.adapter.plan(config.text, launcher.hookCommand(subject.adapter.id), recordCommandOf(launcher, subject.adapter.id));
  }
  if (config.text === null) throw new ConfigError('NOT_A_FILE', `${config.file} does not exist; there is no MCP server to protect`);
  const listed = listServers(subject.adapter, config.text, context.launcher.mcpCommand);
  if ('kind' in listed) return listed;
  const names = choice.servers ?? listed.filter((server) => server.state !== 'unsupported').map((server) => server.name);
  return planMcp(subject.adapter, config.text, names, context.launcher.mcpCommand);
}

/** An upgrade changes parts that an older record describes: those notes stay true, its exact texts do not. */
function mergedUndo(subject: Subject, older: UndoInfo, newer: UndoInfo): UndoInfo {
  if (subject.kind === 'agent') return { splices: [], notes: older.notes };
  const entries = (undo: UndoInfo): object => {
    const { notes } = undo;
    return typeof notes === 'object' && notes !== null && 'entries' in notes && typeof notes.entries === 'object' && notes.entries !== null
      ? notes.entries
      : {};
  };
  return { splices: [], notes: { entries: { ...entries(older), ...entries(newer) } } };
}

/** @throws ConfigError NO_RECORD when nothing of ours is there, CANNOT_UNDO, BROKEN_RECORD, INVALID_FILE, NOT_A_FILE */
export function planUnprotect(id: string, context: ClientContext, file?: string): Plan {
  const stored = recordToUndo(id, context, file);
  const subject = stored ? recordedSubject(id, stored, context) : subjectOf(id, context);
  const config = readConfig(subject.file);
  const { text, summary, warnings } = undone(subject, config, stored);
  return {
    id,
    action: 'unprotect',
    file: config.file,
    target: config.target,
    before: config.text,
    after: text,
    summary,
    warnings,
    needsConsent: null,
    restore: null,
    undo: { splices: [], notes: null },
    folders: stored && text === null ? stored.record.createdFolders : [],
  };
}

/** The wanted file's, else the one this environment means, else the newest of another environment. */
function recordToUndo(id: string, context: ClientContext, file: string | undefined): StoredRecord | null {
  const live = liveRecordsOf(context.layout, id);
  const wanted = file ?? subjects(context).find((one) => one.id === id)?.file;
  return live.find(({ record }) => record.file === wanted) ?? (file === undefined ? live[0] : undefined) ?? null;
}

/** Undo works on the file that was changed, even when that folder is not open or the environment has changed. */
function recordedSubject(id: string, { record }: StoredRecord, context: ClientContext): Subject {
  const agent = AGENTS.find((one) => one.id === id);
  if (agent) return { kind: 'agent', id, adapter: agent, file: record.file };
  const adapter = mcpFileAt(record.file);
  return adapter ? { kind: 'mcp', id, adapter, file: record.file } : subjectOf(id, context);
}

function undone(
  subject: Subject,
  config: ConfigFile,
  stored: StoredRecord | null,
): { readonly text: string | null; readonly summary: readonly string[]; readonly warnings: readonly string[] } {
  const { text } = config;
  if (text === null) {
    if (!stored) throw new ConfigError('NO_RECORD', `${config.file} does not exist and Callgate has not changed it`);
    return { text: null, summary: [], warnings: [`${config.file} is gone; there is nothing left to take back`] };
  }
  const hash = sha256(text);
  if (stored && (stored.record.after.includes(hash) || stored.record.before === hash)) {
    const original = originalOf(stored);
    return {
      text: original,
      summary: [original === null ? 'delete the file: it did not exist before' : 'give back the original, byte for byte'],
      warnings: [],
    };
  }
  if (stored?.record.restore === hash) return { text, summary: [], warnings: [] };
  const undo = stored?.record.undo ?? null;
  const result = subject.kind === 'agent' ? subject.adapter.unplan(text, undo, config.file) : unplanMcp(subject.adapter, text, undo);
  if (result.kind === 'refused') {
    // Somebody took our parts out already: then the record is all that is left to close.
    if (result.code === 'NO_RECORD' && stored) return { text, summary: [], warnings: [] };
    throw refusal(subject, result);
  }
  const nothing = stored?.record.restore === null && /^\uFEFF?\s*(?:\{\s*\}\s*)?$/u.test(result.text);
  return { text: nothing ? null : result.text, summary: result.summary, warnings: result.warnings };
}

function refusal(subject: Subject, { code, problem }: Refused): ConfigError {
  const { line, column, message } = problem;
  const next = code === 'INVALID_FILE' ? '; mend it and try again. Nothing was changed' : '. Nothing was changed';
  return new ConfigError(code, `${subject.file}:${line}:${column}: ${message}${next}`);
}
