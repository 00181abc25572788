import type { ToolCall } from '#core/model/call.ts';
import type { Finding } from '#core/model/finding.ts';
import type { Decision } from '#core/model/verdict.ts';
import type { RulePack } from '#core/detect/rulePack.ts';
import { detect } from '#core/detect/detect.ts';
import { normalize } from '#core/normalize/normalize.ts';
import type { ReadText } from '#core/normalize/path.ts';
import { maskSecrets } from '#core/policy/mask.ts';
import { decideFrom } from '#core/policy/verdict.ts';

/** What the gate may know beside the call. Everything is passed in: core reads no clock, no file, no environment. */
export interface GateContext {
  readonly pack: RulePack;
  /** Packs of the user's own rules: they add findings and take none away. */
  readonly custom: readonly RulePack[];
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
  readonly readText: ReadText;
}

/** The one verdict over a call. Never throws; depends on nothing but its two parameters. */
export function decide(call: ToolCall, context: GateContext): Decision {
  const rules = [context.pack, ...context.custom].map((pack) => pack.hash).join('+');
  try {
    const fields = normalize(call, context);
    const custom = context.custom.flatMap((pack) => detect({ ...fields, notes: [] }, call.channel, pack));
    return decideFrom(maskSecrets([...detect(fields, call.channel, context.pack), ...custom]), rules);
  } catch (error) {
    // Nothing in here throws that we know of; what does is ours to mend and must not let the call through.
    return decideFrom([failed(error instanceof Error ? error.message : String(error))], rules);
  }
}

function failed(message: string): Finding {
  return {
    rule: 'engine.failed',
    title: 'The call could not be judged',
    category: 'encoding',
    severity: 'high',
    confidence: 'high',
    status: 'stable',
    at: '',
    span: null,
    matched: message.slice(0, 200),
    decoded: null,
    rationale: 'Callgate itself failed on this call. Have a person look at it, and please report it.',
  };
}
