/**
 * Textual edits that know how to be taken back: each says what it removed and what it put there, so that undoing
 * needs no parsing as long as nobody touched the inserted text itself.
 */
export interface Splice {
  /** UTF-16 offset in the text before any splice. */
  readonly at: number;
  readonly removed: string;
  readonly inserted: string;
}

/** Applies splices of the same text; they must not overlap. */
export function applySplices(text: string, splices: readonly Splice[]): string {
  let result = '';
  let from = 0;
  for (const splice of [...splices].sort((a, b) => a.at - b.at)) {
    result += text.slice(from, splice.at) + splice.inserted;
    from = splice.at + splice.removed.length;
  }
  return result + text.slice(from);
}

/**
 * The text with every inserted piece replaced by what it had removed, wherever the pieces have moved to. Null when a
 * piece is not there exactly as often as we put it there: then the caller has to understand the document instead.
 */
export function undoSplices(text: string, splices: readonly Splice[]): string | null {
  const ordered = [...splices].sort((a, b) => a.at - b.at);
  if (ordered.some(({ inserted }) => inserted === '')) return null;
  for (const { inserted } of ordered) {
    // A piece may also be part of another one.
    const expected = ordered.reduce((count, other) => count + occurrences(other.inserted, inserted), 0);
    if (occurrences(text, inserted) !== expected) return null;
  }
  let result = '';
  let from = 0;
  for (const splice of ordered) {
    const found = text.indexOf(splice.inserted, from);
    if (found < 0) return null;
    result += text.slice(from, found) + splice.removed;
    from = found + splice.inserted.length;
  }
  return result + text.slice(from);
}

function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) count += 1;
  return count;
}
