/**
 * The compiled rule: what each entry of `rules/*.yaml` becomes at build time. `packFile` reads and writes packs of them.
 */
import { CHANNELS, type Channel } from '#core/model/call.ts';
import { NATIONAL_IDS } from '#core/detect/nationalIds.ts';
import type { Confidence, Severity, Status } from '#core/model/finding.ts';
import { isObject } from '#core/model/json.ts';
import type { Guards } from '#core/detect/guards.ts';
import type { PackIndex } from '#core/detect/packIndex.ts';

/**
 * Named fields the normalizer produces; each is a text a regex may look at.
 * `code`: text that a program would run as another language than shell (inline Python, a script read from disk) ·
 * `hidden`: the part of a text that a person who looks at it rendered does not see (HTML comments, hidden elements, tag characters) ·
 * `raw`: a text as it was sent, where folding changed it (other fields hold no invisible characters and no look-alikes) ·
 * `disguise`: how sentences or a command were hidden on the first line (`base64`, `homoglyphs`, `element` …), and what they say below.
 */
export type FieldName = 'command' | 'path' | 'content' | 'url' | 'text' | 'code' | 'hidden' | 'raw' | 'disguise';
export const FIELD_NAMES: readonly FieldName[] = ['command', 'path', 'content', 'url', 'text', 'code', 'hidden', 'raw', 'disguise'];

/**
 * What a call does beside touching paths (those carry their own access): `send` data to `target` (a host, or empty if
 * unknown) · `fetch` from it · `install` the package `target` · `escalate` to the user or capability `target` · `run` the program `target`
 * that was fetched or written before.
 * Of code in other languages: `evaluate`: text that was `fetched`, `decoded` or `received` is run as code · `reveal`: the
 * `environment` is shown, or goes out (`environment sent`, `secret sent`, `machine sent`) · `load`: the native library
 * `target`, or bytes put into `memory` · `join-shell`: a shell is joined to a connection with the host `target`.
 */
export const EFFECT_KINDS = ['send', 'fetch', 'install', 'escalate', 'run', 'evaluate', 'reveal', 'load', 'join-shell'] as const;
export type EffectKind = (typeof EFFECT_KINDS)[number];

/** A check digit or sum that a token or number of some issuer carries, or a form it must have; the value must pass it. */
export const CHECKSUMS = ['github', 'npm', 'bech32', 'jwt', 'jwk', 'random', 'password', 'luhn', 'iban', ...NATIONAL_IDS] as const;
export type Checksum = (typeof CHECKSUMS)[number];

/** `use`: given to a program that is not known to do no more than read it. */
export type Access = 'read' | 'write' | 'delete' | 'execute' | 'use';
export const ACCESSES: readonly Access[] = ['read', 'write', 'delete', 'execute', 'use'];

/**
 * `ip`: written as a number · `public-ip`: such a one that is reached over the internet · `reserved`: one that belongs to nobody on the internet · `internal`: a name that only an inner network resolves ·
 * `named-ip`: a public name made of the address it resolves to · `encoded-name`: spelt so that it is not recognised ·
 * `lookalike`: a letter or a sign away from a well-known site · `points-inside`: names an inner address in its path or query ·
 * `maker`: of a command that fetches nothing else, over a checked connection: the maker of a well-known tool.
 */
export const HOST_KINDS = [
  'metadata',
  'loopback',
  'private',
  'reserved',
  'internal',
  'ip',
  'public-ip',
  'encoded-ip',
  'named-ip',
  'encoded-name',
  'lookalike',
  'points-inside',
  'maker',
] as const;
export type HostKind = (typeof HOST_KINDS)[number];

/**
 * How a path was written: `disguised`: its way up in code or mangled · `climbs`: ends outside the folder it starts from ·
 * `reaches-root`: climbs to the root or beyond · `other-home`: in the home of another user · `device`, `stream`,
 * `short-name`, `remote`: notations of Windows that name a file otherwise than people do ·
 * `inside`, `outside`: below the folder the call works in, or elsewhere; neither when that is not known · `workspace`: that folder itself ·
 * `setup-line`: what is added to it is known to be lines that programs tell their users to add, such as `eval "$(tool init)"` ·
 * `variable-login`: what is written is a login held by a variable that the call does not set, as CI hands it over.
 */
export const PATH_TRAITS = [
  'disguised',
  'climbs',
  'reaches-root',
  'other-home',
  'device',
  'stream',
  'short-name',
  'remote',
  'inside',
  'outside',
  'workspace',
  'setup-line',
  'variable-login',
] as const;
export type PathTrait = (typeof PATH_TRAITS)[number];

