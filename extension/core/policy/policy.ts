/** What people may change about which finding gives which verdict. Pure data and one function; files are read elsewhere. */
import type { ToolCall } from '#core/model/call.ts';
import type { Finding, Severity } from '#core/model/finding.ts';
import { VERDICTS, worse, type Verdict } from '#core/model/verdict.ts';
import { isObject } from '#core/model/json.ts';
import { isRelayPart, type RelayEntry } from '#core/policy/relayPart.ts';

/** Name of the policy without any file in the record. */
export const BUILT_IN_POLICY = 'built-in';

const BUILT_IN: Readonly<Record<Severity, Verdict>> = { critical: 'block', high: 'quarantine', medium: 'flag', low: 'clean' };

/** Findings of `rule` get `verdict` instead of what their severity gives, on calls that meet every list that is not empty. */
export interface PolicyEntry {
  /** A rule's id, or a pattern with `*` for any characters. */
  readonly rule: string;
  readonly verdict: Verdict;
  /** Patterns, as `rule`; empty: any. */
  readonly tools: readonly string[];
  readonly servers: readonly string[];
  readonly agents: readonly string[];
  readonly workspaces: readonly string[];
}

/** One policy file, compiled. */
export interface PolicyFile {
  readonly severity: Readonly<Partial<Record<Severity, Verdict>>>;
  readonly rules: readonly PolicyEntry[];
  /** `enforce`: experimental rules count like stable ones. */
  readonly experimental: 'report' | 'enforce';
  /** See `relayPolicyFor`; absent in policies that say nothing about the relay. */
  readonly relay?: readonly RelayEntry[];
}

export interface Policy {
  /** SHA-256 (hex) of the files in force; `built-in` when there are none. */
  readonly hash: string;
  /** The user's own. */
  readonly user: PolicyFile | null;
  /** Came with the workspace: it can only raise. */
  readonly workspace: PolicyFile | null;
  /** The call's workspace, for `workspaces`; empty if unknown. */
  readonly folder: string;
}

export const NO_POLICY: Policy = { hash: BUILT_IN_POLICY, user: null, workspace: null, folder: '' };

/** Who asked for what; the parts of a call that a policy may look at. */
export type PolicyCall = Pick<ToolCall, 'tool' | 'server' | 'agent'>;

/**
 * What one finding alone asks for. Where entries of the user's file apply, the strictest of them says it; else its severity does.
 * The workspace's file is asked the same, and the stricter of the two counts.
 */
export function verdictFor(finding: Finding, call: PolicyCall, policy: Policy): Verdict {
  const { user, workspace, folder } = policy;
  const own = entriesFor(finding, call, folder, user) ?? bySeverity(finding, { ...BUILT_IN, ...user?.severity }, user);
  const theirs = workspace === null ? 'clean' : raisedBy(finding, call, folder, workspace);
  return worse(worse(own, theirs), floorOf(finding));
}

function raisedBy(finding: Finding, call: PolicyCall, folder: string, file: PolicyFile): Verdict {
  const named = entriesFor(finding, call, folder, file) ?? 'clean';
  // A workspace that wants experimental rules to count wants the whole table for them.
  const table = finding.status === 'experimental' ? { ...BUILT_IN, ...file.severity } : file.severity;
  return worse(named, bySeverity(finding, table, file));
}

function bySeverity(finding: Finding, table: Readonly<Partial<Record<Severity, Verdict>>>, file: PolicyFile | null): Verdict {
  return finding.status === 'experimental' && file?.experimental !== 'enforce' ? 'clean' : (table[finding.severity] ?? 'clean');
}

function entriesFor(finding: Finding, call: PolicyCall, folder: string, file: PolicyFile | null): Verdict | null {
  let found: Verdict | null = null;
  for (const entry of file?.rules ?? [])
    if (applies(entry, finding, call, folder)) found = found === null ? entry.verdict : worse(found, entry.verdict);
  return found;
}

function applies(entry: PolicyEntry, finding: Finding, call: PolicyCall, folder: string): boolean {
  return (
    fits(entry.rule, finding.rule) &&
    among(entry.tools, call.tool) &&
    among(entry.servers, call.server ?? '') &&
    among(entry.agents, call.agent) &&
    among(entry.workspaces, folder)
  );
}

const among = (patterns: readonly string[], text: string): boolean => patterns.length === 0 || patterns.some((item) => fits(item, text));

/** `*` stands for any characters. Its pieces are looked for from left to right: linear, whatever the pattern. */
export function fits(pattern: string, text: string): boolean {
  const pieces = pattern.split('*');
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (pieces.length === 1) return pattern === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const next = text.indexOf(piece, at);
    if (next < 0) return false;
    at = next + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** What no policy takes away: a call that could not be looked at, or that reaches for the gate itself, needs a person. */
export function cannotBeLowered(rule: string, category: string): boolean {
  return BLIND.includes(rule) || category === 'self-tampering';
}

/** Engine findings that mean "not looked at". */
export const BLIND: readonly string[] = [
  'engine.failed',
  'engine.no-rules',
  'engine.too-complex',
  'engine.oversize',
  'engine.unparsable',
  'engine.script-cut',
  'engine.broken-rule',
  'engine.custom-rules',
  'engine.policy',
];

/** Never more than the built-in policy says, so that a warning does not become a hold. */
function floorOf(finding: Finding): Verdict {
  if (finding.status === 'experimental' || !cannotBeLowered(finding.rule, finding.category)) return 'clean';
  const built = BUILT_IN[finding.severity];
  return VERDICTS.indexOf(built) > VERDICTS.indexOf('quarantine') ? 'quarantine' : built;
}

/** Reads a compiled policy back; null when it is not one. */
export function parsePolicyFile(value: unknown): PolicyFile | null {
  if (!isObject(value) || !isObject(value['severity']) || !Array.isArray(value['rules'])) return null;
  const known = (item: unknown): boolean => VERDICTS.some((verdict) => verdict === item);
  const texts = (item: unknown): boolean => Array.isArray(item) && item.every((text) => typeof text === 'string');
  if (!Object.entries(value['severity']).every(([key, item]) => Object.hasOwn(BUILT_IN, key) && known(item))) return null;
  if (value['experimental'] !== 'report' && value['experimental'] !== 'enforce') return null;
  for (const entry of value['rules'] as readonly unknown[]) {
    if (!isObject(entry) || typeof entry['rule'] !== 'string' || !known(entry['verdict'])) return null;
    for (const key of ['tools', 'servers', 'agents', 'workspaces']) if (!texts(entry[key])) return null;
  }
  if (value['relay'] !== undefined && !isRelayPart(value['relay'])) return null;
  return value as unknown as PolicyFile;
}
