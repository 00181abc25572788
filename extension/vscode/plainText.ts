/**
 * Text of unknown origin in the editor's own widgets. A notification makes `[words](command:…)` a link that runs any
 * command of the editor, a label makes `$(name)` a picture: a call could write buttons of its own or hide its words.
 * A zero-width space in between keeps both plain; everything else that hides is escaped.
 */
import { visibleLine } from '#core/policy/visibleText.ts';

const BREAK = '\u200B';

/** One line, cut at `limit` characters and then saying so with an ellipsis. */
export function plainText(text: string, limit: number): string {
  return visibleLine(text, limit).replaceAll('](', `]${BREAK}(`).replaceAll('$(', `$${BREAK}(`);
}
