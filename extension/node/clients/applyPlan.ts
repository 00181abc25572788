/** Carries out a plan, and takes it back. */
import { clearReleased, markReleased } from '#home/configGuard.ts';
import type { ClientContext, Plan } from '#node/clients/planChange.ts';
import { planUnprotect } from '#node/clients/planChange.ts';
import {
  readConfig,
  removeEmptyFolders,
  replaceConfig,
  type Replacement,
  sha256,
  WRITE_STEPS,
  type WriteSteps,
} from '#node/clients/configFile.ts';
import { withLockFolder } from '#node/clients/configLock.ts';
import { mcpFileAt } from '#node/clients/mcp/mcpFiles.ts';
import { dropRecord, keepOriginal, liveRecord, type StoredRecord, updateRecord } from '#node/clients/originals.ts';

export interface Applied {
  readonly id: string;
  readonly file: string;
  /** Where the original is kept; null when nothing had to be kept. */
  readonly backup: string | null;
  readonly changed: 'changed' | 'unchanged';
}

/**
 * The original is safe on disk before the file changes, and the file changes in one step: killed at any point, either
 * nothing has happened or `revert` gives back the original.
 * @throws ConfigError CHANGED_MEANWHILE, NOT_WRITABLE, NOT_A_FILE
 */
export function applyPlan(plan: Plan, context: Pick<ClientContext, 'layout'>, steps: WriteSteps = WRITE_STEPS): Applied {
  const { id, file, target, before, after } = plan;
  const stored = liveRecord(context.layout, id, file);
  const agent = id === 'claude' || id === 'codex' ? id : null;
  if (plan.action === 'unprotect') {
    // Claude's ConfigChange hook would refuse to let our own entry go.
    if (agent) markReleased(context.layout, agent);
    try {
      if (after !== before) replace({ file, target, before, after, folders: [] }, steps);
    } catch (error) {
      if (agent) clearReleased(context.layout, agent);
      throw error;
    }
    if (after === null) removeEmptyFolders(plan.folders);
    if (stored) updateRecord(stored, { undone: new Date().toISOString() });
    return { id, file, backup: stored?.folder ?? null, changed: after === before ? 'unchanged' : 'changed' };
  }
  if (after === null || after === before) return { id, file, backup: stored?.folder ?? null, changed: 'unchanged' };
  const kept = keepOriginal(
    context.layout,
    {
      id,
      file,
      target,
      time: new Date().toISOString(),
      after: [sha256(after)],
      createdFolders: plan.folders,
      summary: plan.summary,
      undo: plan.undo,
    },
    before,
    plan.restore,
  );
  try {
    replace({ file, target, before, after, folders: before === null ? plan.folders : [] }, steps);
  } catch (error) {
    forget(kept, file, after);
    throw error;
  }
  if (agent) clearReleased(context.layout, agent);
  return { id, file, backup: kept.folder, changed: 'changed' };
}

function replace(replacement: Replacement, steps: WriteSteps): void {
  const write = (): void => replaceConfig(replacement, steps);
  if (mcpFileAt(replacement.file)?.lockFolder === true) withLockFolder(replacement.target, write);
  else write();
}

/** Another window may have changed the file while this one planned: then its record has to stay the one that counts. */
function forget(kept: StoredRecord, file: string, after: string): void {
  try {
    if (readConfig(file).text !== after) dropRecord(kept);
  } catch {
    return; // what the file is cannot be told, so the record stays; the first error is the one to report
  }
}

/**
 * Plans the undo and applies it at once: the original bytes if nobody touched the file since, else only our parts go.
 * `file` chooses among several files of one client.
 */
export function revert(id: string, context: ClientContext, file?: string): Applied {
  return applyPlan(planUnprotect(id, context, file), context);
}

/** Tells the record that the client itself has just rewritten the file, and which trust entries are ours. */
export function noteRewritten(id: string, file: string, trustKeys: readonly string[], context: Pick<ClientContext, 'layout'>): void {
  const stored = liveRecord(context.layout, id, file);
  const { text } = readConfig(file);
  if (!stored || text === null) return;
  const notes = typeof stored.record.undo.notes === 'object' && stored.record.undo.notes !== null ? stored.record.undo.notes : {};
  updateRecord(stored, { after: [...stored.record.after, sha256(text)], undo: { ...stored.record.undo, notes: { ...notes, trustKeys } } });
}