/** A regex over texts. `secret` names the capture group that holds a secret, the least entropy it must have and the checksum it must pass. */
export interface RegexCondition {
  readonly kind: 'regex';
  readonly fields: readonly FieldName[];
  readonly regex: string;
  /** Beside `u`, which is always set: any of `i`, `m`, `s`. */
  readonly flags: string;
  readonly secret: { readonly group: number; readonly entropy: number; readonly checksum: Checksum | null } | null;
  /** How many different matches one text must hold before any counts; absent: one. For what only matters in bulk. */
  readonly least?: number;
}

/** One parsed command; everything given must hold for the same command. */
export interface CommandCondition {
  readonly kind: 'command';
  /** Base names, lower case; a trailing `*` matches any rest. Empty: any program. */
  readonly program: readonly string[];
  /** Leading operands, such as `push` or `secrets disable`. Empty: any. */
  readonly subcommand: readonly string[];
  /** Every entry must be present; an entry lists alternatives, such as `r|R|recursive`. */
  readonly flags: readonly string[];
  /** A regex that some operand must match. */
  readonly operand: string | null;
  /** A regex that some word after the program must match, flags included. */
  readonly argument: string | null;
  /** A regex that the command's words, joined with single spaces, must match. */
  readonly line: string | null;
  /** A regex that some literal text on the command's standard input must match. */
  readonly stdin: string | null;
  /** A regex that some `NAME=value` in front of the program must match. */
  readonly assigns: string | null;
  readonly path: PathCondition | null;
  readonly url: UrlCondition | null;
  /** Some command before it in the same pipeline. */
  readonly pipedFrom: CommandCondition | null;
  /** Some command after it in the same pipeline. */
  readonly pipedTo: CommandCondition | null;
  /** The same command must not match this. */
  readonly not: CommandCondition | null;
}

/** A path after `~`, `..`, variables and links are resolved; home folders are written `~`. Case never counts: on many systems it does not. */
export interface PathCondition {
  readonly kind: 'path';
  readonly regex: string;
  /** Some of these must hold of how it was written. Absent: written in any way. */
  readonly trait?: readonly PathTrait[];
  /** None of these may hold of how it was written. */
  readonly without?: readonly PathTrait[];
  /** Empty: any. */
  readonly access: readonly Access[];
  /** The same path must not match this. */
  readonly not: string | null;
}

export interface UrlCondition {
  readonly kind: 'url';
  readonly scheme: readonly string[];
  /** Exact host names; a leading `*.` matches every subdomain and the name itself. Empty: any. */
  readonly host: readonly string[];
  readonly hostKind: readonly HostKind[];
  /** A regex on the port as written; empty text when there is none. Absent: any. */
  readonly port?: string;
  readonly path: string | null;
  readonly query: string | null;
  readonly userinfo: string | null;
}

/** Something the call does, whatever program does it. */
export interface EffectCondition {
  readonly kind: 'effect';
  readonly effect: readonly EffectKind[];
  /** A regex on the target; null: any. */
  readonly target: string | null;
}

export interface GroupCondition {
  readonly kind: 'any' | 'all';
  readonly of: readonly Condition[];
}

export type Condition = RegexCondition | CommandCondition | PathCondition | UrlCondition | EffectCondition | GroupCondition;

export interface Rule {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly severity: Severity;
  /** Where the harm is another than `severity` says. */
  readonly severityIn?: Readonly<Partial<Record<Channel, Severity>>>;
  readonly confidence: Confidence;
  readonly status: Status;
  /** Empty: every channel. */
  readonly channels: readonly Channel[];
  readonly rationale: string;
  /** Lower case. Regexes are tried only on texts holding one of these; empty: on every text. */
  readonly keywords: readonly string[];
  readonly match: Condition;
}

export interface RulePackJson {
  readonly version: 1;
  /** SHA-256 (hex) of the canonical JSON of `rules`. */
  readonly hash: string;
  readonly rules: readonly Rule[];
}

/** A pack that may be judged with. Matchers compile what they need from it once and keep it beside it. */
export interface RulePack {
  readonly hash: string;
  /** How many rules it has, numbered from 0. */
  readonly size: number;
  readonly index: PackIndex;
  /** @throws when there is no such rule or its text is damaged. */
  readonly rule: (number: number) => Rule;
  /** What is known of the regexes of a rule beside it. */
  readonly guards: (number: number) => Guards;
}

const SEVERITIES: readonly string[] = ['low', 'medium', 'high', 'critical'] satisfies Severity[];
const CONFIDENCES: readonly string[] = ['low', 'medium', 'high'] satisfies Confidence[];
const STATUSES: readonly string[] = ['experimental', 'stable', 'deprecated'] satisfies Status[];
const MAX_DEPTH = 8;

