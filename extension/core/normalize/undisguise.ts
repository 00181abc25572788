/** Everything that a text holds but does not show: what is encoded, respelt or hidden in it, and whether that looks meant. */
import { decodeAll, isHidden, type DecodeBudget } from '#core/normalize/decode.ts';
import { isProse } from '#core/normalize/english.ts';
import type { Span } from '#core/normalize/fields.ts';
import { hiddenIn } from '#core/normalize/markup.ts';
import { originalSpan, type Folded } from '#core/normalize/unicode.ts';

export interface Undisguised {
  readonly span: Span | null;
  /** What it says, to be searched as a text of `field`; null when the folded text says it already. */
  readonly plain: string | null;
  /** The field it belongs to; null: that of the text it was found in. */
  readonly field: 'hidden' | null;
  /** How it was hidden, when nothing but hiding explains it; else null. */
  readonly how: string | null;
  /** The words concerned, when `plain` is null. */
  readonly words: string;
}

/** Words of one kind of spelling from which it is no single name or sign. */
const MANY_WORDS = 4;

export function disguisesIn(text: string, folded: Folded, budget: DecodeBudget): readonly Undisguised[] {
  const out: Undisguised[] = [];
  if (folded.offsets !== null) spellings(folded, out);
  for (const decoded of decodeAll(folded.text, budget)) {
    const meant = isHidden(decoded, folded.text.slice(decoded.start, decoded.end));
    out.push({
      span: originalSpan(folded.offsets, decoded.start, decoded.end),
      plain: decoded.text,
      field: null,
      how: meant ? decoded.how : null,
      words: '',
    });
  }
  const { parts, cut } = hiddenIn(text);
  if (cut) budget.spent = true;
  // On a page that a browser shows, dialogs and menus wait unseen for their turn.
  const isPage = parts.length > 0 && /<(?:html|body|head|script)\b|<!doctype/iu.test(text);
  for (const { text: plain, how, start, end } of parts) {
    const odd = (how === 'element' && !isPage) || how === 'blank' || how === 'direction';
    out.push({ span: { start, end }, plain, field: 'hidden', how: odd && isProse(plain) ? how : null, words: '' });
  }
  return out;
}

/** What folding alone has put right. */
function spellings({ hidden }: Folded, out: Undisguised[]): void {
  const carried: readonly [string, string][] = [
    ['tags', hidden.tagText],
    ['selectors', hidden.selectorText],
    ['bits', hidden.bitText],
  ];
  for (const [how, plain] of carried) {
    if (plain === '') continue;
    out.push({ span: null, plain, field: null, how, words: '' });
    out.push({ span: null, plain, field: 'hidden', how: null, words: '' });
  }
  if (hidden.swapped.length > 0) out.push({ span: null, plain: null, field: null, how: 'homoglyphs', words: hidden.swapped.join(' ') });
  if (hidden.styled.length >= MANY_WORDS) out.push({ span: null, plain: null, field: null, how: 'styled', words: hidden.styled.join(' ') });
}
