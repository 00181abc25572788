/**
 * Keeps a person from approving what they did not mean to. When a card appears, or moves because another one came or
 * left, the pointer may already be on its way down: whatever is under it was not what the person saw. For a third of
 * a second the card's buttons therefore ignore clicks, and say so to screen readers and tests through `aria-disabled`.
 */
const SETTLE_MS = 300;

const timers = new WeakMap<HTMLElement, number>();
const places = new WeakMap<HTMLElement, number>();

function disarm(actions: HTMLElement): void {
  window.clearTimeout(timers.get(actions));
  actions.setAttribute('aria-disabled', 'true');
  timers.set(
    actions,
    window.setTimeout(() => actions.removeAttribute('aria-disabled'), SETTLE_MS),
  );
}

/** Call after anything that may have moved cards. Scrolling does not count: the person does that. */
export function guardMoved(groups: Iterable<HTMLElement>): void {
  for (const actions of groups) {
    const place = Math.round(actions.getBoundingClientRect().top + window.scrollY);
    if (places.get(actions) !== place) disarm(actions);
    places.set(actions, place);
  }
}

export function isGuarded(target: HTMLElement): boolean {
  return target.closest('[aria-disabled="true"]') !== null;
}
