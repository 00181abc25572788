/** Builds elements. Strings become text nodes only: nothing in this folder ever parses markup. */
export type Child = Node | string | null;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>>,
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  for (const child of children) if (child !== null) made.append(child);
  return made;
}

/** A button whose accessible name says what it acts on; `label` is what is seen. */
export function button(
  look: 'primary' | 'secondary' | 'link',
  label: string,
  accessibleName: string,
  onClick: () => void,
): HTMLButtonElement {
  const made = element('button', { type: 'button', class: look, 'aria-label': accessibleName }, label);
  made.addEventListener('click', onClick);
  return made;
}

export function setText(target: Element, text: string): void {
  // Unchanged text is left alone: screen readers announce rewritten live regions again.
  if (target.textContent !== text) target.textContent = text;
}

const SHAPES = {
  shield: 'M8 1.2 2.5 3v4.6c0 3.3 2.3 5.9 5.5 7.2 3.2-1.3 5.5-3.9 5.5-7.2V3L8 1.2zM7.2 10.6 4.7 8.1l.9-.9 1.6 1.6 3.2-3.2.9.9-4.1 4.1z',
  chevron: 'M5.7 3.3 10.4 8l-4.7 4.7-.9-.9L8.6 8 4.8 4.2z',
  warning: 'M8 1.5 15 14H1L8 1.5zm-.6 4.7.2 4h.8l.2-4H7.4zM7.5 11v1.2h1V11z',
} as const;

/** A decorative picture in the colour of the text around it. */
export function icon(shape: keyof typeof SHAPES): SVGSVGElement {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', `icon icon-${shape}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(namespace, 'path');
  path.setAttribute('d', SHAPES[shape]);
  svg.append(path);
  return svg;
}
