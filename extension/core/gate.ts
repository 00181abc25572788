import type { ToolCall } from '#core/model/call.ts';
import { isObject } from '#core/model/json.ts';
import type { Finding, Severity } from '#core/model/finding.ts';
import type { Decision } from '#core/model/verdict.ts';
import type { RulePack } from '#core/detect/rulePack.ts';
import { askedOf, matcherOf } from '#core/detect/candidates.ts';
import { detect } from '#core/detect/detect.ts';
import { commandsInTexts } from '#core/normalize/commandsInText.ts';
import { normalize } from '#core/normalize/normalize.ts';
import type { ReadText } from '#core/normalize/path.ts';
import { maskSecrets } from '#core/policy/mask.ts';
import { NO_POLICY, type Policy } from '#core/policy/policy.ts';
import { isSecretFinding } from '#core/policy/redact.ts';
import { decideFrom, sortFindings } from '#core/policy/verdict.ts';

/** What the gate may know beside the call. Everything is passed in: core reads no clock, no file, no environment. */
export interface GateContext {
  readonly pack: RulePack;
  /** Packs of the user's own rules: they add findings and take none away. */
  readonly custom: readonly RulePack[];
  /** Packs that came with the workspace: nobody vouches for them, so that beside adding findings they may do nothing. */
  readonly borrowed?: readonly RulePack[];
  /** Absent: the built-in one. */
  readonly policy?: Policy;
  /** True of every call at the moment, such as rules that did not load. */
  readonly standing?: readonly Finding[];
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

/** More from rules that came with a workspace would crowd out what others found. */
const MAX_BORROWED = 24;

/** The one verdict over a call. Never throws; depends on nothing but its two parameters. */
export function decide(call: ToolCall, context: GateContext): Decision {
  const { pack, custom, borrowed = [], policy = NO_POLICY, standing = [] } = context;
  const rules = [pack, ...custom, ...borrowed].map((item) => item.hash).join('+');
  try {
    const fields = normalize(call, context);
    const more = { ...fields, notes: [] };
    const own = custom.flatMap((item) => detect(more, call.channel, item));
    const theirs = borrowed.flatMap((item) =>
      sortFindings(detect(more, call.channel, item))
        .slice(0, MAX_BORROWED)
        .map(withoutRedaction),
    );
    const found = [...detect(fields, call.channel, pack), ...inText(call, context), ...own, ...theirs, ...standing];
    return decideFrom(maskSecrets(found), call, policy, rules);
  } catch (error) {
    // Nothing in here throws that we know of; what does is ours to mend and must not let the call through.
    return decideFrom([failed(error instanceof Error ? error.message : String(error))], call, policy, rules);
  }
}

/** A command that a text shows is not one that runs: what would hold or block it is worth a warning. */
const SEVERITY_IN_TEXT: Readonly<Record<Severity, Severity>> = { critical: 'medium', high: 'medium', medium: 'medium', low: 'low' };

/** Dangerous command lines in what a tool gave back or says of itself. */
function inText(call: ToolCall, context: GateContext): readonly Finding[] {
  if (call.channel !== 'response' && call.channel !== 'definition' && call.channel !== 'write') return [];
  const matcher = matcherOf(context.pack);
  const fields = commandsInTexts(call, context, (name) => askedOf(matcher, name) !== undefined);
  if (fields === null) return [];
  return (
    detect(fields, 'shell', context.pack)
      // Secrets and personal data were looked for in the whole text.
      // What is written may be run later, and is read again then: only what is never right is worth a word now.
      .filter((finding) => !isSecretFinding(finding) && (call.channel !== 'write' || isNeverRight(finding, call)))
      .map((finding) => ({ ...finding, severity: SEVERITY_IN_TEXT[finding.severity] }))
  );
}

/** In a document people are told to download and run; what is to run by itself does it without them. */
function isNeverRight(finding: Finding, call: ToolCall): boolean {
  if (finding.severity === 'critical') return true;
  if (finding.severity !== 'high' || finding.category !== 'command-execution' || !isObject(call.args)) return false;
  const path = ['file_path', 'path', 'notebook_path', 'filePath']
    .map((key) => (isObject(call.args) ? call.args[key] : undefined))
    .find((one) => typeof one === 'string');
  return path !== undefined && !DOCUMENT.test(path as string);
}

const DOCUMENT =
  /\.(?:mdx?|markdown|rst|adoc|txt|html?|tex|org|csv|jsonl|snap|po|svg|test\.\w{1,4}|spec\.\w{1,4})$|(?:^|\/)(?:README|CHANGELOG|docs?|tests?|__tests__|fixtures|testdata|spec|examples?)(?:[./]|$)/iu;

/** What is found to be a secret is kept out of the record and out of sight: a stranger's rule could hide a whole call that way. */
function withoutRedaction(finding: Finding): Finding {
  return isSecretFinding(finding) ? { ...finding, category: 'credential-access' } : finding;
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
