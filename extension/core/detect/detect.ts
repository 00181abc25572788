import type { Channel } from '#core/model/call.ts';
import type { Finding } from '#core/model/finding.ts';
import type { Condition, Rule, RulePack } from '#core/detect/rulePack.ts';
import type { Fields } from '#core/normalize/normalize.ts';

export function detect(fields: Fields, channel: Channel, pack: RulePack): readonly Finding[] {
  const out: Finding[] = [];
  for (const rule of pack.rules) if (rule.channels.length === 0 || rule.channels.includes(channel)) look(rule, rule.match, fields, out);
  return out;
}

function look(rule: Rule, condition: Condition, fields: Fields, out: Finding[]): void {
  if (condition.kind === 'any' || condition.kind === 'all') for (const item of condition.of) look(rule, item, fields, out);
  if (condition.kind !== 'regex') return;
  for (const field of fields.texts) {
    if (!condition.fields.includes(field.field)) continue;
    const hit = new RegExp(condition.regex, `${condition.flags}u`).exec(field.text);
    if (hit) out.push({ rule: rule.id, title: rule.title, category: rule.category, severity: rule.severity, confidence: rule.confidence, status: rule.status, rationale: rule.rationale, at: field.at, span: { start: hit.index, end: hit.index + hit[0].length }, matched: hit[0].slice(0, 200), decoded: null });
  }
}
