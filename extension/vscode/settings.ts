/** The extension's settings: names, ranges, defaults. package.json says the same; a unit test compares them. */
import type { GateSettings } from '#contract/ipc.ts';

export interface Settings extends GateSettings {
  /** Whether a server that is new, or whose entry was put back, is offered for protection. */
  readonly offerProtection: boolean;
  readonly notifyHeldCalls: boolean;
  readonly notifyFlaggedCalls: boolean;
}

export const SECTION = 'callgate';

export const SETTING_SPECS = {
  holdSeconds: { type: 'integer', default: 300, minimum: 10, maximum: 600 },
  onJournalFailure: { type: 'string', default: 'deny', enum: ['deny', 'warn'] },
  recordConversation: { type: 'boolean', default: true },
  journalMaxDays: { type: 'integer', default: 0, minimum: 0, maximum: 1_000_000 },
  journalMaxMegabytes: { type: 'integer', default: 0, minimum: 0, maximum: 1_000_000 },
  leftOverServers: { type: 'string', default: 'refuse', enum: ['refuse', 'start-with-warning'] },
  offerProtection: { type: 'boolean', default: true },
  notifyHeldCalls: { type: 'boolean', default: true },
  notifyFlaggedCalls: { type: 'boolean', default: false },
} as const;

/** What `settings.json` holds is anybody's text: a value of the wrong kind counts as the default. */
export function readSettings(get: (name: keyof typeof SETTING_SPECS) => unknown): Settings {
  const { holdSeconds, recordConversation, offerProtection, notifyHeldCalls, notifyFlaggedCalls } = SETTING_SPECS;
  const seconds = get('holdSeconds');
  const conversation = get('recordConversation');
  const offer = get('offerProtection');
  const notifyHeld = get('notifyHeldCalls');
  const notifyFlagged = get('notifyFlaggedCalls');
  return {
    holdSeconds:
      typeof seconds === 'number' && Number.isFinite(seconds)
        ? Math.min(holdSeconds.maximum, Math.max(holdSeconds.minimum, Math.round(seconds)))
        : holdSeconds.default,
    // Anything but the exact word for the weaker choice is the strict one.
    onJournalFailure: get('onJournalFailure') === 'warn' ? 'warn' : 'deny',
    recordConversation: typeof conversation === 'boolean' ? conversation : recordConversation.default,
    ...limitIn('journalMaxDays', get),
    ...limitIn('journalMaxMegabytes', get),
    // Anything but the exact word for the weaker choice is the strict one.
    ...(get('leftOverServers') === 'start-with-warning' ? { leftOverServers: 'start-with-warning' as const } : {}),
    offerProtection: typeof offer === 'boolean' ? offer : offerProtection.default,
    notifyHeldCalls: typeof notifyHeld === 'boolean' ? notifyHeld : notifyHeldCalls.default,
    notifyFlaggedCalls: typeof notifyFlagged === 'boolean' ? notifyFlagged : notifyFlaggedCalls.default,
  };
}

/** Dropping what cannot be brought back needs a clear word: anything but a sound limit keeps everything. */
function limitIn<N extends 'journalMaxDays' | 'journalMaxMegabytes'>(name: N, get: (name: N) => unknown): { readonly [K in N]?: number } {
  const limit = get(name);
  const { maximum } = SETTING_SPECS[name];
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > maximum) return {};
  return { [name]: limit } as { readonly [K in N]?: number };
}

/** The part that the broker and the hooks obey. */
export function gateSettings({
  holdSeconds,
  onJournalFailure,
  recordConversation,
  journalMaxDays,
  journalMaxMegabytes,
  leftOverServers,
}: Settings): GateSettings {
  return {
    holdSeconds,
    onJournalFailure,
    recordConversation,
    ...(journalMaxDays === undefined ? {} : { journalMaxDays }),
    ...(journalMaxMegabytes === undefined ? {} : { journalMaxMegabytes }),
    ...(leftOverServers === undefined ? {} : { leftOverServers }),
  };
}
