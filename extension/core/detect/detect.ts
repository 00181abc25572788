import type { Channel } from '#core/model/call.ts';
import type { Finding, Severity } from '#core/model/finding.ts';
import { candidatesOf, matcherOf, ruleOf, type Candidates, type Matcher } from '#core/detect/candidates.ts';
import { commandsThatMeet, meetsEffect, meetsPath, meetsUrl } from '#core/detect/conditions.ts';
import { MAX_HITS, MAX_SECRETS, regexHits, type Hit } from '#core/detect/regexHits.ts';
import type { Condition, Rule, RulePack } from '#core/detect/rulePack.ts';
import type { Fields } from '#core/normalize/fields.ts';

interface Search {
  readonly fields: Fields;
  readonly matcher: Matcher;
  readonly candidates: Candidates;
}

/** Findings of every rule of the pack that applies to the channel, and the normalizer's own, still with their whole texts. Order means nothing. */
export function detect(fields: Fields, channel: Channel, pack: RulePack): readonly Finding[] {
  const matcher = matcherOf(pack);
  const search: Search = { fields, matcher, candidates: candidatesOf(fields, channel, matcher) };
  matcher.regexes.piped.clear();
  const findings: Finding[] = fields.notes.map((note) => ({ ...note, status: 'stable', decoded: null }));
  for (const number of search.candidates.rules) {
    let id = `number ${number}`;
    try {
      const rule = ruleOf(matcher, number);
      id = rule.id;
      for (const hit of hitsOf(rule.match, rule, search)) findings.push(findingOf(rule, channel, hit));
    } catch (error) {
      // Only a regex this engine cannot compile gets here, or a pack that is not whole; the rule is then missing, which must not pass for silence.
      findings.push(brokenRule(id, error instanceof Error ? error.message : String(error)));
    }
  }
  return findings;
}

/** What an edit replaces (a text, in a call that writes) was in the file already: it only comes by, as in a response. */
function severityOf(rule: Rule, channel: Channel, hit: Hit): Severity {
  const seen = channel === 'write' && hit.field === 'text' ? 'response' : channel;
  return rule.severityIn?.[seen] ?? rule.severity;
}

function findingOf(rule: Rule, channel: Channel, hit: Hit): Finding {
  return {
    rule: rule.id,
    title: rule.title,
    category: rule.category,
    severity: severityOf(rule, channel, hit),
    confidence: rule.confidence,
    status: rule.status,
    rationale: rule.rationale,
    at: hit.at,
    span: hit.span,
    matched: hit.matched,
    decoded: hit.decoded,
  };
}

function brokenRule(id: string, message: string): Finding {
  return {
    rule: 'engine.broken-rule',
    title: `The rule ${id} cannot be used`,
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

function hitsOf(condition: Condition, rule: Rule, search: Search): readonly Hit[] {
  const { fields, matcher } = search;
  switch (condition.kind) {
    case 'regex':
      return regexHits(condition, rule, fields, search.candidates, matcher);
    case 'command':
      return commandsThatMeet(matcher.regexes, condition, fields.commands, MAX_HITS).map((item) => {
        const line = item.words.join(' ');
        return { at: item.at, span: item.span, matched: line, decoded: line };
      });
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
      return condition.of.flatMap((item) => hitsOf(item, rule, search)).slice(0, MAX_SECRETS);
    case 'all': {
      const each = condition.of.map((item) => hitsOf(item, rule, search));
      return each.every((hits) => hits.length > 0) ? (each[0] ?? []) : [];
    }
  }
}
