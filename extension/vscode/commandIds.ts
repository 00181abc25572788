/** Every command of the extension and what it takes. A misspelt id does not compile; package.json is compared in a unit test. */
export interface CommandArguments {
  /** The id of a protectable; without it the person picks. */
  'callgate.protect': [id?: string];
  'callgate.undo': [id?: string];
  'callgate.showHeld': [];
  /** The id of a hold; without it the person picks when there are several. */
  'callgate.approve': [id?: string];
  'callgate.reject': [id?: string];
  'callgate.verifyAudit': [];
  'callgate.exportAudit': [];
  'callgate.showLog': [];
  'callgate.openSettings': [];
  'callgate.showStatus': [];
  'callgate.newRule': [];
  'callgate.testRules': [];
}

export type CommandId = keyof CommandArguments;

export const COMMAND_IDS: readonly CommandId[] = [
  'callgate.protect',
  'callgate.undo',
  'callgate.showHeld',
  'callgate.approve',
  'callgate.reject',
  'callgate.verifyAudit',
  'callgate.exportAudit',
  'callgate.showLog',
  'callgate.openSettings',
  'callgate.showStatus',
  'callgate.newRule',
  'callgate.testRules',
];

/** Commands the panel may ask for. */
export const PANEL_COMMANDS = [
  'callgate.protect',
  'callgate.verifyAudit',
  'callgate.showLog',
  'callgate.openSettings',
] as const satisfies readonly CommandId[];

export const VIEW_ID = 'callgate.panel';

/** Facts the walkthrough waits for; they stay true once they were. */
export const CONTEXT_KEYS = ['callgate.protected', 'callgate.sawHeldCall', 'callgate.sawTimeline'] as const;
export type ContextKey = (typeof CONTEXT_KEYS)[number];
