/** Where a regex condition matches in the texts of a call: exactly what trying it on every whole text would find, sooner. */
import type { Candidates, Found, Leaf, Matcher } from '#core/detect/candidates.ts';
import { passesChecksum } from '#core/detect/checksum.ts';
import { looksSecret } from '#core/detect/entropy.ts';
import type { FieldName, RegexCondition, Rule } from '#core/detect/rulePack.ts';
import type { Fields, Place, TextField } from '#core/normalize/fields.ts';
import { originalSpan } from '#core/normalize/unicode.ts';

/** Places one rule reports in one call; more say nothing new. */
export const MAX_HITS = 16;
/** Secrets one rule reports, as every one of them has to be redacted. */
export const MAX_SECRETS = 1000;

export interface Hit extends Place {
  readonly matched: string;
  readonly decoded: string | null;
  /** Where a regex matched; absent for what is not a text. */
  readonly field?: FieldName;
}

/** Trying a regex at one place costs about as much as running it over this many units. */
const UNITS_A_TRY = 8;

export function regexHits(condition: RegexCondition, rule: Rule, fields: Fields, candidates: Candidates, matcher: Matcher): readonly Hit[] {
  const hits: Hit[] = [];
  const most = Math.max(condition.secret === null ? MAX_HITS : MAX_SECRETS, condition.least ?? 0);
  const leaf = matcher.leaves.get(condition);
  if (leaf === undefined) throw new Error('a condition is not of the rule that was prepared');
  const inOne = (text: TextField, found: Found): void => {
    const before = hits.length;
    const different = new Set<string>();
    let worded = rule.keywords.length === 0;
    eachMatch(condition, text.text, found, leaf, (match) => {
      // A rule's own keywords are a condition as well. They are looked at last, as they are nearly always there.
      if (!worded && !holdsWord(rule, text.text, leaf)) return 'stop';
      worded = true;
      const [start, end] = match.indices?.[condition.secret?.group ?? 0] ?? [match.index, match.index + match[0].length];
      const matched = text.text.slice(start, end);
      if (condition.secret !== null && !looksSecret(matched, condition.secret.entropy)) return 'go on';
      if (condition.secret?.checksum && !passesChecksum(condition.secret.checksum, matched)) return 'go on';
      if (condition.least !== undefined) different.add(matched);
      hits.push({
        field: text.field,
        at: text.at,
        span: text.derived ? text.span : originalSpan(text.offsets, start, end),
        matched,
        decoded: text.derived || text.offsets !== null ? text.text.slice(Math.max(0, start - 200), end + 200) : null,
      });
      return hits.length >= most ? 'stop' : 'go on';
    });
    if (condition.least !== undefined && different.size < condition.least) hits.length = before;
  };
  for (const found of candidates.found[leaf.probe] ?? []) {
    const text = fields.texts[found.text];
    if (text !== undefined && hits.length < most) inOne(text, found);
  }
  return hits;
}

/** Any of the rule's keywords, in any case. */
function holdsWord(rule: Rule, text: string, leaf: Leaf): boolean {
  leaf.keywords ??= new RegExp(rule.keywords.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&')).join('|'), 'iu');
  return leaf.keywords.test(text);
}

type Visit = (match: RegExpExecArray) => 'go on' | 'stop';

/** Visits the matches `text.matchAll` would give, in its order. */
function eachMatch(condition: RegexCondition, text: string, found: Found, leaf: Leaf, visit: Visit): void {
  // Only a group's place needs indices, which cost a second run.
  const flags = `${condition.flags}u${(condition.secret?.group ?? 0) > 0 ? 'd' : ''}`;
  const { least, most } = leaf;
  const starts = most < 0 ? null : ascending(found.starts);
  if (starts === null || tries(starts, least, most, text.length) * UNITS_A_TRY > text.length) {
    const regex = (leaf.whole ??= new RegExp(condition.regex, `${flags}g`));
    regex.lastIndex = 0;
    for (let match = regex.exec(text); match !== null; match = regex.exec(text)) {
      if (visit(match) === 'stop') return;
      if (match[0] === '') regex.lastIndex++;
    }
    return;
  }
  const regex = (leaf.sticky ??= new RegExp(condition.regex, `${flags}y`));
  let next = 0;
  for (const start of starts) {
    const last = start - least;
    for (next = Math.max(next, start - most); next <= last; next++) {
      if (insidePair(text, next)) continue;
      regex.lastIndex = next;
      const match = regex.exec(text);
      if (match === null) continue;
      if (visit(match) === 'stop') return;
      next = Math.max(next, regex.lastIndex - 1);
    }
  }
}

/** With the flag `u`, a regex that starts at the second half of a pair starts at the first. */
function insidePair(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0xdc00 || code > 0xdfff || at === 0) return false;
  const before = text.charCodeAt(at - 1);
  return before >= 0xd800 && before <= 0xdbff;
}

/** How many places would have to be tried; no less than really would. */
function tries(starts: readonly number[], least: number, most: number, length: number): number {
  let count = 0;
  let next = 0;
  for (const start of starts) {
    const from = Math.max(next, start - most);
    count += Math.max(0, start - least + 1 - from);
    next = Math.max(next, start - least + 1);
    if (count * UNITS_A_TRY > length) break;
  }
  return count;
}

/** Words of several lengths come nearly in order. */
function ascending(starts: number[]): readonly number[] {
  for (let at = 1; at < starts.length; at++) if ((starts[at - 1] as number) > (starts[at] as number)) return starts.sort((a, b) => a - b);
  return starts;
}
