import type { Channel } from '#core/model/call.ts';
import type { Finding } from '#core/model/finding.ts';
import { compiled, meetsCommand, meetsEffect, meetsPath, meetsUrl, type RegexCache } from '#core/detect/conditions.ts';
import { passesChecksum } from '#core/detect/checksum.ts';
import { looksSecret } from '#core/detect/entropy.ts';
import { newPrefilter, type Prefilter } from '#core/detect/prefilter.ts';
import type { Condition, RegexCondition, Rule, RulePack } from '#core/detect/rulePack.ts';
import type { Fields, Place, TextField } from '#core/normalize/fields.ts';
import { originalSpan } from '#core/normalize/unicode.ts';

/** Places one rule reports in one call; more say nothing new. */
const MAX_HITS = 16;
/** Secrets one rule reports, as every one of them has to be redacted. */
const MAX_SECRETS = 1000;

/** What a pack needs to be matched with; made once, kept beside the pack. */
interface Matcher {
  readonly regexes: RegexCache;
  readonly prefilter: Prefilter;
}
const matchers = new WeakMap<RulePack, Matcher>();

interface Hit extends Place {
  readonly matched: string;
  readonly decoded: string | null;
}

interface Search {
  readonly fields: Fields;
  readonly matcher: Matcher;
  /** Rules worth trying, by text. */
  readonly candidates: Map<TextField, ReadonlySet<number>>;
}

/** Findings of every rule of the pack that applies to the channel, and the normalizer's own, still with their whole texts. Order means nothing. */
export function detect(fields: Fields, channel: Channel, pack: RulePack): readonly Finding[] {
  let matcher = matchers.get(pack);
  if (!matcher) {
    matcher = { regexes: new Map(), prefilter: newPrefilter(pack.rules.map((rule) => rule.keywords)) };
    matchers.set(pack, matcher);
  }
  const search: Search = { fields, matcher, candidates: new Map() };
  const findings: Finding[] = fields.notes.map((note) => ({ ...note, status: 'stable', decoded: null }));
  for (const [index, rule] of pack.rules.entries()) {
    if (rule.status === 'deprecated' || (rule.channels.length > 0 && !rule.channels.includes(channel))) continue;
    let hits: readonly Hit[];
    try {
      hits = hitsOf(rule.match, index, rule, search);
    } catch (error) {
      // Only a regex this engine cannot compile gets here; the rule is then missing, which must not pass for silence.
      findings.push(brokenRule(rule, error instanceof Error ? error.message : String(error)));
      continue;
    }
    for (const hit of hits) findings.push(findingOf(rule, hit));
  }
  return findings;
}

function findingOf(rule: Rule, hit: Hit): Finding {
  return {
    rule: rule.id,
    title: rule.title,
    category: rule.category,
    severity: rule.severity,
    confidence: rule.confidence,
    status: rule.status,
    rationale: rule.rationale,
    at: hit.at,
    span: hit.span,
    matched: hit.matched,
    decoded: hit.decoded,
  };
}

function brokenRule(rule: Rule, message: string): Finding {
  return {
    rule: 'engine.broken-rule',
    title: `The rule ${rule.id} cannot be used`,
    category: 'encoding',
    severity: 'medium',
    confidence: 'high',
    status: 'stable',
    at: '',
    span: null,
    matched: message,
    decoded: null,
    rationale: 'The installed rule pack does not fit this program; reinstall the extension.',
  };
}

function hitsOf(condition: Condition, index: number, rule: Rule, search: Search): readonly Hit[] {
  const { fields, matcher } = search;
  switch (condition.kind) {
    case 'regex':
      return regexHits(condition, index, search);
    case 'command':
      return fields.commands
        .filter((item) => meetsCommand(matcher.regexes, condition, item))
        .slice(0, MAX_HITS)
        .map((item) => ({ at: item.at, span: item.span, matched: item.words.join(' '), decoded: item.words.join(' ') }));
    case 'path':
      return fields.paths
        .filter((item) => meetsPath(matcher.regexes, condition, item))
        .slice(0, MAX_HITS)
        .map((item) => ({ at: item.at, span: item.span, matched: item.text, decoded: item.text }));
    case 'url':
      return fields.urls
        .filter((item) => meetsUrl(matcher.regexes, condition, item))
        .slice(0, MAX_HITS)
        .map((item) => ({
          at: item.at,
          span: item.span,
          matched: item.href,
          decoded: `${item.scheme}://${item.host}${item.port === '' ? '' : `:${item.port}`}${item.path}`,
        }));
    case 'effect':
      return fields.effects
        .filter((item) => meetsEffect(matcher.regexes, condition, item))
        .slice(0, MAX_HITS)
        .map((item) => ({ at: item.at, span: item.span, matched: item.target, decoded: null }));
    case 'any':
      return condition.of.flatMap((item) => hitsOf(item, index, rule, search)).slice(0, MAX_SECRETS);
    case 'all': {
      const each = condition.of.map((item) => hitsOf(item, index, rule, search));
      return each.every((hits) => hits.length > 0) ? (each[0] ?? []) : [];
    }
  }
}

function regexHits(condition: RegexCondition, index: number, search: Search): readonly Hit[] {
  const hits: Hit[] = [];
  const most = condition.secret === null ? MAX_HITS : MAX_SECRETS;
  for (const field of search.fields.texts) {
    if (!condition.fields.includes(field.field) || !candidatesFor(field, search).has(index)) continue;
    const regex = compiled(search.matcher.regexes, condition.regex, `${condition.flags}dgu`);
    for (const match of field.text.matchAll(regex)) {
      const [start, end] = match.indices?.[condition.secret?.group ?? 0] ?? [match.index, match.index + match[0].length];
      const text = field.text.slice(start, end);
      if (condition.secret !== null && !looksSecret(text, condition.secret.entropy)) continue;
      if (condition.secret?.checksum && !passesChecksum(condition.secret.checksum, text)) continue;
      hits.push({
        at: field.at,
        span: field.derived ? field.span : originalSpan(field.offsets, start, end),
        matched: text,
        decoded: field.derived || field.offsets !== null ? field.text.slice(Math.max(0, start - 200), end + 200) : null,
      });
      if (hits.length >= most) return hits;
    }
  }
  return hits;
}

function candidatesFor(field: TextField, search: Search): ReadonlySet<number> {
  let found = search.candidates.get(field);
  if (!found) {
    found = search.matcher.prefilter.candidates(field.text.toLowerCase());
    search.candidates.set(field, found);
  }
  return found;
}
