/** What the normalizer reports itself. These are findings without a rule file: no pack can be without them. */
import type { Collector } from '#core/normalize/collector.ts';
import type { Hidden } from '#core/normalize/invisible.ts';

/** Most invisible characters that ordinary text of any script may hold. */
const ORDINARY_ZERO_WIDTH = 24;

export function noteTroubles(collector: Collector): void {
  const { troubles } = collector.shell;
  if (troubles.has('unterminated')) {
    collector.note({
      rule: 'engine.unparsable',
      title: 'A command that ends in the middle of a quote or substitution',
      category: 'encoding',
      severity: 'medium',
      confidence: 'medium',
      at: '',
      span: null,
      matched: '',
      rationale: 'The command was read as if it were closed at its end; a shell may read it otherwise.',
    });
  }
  const bounds = [...troubles].filter((trouble) => trouble !== 'unterminated');
  if (bounds.length > 0) {
    collector.note({
      rule: 'engine.too-complex',
      title: 'A call too long or too deeply nested to be read whole',
      category: 'encoding',
      severity: 'high',
      confidence: 'medium',
      at: '',
      span: null,
      matched: bounds.join(', '),
      rationale: 'What lies beyond the bound was not looked at, so it cannot be called harmless. Split it into shorter ones.',
    });
  }
}

export function noteBeyond(collector: Collector, beyond: 'size' | 'depth' | 'count'): void {
  collector.note({
    rule: 'engine.oversize',
    title: 'Arguments too large to be looked at whole',
    category: 'encoding',
    severity: 'high',
    confidence: 'high',
    at: '',
    span: null,
    matched: beyond,
    rationale: 'Only a part of the arguments was judged. Send them in smaller pieces, or have a person look at them.',
  });
}

/** Bytes of variation selectors or bits of zero-width characters from which they are no accident. */
const CARRIED = 4;

/** Invisible characters: in commands and paths any are odd; in running text only those that carry or reorder text. */
export function noteHidden(collector: Collector, at: string, hidden: Hidden, where: 'command' | 'path' | 'text'): void {
  if (hidden.first < 0) return;
  const span = { start: hidden.first, end: hidden.first + 1 };
  if (hidden.tagText.length >= 3) {
    collector.note({
      rule: 'engine.hidden-text',
      title: 'Text written in invisible Unicode tag characters',
      category: 'encoding',
      severity: 'high',
      confidence: 'high',
      at,
      span,
      matched: hidden.tagText.slice(0, 200),
      rationale: 'People cannot see these characters, models can read them; nobody writes them by accident.',
    });
  }
  const carried = hidden.selectorText.length >= CARRIED ? hidden.selectorText : hidden.bitText;
  if (carried.length >= CARRIED) {
    collector.note({
      rule: 'engine.carried-text',
      title: 'Text written in invisible characters that draw nothing',
      category: 'encoding',
      severity: 'high',
      confidence: 'high',
      at,
      span,
      matched: carried.slice(0, 200),
      rationale: 'Variation selectors and zero-width characters in a row carry bytes that people cannot see and programs can read.',
    });
  }
  if (hidden.bidi > 0) {
    collector.note({
      rule: 'engine.bidi-controls',
      title: 'Direction controls that make text read differently from what it is',
      category: 'encoding',
      severity: 'high',
      confidence: 'medium',
      at,
      span,
      matched: `${hidden.bidi} direction controls`,
      rationale: 'Overrides and isolates can show code or a path in another order than the machine reads it (CVE-2021-42574).',
    });
  }
  if (where !== 'text' ? hidden.zeroWidth + hidden.nul > 0 : hidden.zeroWidth > ORDINARY_ZERO_WIDTH) {
    collector.note({
      rule: 'engine.invisible-characters',
      title: 'Invisible characters where none belong',
      category: 'encoding',
      severity: 'medium',
      confidence: 'medium',
      at,
      span,
      matched: `${hidden.zeroWidth + hidden.nul} invisible characters`,
      rationale: 'Invisible characters can hide text from a person or a filter. They were removed before judging.',
    });
  }
}
