/** The plain engine: every rule tried on every field, one after the other. What the real one must agree with, and is measured against. */
import { passesChecksum } from '#core/detect/checksum.ts';
import { compiled, meetsCommand, meetsEffect, meetsPath, meetsUrl, newRegexCache } from '#core/detect/conditions.ts';
import { looksSecret } from '#core/detect/entropy.ts';
import type { Condition, RegexCondition, Rule } from '#core/detect/rulePack.ts';
import type { Channel } from '#core/model/call.ts';
import type { Fields, Span } from '#core/normalize/fields.ts';
import { originalSpan } from '#core/normalize/unicode.ts';

const MAX_HITS = 16;
const MAX_SECRETS = 1000;
const regexes = newRegexCache();

export interface PlainHit {
  readonly rule: string;
  readonly at: string;
  readonly span: Span | null;
  readonly matched: string;
}

export function detectPlainly(fields: Fields, channel: Channel, rules: readonly Rule[]): PlainHit[] {
  return rules
    .filter((rule) => rule.status !== 'deprecated' && (rule.channels.length === 0 || rule.channels.includes(channel)))
    .flatMap((rule) => hits(rule.match, rule, fields).map(({ at, span, matched }) => ({ rule: rule.id, at, span, matched })));
}

type Hit = Omit<PlainHit, 'rule'>;

function hits(condition: Condition, rule: Rule, fields: Fields): Hit[] {
  switch (condition.kind) {
    case 'regex':
      return inTexts(condition, rule, fields);
    case 'command':
      return cut(
        fields.commands
          .filter((item) => meetsCommand(regexes, condition, item))
          .map((item) => ({ ...item, matched: item.words.join(' ') })),
      );
    case 'path':
      return cut(fields.paths.filter((item) => meetsPath(regexes, condition, item)).map((item) => ({ ...item, matched: item.text })));
    case 'url':
      return cut(fields.urls.filter((item) => meetsUrl(regexes, condition, item)).map((item) => ({ ...item, matched: item.href })));
    case 'effect':
      return cut(fields.effects.filter((item) => meetsEffect(regexes, condition, item)).map((item) => ({ ...item, matched: item.target })));
    case 'any':
      return condition.of.flatMap((item) => hits(item, rule, fields)).slice(0, MAX_SECRETS);
    case 'all': {
      const each = condition.of.map((item) => hits(item, rule, fields));
      return each.every((found) => found.length > 0) ? (each[0] ?? []) : [];
    }
  }
}

const cut = (found: Hit[]): Hit[] => found.slice(0, MAX_HITS);

function inTexts(condition: RegexCondition, rule: Rule, fields: Fields): Hit[] {
  const out: Hit[] = [];
  const most = Math.max(condition.secret === null ? MAX_HITS : MAX_SECRETS, condition.least ?? 0);
  for (const field of fields.texts) {
    if (out.length >= most) break;
    if (!condition.fields.includes(field.field)) continue;
    if (
      rule.keywords.length > 0 &&
      !rule.keywords.some((word) => regexOf(word.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&'), 'iu').test(field.text))
    )
      continue;
    const here: Hit[] = [];
    const different = new Set<string>();
    for (const match of field.text.matchAll(regexOf(condition.regex, `${condition.flags}dgu`))) {
      const [start, end] = match.indices?.[condition.secret?.group ?? 0] ?? [match.index, match.index + match[0].length];
      const matched = field.text.slice(start, end);
      if (condition.secret !== null && !looksSecret(matched, condition.secret.entropy)) continue;
      if (condition.secret?.checksum && !passesChecksum(condition.secret.checksum, matched)) continue;
      different.add(matched);
      here.push({ at: field.at, span: field.derived ? field.span : originalSpan(field.offsets, start, end), matched });
      if (out.length + here.length >= most) break;
    }
    if (different.size >= (condition.least ?? 0)) out.push(...here);
  }
  return out;
}

function regexOf(source: string, flags: string): RegExp {
  return compiled(regexes, source, flags);
}
