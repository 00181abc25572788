/**
 * Makes hostile text safe to look at. What an agent sends may contain characters that hide, reorder or erase what
 * a person sees: control characters, bidi overrides, zero-width and tag characters, blank letters, piled-up marks.
 * They become visible escapes such as `\u{202E}`; everything else stays as it is.
 */
export interface TextRun {
  /** The original characters; all runs put together are the original text. */
  readonly source: string;
  /** What to show. Differs from `source` only when `escaped`. */
  readonly shown: string;
  readonly escaped: boolean;
}

/** Invisible, reordering, unassigned or private characters, and every blank that is not a plain space. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u;
const MARK = /\p{M}/u;
/** Real scripts pile up two or three marks; more than that paints over the neighbouring lines. */
const MAX_MARKS = 3;

const SHORT: Readonly<Record<string, string>> = { '\r': '\\r', '\0': '\\0', '\u001b': '\\e', '\b': '\\b', '\f': '\\f', '\v': '\\v' };

function escapeOf(character: string): string {
  return SHORT[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}}`;
}

/** Splits `text` into runs. Line feeds and tabs stay: a block of code needs them. */
export function visibleRuns(text: string): readonly TextRun[] {
  const runs: TextRun[] = [];
  let plain = '';
  let marks = 0;
  for (const character of text) {
    marks = MARK.test(character) ? marks + 1 : 0;
    const hidden = character !== '\n' && character !== '\t' && HIDDEN.test(character);
    if (!hidden && marks <= MAX_MARKS) {
      plain += character;
      continue;
    }
    if (plain !== '') runs.push({ source: plain, shown: plain, escaped: false });
    plain = '';
    runs.push({ source: character, shown: escapeOf(character), escaped: true });
  }
  if (plain !== '') runs.push({ source: plain, shown: plain, escaped: false });
  return runs;
}

/** One line of plain text for labels and accessible names: escapes inline, line feeds and tabs shown, cut at `limit` characters. */
export function visibleLine(text: string, limit: number): string {
  const cut = text.length > limit ? text.slice(0, limit) : text;
  const shown = visibleRuns(cut)
    .map((run) => run.shown)
    .join('')
    .replaceAll('\n', ' ⏎ ')
    .replaceAll('\t', ' ');
  return cut.length < text.length ? `${shown}…` : shown;
}