/** What is wrong with the shape of a compiled pack; empty when nothing is. Regexes that do not compile are reported by the matcher. */
export function packProblems(json: unknown): string[] {
  if (!isObject(json)) return ['the rule pack is not a JSON object; rebuild it'];
  if (json['version'] !== 1)
    return [`the rule pack has version ${JSON.stringify(json['version'])}, this program reads version 1; reinstall`];
  const problems: string[] = [];
  const rules = json['rules'];
  if (typeof json['hash'] !== 'string') problems.push('the rule pack has no `hash`; rebuild it');
  if (!Array.isArray(rules) || rules.length === 0) problems.push('the rule pack has no rules; rebuild it');
  else {
    const seen = new Set<string>();
    for (const [index, rule] of rules.entries()) {
      const problem = ruleProblem(rule);
      if (problem) problems.push(`rules/${index}: ${problem}`);
      else if (seen.has((rule as unknown as Rule).id)) problems.push(`rules/${index}: the id is used twice`);
      else seen.add((rule as unknown as Rule).id);
    }
  }
  return problems;
}

function ruleProblem(rule: unknown): string | null {
  if (!isObject(rule)) return 'not an object';
  for (const key of ['id', 'title', 'category', 'rationale'])
    if (typeof rule[key] !== 'string' || rule[key] === '') return `\`${key}\` must be a text`;
  if (!oneOf(rule['severity'], SEVERITIES)) return '`severity` is unknown';
  const severityIn = rule['severityIn'] ?? {};
  if (!isObject(severityIn) || !Object.entries(severityIn).every(([key, value]) => oneOf(key, CHANNELS) && oneOf(value, SEVERITIES)))
    return '`severityIn` is malformed';
  if (!oneOf(rule['confidence'], CONFIDENCES)) return '`confidence` is unknown';
  if (!oneOf(rule['status'], STATUSES)) return '`status` is unknown';
  if (!listOf(rule['channels'], CHANNELS)) return '`channels` is not a list of channels';
  if (!texts(rule['keywords'])) return '`keywords` is not a list of texts';
  return conditionProblem(rule['match'], 0);
}

function conditionProblem(value: unknown, depth: number): string | null {
  if (depth > MAX_DEPTH) return '`match` is nested too deep';
  if (!isObject(value)) return '`match` is not an object';
  switch (value['kind']) {
    case 'any':
    case 'all': {
      const of = value['of'];
      if (!Array.isArray(of) || of.length === 0) return '`of` is empty';
      for (const item of of) {
        const problem = conditionProblem(item, depth + 1);
        if (problem) return problem;
      }
      return null;
    }
    case 'regex': {
      const secret = value['secret'];
      if (typeof value['regex'] !== 'string' || typeof value['flags'] !== 'string') return '`regex` is not a text';
      if (!listOf(value['fields'], FIELD_NAMES)) return '`fields` is not a list of fields';
      if (
        secret !== null &&
        !(
          isObject(secret) &&
          typeof secret['group'] === 'number' &&
          typeof secret['entropy'] === 'number' &&
          (secret['checksum'] === null || oneOf(secret['checksum'], CHECKSUMS))
        )
      )
        return '`secret` is malformed';
      if (value['least'] !== undefined && typeof value['least'] !== 'number') return '`least` is not a number';
      return null;
    }
    case 'command': {
      if (!texts(value['program']) || !texts(value['subcommand']) || !texts(value['flags'])) return 'a command condition is malformed';
      for (const key of ['operand', 'argument', 'line', 'stdin', 'assigns']) if (!textOrNull(value[key])) return `\`${key}\` is not a text`;
      for (const key of ['path', 'url', 'pipedFrom', 'pipedTo', 'not']) {
        if (value[key] === null) continue;
        const problem = conditionProblem(value[key], depth + 1);
        if (problem) return problem;
      }
      return null;
    }
    case 'effect':
      if (!listOf(value['effect'], EFFECT_KINDS) || !textOrNull(value['target'])) return 'an effect condition is malformed';
      return null;
    case 'path':
      if (
        typeof value['regex'] !== 'string' ||
        !listOf(value['access'], ACCESSES) ||
        !listOf(value['trait'] ?? [], PATH_TRAITS) ||
        !listOf(value['without'] ?? [], PATH_TRAITS) ||
        !textOrNull(value['not'])
      )
        return 'a path condition is malformed';
      return null;
    case 'url':
      if (!texts(value['scheme']) || !texts(value['host']) || !listOf(value['hostKind'], HOST_KINDS)) return 'a url condition is malformed';
      for (const key of ['port', 'path', 'query', 'userinfo']) if (!textOrNull(value[key] ?? null)) return `\`${key}\` is not a text`;
      return null;
    default:
      return `unknown condition ${JSON.stringify(value['kind'])}`;
  }
}

const oneOf = (value: unknown, known: readonly string[]): boolean => typeof value === 'string' && known.includes(value);
const texts = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string');
const listOf = (value: unknown, known: readonly string[]): boolean => Array.isArray(value) && value.every((item) => oneOf(item, known));
const textOrNull = (value: unknown): boolean => value === null || typeof value === 'string';
