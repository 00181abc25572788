/** Cuts a text into marked and unmarked pieces, and decides what of a long text is shown before "Show all". */
export interface Span {
  /** UTF-16 offset, inclusive. */
  readonly start: number;
  /** UTF-16 offset, exclusive. */
  readonly end: number;
}

export interface Piece {
  readonly text: string;
  readonly marked: boolean;
}

/** Clips spans to the text, drops empty and senseless ones, sorts and joins those that touch. */
export function tidySpans(length: number, spans: readonly Span[]): readonly Span[] {
  const clipped = spans
    .filter((span) => Number.isInteger(span.start) && Number.isInteger(span.end))
    .map((span) => ({ start: Math.max(0, span.start), end: Math.min(length, span.end) }))
    .filter((span) => span.start < span.end)
    .sort((a, b) => a.start - b.start);
  const joined: Span[] = [];
  for (const span of clipped) {
    const last = joined.at(-1);
    if (last && span.start <= last.end) joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    else joined.push(span);
  }
  return joined;
}

/** Pieces of `text` in order; put together they are `text`. */
export function splitAtSpans(text: string, spans: readonly Span[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const span of tidySpans(text.length, spans)) {
    if (span.start > at) pieces.push({ text: text.slice(at, span.start), marked: false });
    pieces.push({ text: text.slice(span.start, span.end), marked: true });
    at = span.end;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), marked: false });
  return pieces;
}

export interface Fold {
  readonly start: number;
  readonly end: number;
  readonly hidden: boolean;
}

const HEAD = { characters: 600, lines: 12 };
const TAIL = { characters: 200, lines: 4 };
const AROUND = { characters: 120, lines: 2 };
/** A longer mark shows its two ends: a match may be the whole of a very long text. */
const MOST_MARKED = 1200;
/** Hiding less than this would save no space. */
const WORTH_HIDING = 80;

/** The offset reached from `from` by going at most so many characters and lines forwards. */
function forwards(text: string, from: number, limit: { characters: number; lines: number }): number {
  const most = Math.min(text.length, from + limit.characters);
  let lines = 0;
  for (let at = from; at < most; at++) {
    if (text[at] === '\n' && ++lines >= limit.lines) return at + 1;
  }
  return most;
}

function backwards(text: string, from: number, limit: { characters: number; lines: number }): number {
  const least = Math.max(0, from - limit.characters);
  let lines = 0;
  for (let at = from; at > least; at--) {
    if (text[at - 1] === '\n' && ++lines >= limit.lines) return at;
  }
  return least;
}

/**
 * What to show of `text` at first: its beginning, its end and every span with its surroundings, very long spans cut.
 * The end matters as much as the beginning: padding is how a command hides its last words.
 */
export function foldText(text: string, spans: readonly Span[]): readonly Fold[] {
  const tidy = tidySpans(text.length, spans);
  const kept = tidySpans(text.length, [
    { start: 0, end: forwards(text, 0, HEAD) },
    { start: backwards(text, text.length, TAIL), end: text.length },
    ...tidy.flatMap((span) =>
      ends(span).map((end) => ({ start: backwards(text, end.start, AROUND), end: forwards(text, end.end, AROUND) })),
    ),
  ]);
  const folds: Fold[] = [];
  const show = (start: number, end: number): void => {
    const last = folds.at(-1);
    if (last && !last.hidden) folds[folds.length - 1] = { start: last.start, end, hidden: false };
    else folds.push({ start, end, hidden: false });
  };
  let at = 0;
  for (const span of kept) {
    if (span.start - at > WORTH_HIDING) folds.push({ start: at, end: span.start, hidden: true });
    else if (span.start > at) show(at, span.start);
    show(span.start, span.end);
    at = span.end;
  }
  return folds;
}

const ends = ({ start, end }: Span): readonly Span[] =>
  end - start <= MOST_MARKED
    ? [{ start, end }]
    : [
        { start, end: start + MOST_MARKED / 2 },
        { start: end - MOST_MARKED / 2, end },
      ];

/** `spans` of a text, as spans of its part from `start` to `end`. */
export function spansWithin(spans: readonly Span[], start: number, end: number): readonly Span[] {
  return spans
    .map((span) => ({ start: Math.max(span.start, start) - start, end: Math.min(span.end, end) - start }))
    .filter((span) => span.start < span.end);
}
