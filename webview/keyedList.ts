/** Keeps the children of a list in step with data without rebuilding those that stay: focus and half-written notes survive. */
export interface ItemView<T> {
  readonly root: HTMLElement;
  readonly update: (item: T) => void;
}

export class KeyedList<T> {
  readonly #views = new Map<string, ItemView<T>>();
  readonly #parent: HTMLElement;
  readonly #keyOf: (item: T) => string;
  readonly #create: (item: T) => ItemView<T>;
  /** Takes the focus when the item that had it leaves and no other is left. */
  readonly #focusHome: HTMLElement;

  constructor(parent: HTMLElement, focusHome: HTMLElement, keyOf: (item: T) => string, create: (item: T) => ItemView<T>) {
    this.#parent = parent;
    this.#focusHome = focusHome;
    this.#keyOf = keyOf;
    this.#create = create;
  }

  show(items: readonly T[]): void {
    const wanted = new Set(items.map(this.#keyOf));
    for (const [key, view] of this.#views) {
      if (wanted.has(key)) continue;
      const hadFocus = view.root.contains(document.activeElement);
      const neighbour = view.root.nextElementSibling ?? view.root.previousElementSibling;
      view.root.remove();
      this.#views.delete(key);
      if (!hadFocus) continue;
      // The neighbour as a whole, never its button: the next Enter must not decide something else.
      if (neighbour instanceof HTMLElement) neighbour.tabIndex = -1;
      (neighbour instanceof HTMLElement ? neighbour : this.#focusHome).focus();
    }
    let next = this.#parent.firstElementChild;
    for (const item of items) {
      const key = this.#keyOf(item);
      let view = this.#views.get(key);
      if (!view) {
        view = this.#create(item);
        this.#views.set(key, view);
      }
      view.update(item);
      if (view.root === next) next = next.nextElementSibling;
      else this.#parent.insertBefore(view.root, next);
    }
  }
}
