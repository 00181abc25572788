import type { ToolCall } from '#core/model/call.ts';
import type { Decision } from '#core/model/verdict.ts';
import type { RulePack } from '#core/detect/rulePack.ts';
import { detect } from '#core/detect/detect.ts';
import { normalize } from '#core/normalize/normalize.ts';
import { maskSecrets } from '#core/policy/mask.ts';
import { decideFrom } from '#core/policy/verdict.ts';

/** What the gate may know beside the call. Everything is passed in: core reads no clock, no file, no environment. */
export interface GateContext {
  readonly pack: RulePack;
  /** The user's home directory, absolute. */
  readonly home: string;
  /** Our own data folder; calls that touch it are self-tampering. */
  readonly dataFolder: string;
  readonly caseInsensitivePaths: boolean;
  /**
   * The real path behind symlinks of the longest existing prefix, with the rest appended; null when it cannot be told.
   * Core has no IO, so the caller injects it.
   */
  readonly realpath: (absolute: string) => string | null;
}
export type { ToolCall };

/** The one verdict over a call. Never throws; depends on nothing but its two parameters. */
export function decide(call: ToolCall, context: GateContext): Decision {
  return decideFrom(maskSecrets(detect(normalize(call, context), call.channel, context.pack)));
}
