/** The settings every process obeys, `settings.json` in the data folder. Only the broker writes them, for a window. */
import type { GateSettings } from '#contract/ipc.ts';
import { isObject } from '#core/model/json.ts';
import type { Layout } from '#home/layout.ts';
import { errorText, readBounded, writePrivate } from '#home/privateFile.ts';

/** The hook timeout written into client configs, in seconds: above the longest hold, so that we refuse before the client gives up on the hook. */
export const HOOK_TIMEOUT_SECONDS = 900;
/** The same for hooks that only record: nothing waits for them longer than one answer of the broker takes. */
export const RECORD_TIMEOUT_SECONDS = 10;
export const MIN_HOLD_SECONDS = 10;
export const MAX_HOLD_SECONDS = 600;
export const MAX_JOURNAL_LIMIT = 1_000_000;
export const DEFAULT_SETTINGS: GateSettings = { holdSeconds: 300, onJournalFailure: 'deny', recordConversation: true };

const MAX_SETTINGS_BYTES = 64 * 1024;

/** Unknown keys are dropped; a value outside its range is refused. */
export function parseSettings(value: unknown): { settings: GateSettings; problem: string | null } {
  const wrong = (problem: string) => ({ settings: DEFAULT_SETTINGS, problem });
  if (!isObject(value)) return wrong('the settings are not a JSON object');
  const holdSeconds = value['holdSeconds'] ?? DEFAULT_SETTINGS.holdSeconds;
  const onJournalFailure = value['onJournalFailure'] ?? DEFAULT_SETTINGS.onJournalFailure;
  if (
    typeof holdSeconds !== 'number' ||
    !Number.isInteger(holdSeconds) ||
    holdSeconds < MIN_HOLD_SECONDS ||
    holdSeconds > MAX_HOLD_SECONDS
  ) {
    return wrong(`holdSeconds must be a whole number from ${MIN_HOLD_SECONDS} to ${MAX_HOLD_SECONDS}`);
  }
  const recordConversation = value['recordConversation'] ?? DEFAULT_SETTINGS.recordConversation;
  if (typeof recordConversation !== 'boolean') return wrong('recordConversation must be true or false');
  if (onJournalFailure !== 'deny' && onJournalFailure !== 'warn') return wrong('onJournalFailure must be "deny" or "warn"');
  const limits: { journalMaxDays?: number; journalMaxMegabytes?: number } = {};
  for (const name of ['journalMaxDays', 'journalMaxMegabytes'] as const) {
    const limit = value[name] ?? 0;
    if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 0 || limit > MAX_JOURNAL_LIMIT)
      return wrong(`${name} must be a whole number from 0 (keep everything) to ${MAX_JOURNAL_LIMIT}`);
    if (limit > 0) limits[name] = limit;
  }
  const leftOver = value['leftOverServers'] ?? 'refuse';
  if (leftOver !== 'refuse' && leftOver !== 'start-with-warning') return wrong('leftOverServers must be "refuse" or "start-with-warning"');
  const leftOvers: Pick<GateSettings, 'leftOverServers'> = leftOver === 'start-with-warning' ? { leftOverServers: leftOver } : {};
  return { settings: { holdSeconds, onJournalFailure, recordConversation, ...limits, ...leftOvers }, problem: null };
}

/** Never fails: without readable settings the defaults hold, and `problem` says why. */
export function readSettings(layout: Layout): { settings: GateSettings; problem: string | null } {
  try {
    const bytes = readBounded(layout.settings, MAX_SETTINGS_BYTES);
    if (bytes === null) return { settings: DEFAULT_SETTINGS, problem: null };
    const { settings, problem } = parseSettings(JSON.parse(bytes.toString('utf8')));
    return { settings, problem: problem && `${layout.settings}: ${problem}; the defaults are in use` };
  } catch (error) {
    return { settings: DEFAULT_SETTINGS, problem: `${layout.settings} cannot be read (${errorText(error)}); the defaults are in use` };
  }
}

export function writeSettings(layout: Layout, settings: GateSettings): void {
  writePrivate(layout.settings, `${JSON.stringify(settings, null, 2)}\n`);
}
