/** Shows text exactly as it would run: matched parts marked, invisible characters escaped, long text folded. */
import { element } from './element.ts';
import { type Span, foldText, spansWithin, splitAtSpans } from './highlight.ts';
import { visibleRuns } from '#core/policy/visibleText.ts';

function appendRuns(parent: HTMLElement, text: string): void {
  // Escapes in a row share one element: a text may consist of nothing else.
  let escapes = '';
  const flush = (): void => {
    if (escapes !== '') parent.append(element('span', { class: 'escape', title: 'Characters that would not be seen' }, escapes));
    escapes = '';
  };
  for (const run of visibleRuns(text)) {
    if (run.escaped) escapes += run.shown;
    else {
      flush();
      parent.append(run.shown);
    }
  }
  flush();
}

function appendMarked(parent: HTMLElement, text: string, spans: readonly Span[]): void {
  for (const piece of splitAtSpans(text, spans)) {
    if (!piece.marked) {
      appendRuns(parent, piece.text);
      continue;
    }
    const mark = element('mark', {});
    appendRuns(mark, piece.text);
    parent.append(mark);
  }
}

/** A monospace block. `name` tells a screen reader which argument it is. */
export function codeBlock(text: string, spans: readonly Span[], name: string): HTMLElement {
  const block = element('pre', { class: 'code', role: 'group', 'aria-label': name });
  const fill = (): void => {
    for (const fold of foldText(text, spans)) {
      const part = text.slice(fold.start, fold.end);
      if (!fold.hidden) {
        appendMarked(block, part, spansWithin(spans, fold.start, fold.end));
        continue;
      }
      const show = element(
        'button',
        { type: 'button', class: 'unfold' },
        `Show all: ${part.length.toLocaleString()} characters are hidden here`,
      );
      show.addEventListener('click', () => {
        block.replaceChildren();
        appendMarked(block, text, spans);
        // The button that had the focus is gone; the block takes it so that the keyboard is not thrown to the top.
        block.tabIndex = -1;
        block.focus();
      });
      block.append(show);
    }
  };
  if (text === '') block.append(element('span', { class: 'muted' }, 'empty'));
  else fill();
  return block;
}

/** Text of unknown origin inside a sentence: escapes shown, direction isolated. */
export function inlineText(text: string, className: string): HTMLElement {
  const span = element('bdi', { class: className, dir: 'ltr' });
  appendRuns(span, text);
  return span;
}
