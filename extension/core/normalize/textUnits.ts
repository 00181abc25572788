/** The units of a text as bytes: a loop over them takes a third of what one over the string does. */
import { foldedCode } from '#core/detect/letters.ts';

/** What is not ASCII shares the bytes from here on; to those that fold to an ASCII letter belong the ones from `TWIN` on. */
export const BEYOND = 128;
export const TWIN = 224;
/** More is not kept from call to call. */
const KEPT = 1 << 18;

declare const TextEncoder: new () => {
  readonly encodeInto: (text: string, into: Uint8Array) => { readonly read: number; readonly written: number };
};
const encoder = new TextEncoder();
let kept = new Uint8Array(1 << 12);

/** A byte for each unit, and a 0 at the end. Good until the next call. */
export function unitsOf(text: string): Uint8Array {
  const { length } = text;
  let units = kept;
  if (units.length <= length) {
    units = new Uint8Array(Math.max(length + 1, Math.min(KEPT, 2 * length)));
    if (units.length <= KEPT) kept = units;
  }
  const { read, written } = encoder.encodeInto(text, units);
  if (read !== length || written !== length) for (let at = 0; at < length; at++) units[at] = unitOf(text.charCodeAt(at));
  units[length] = 0;
  return units;
}

/** Which character it was must be looked up in the text. */
export function unitOf(code: number): number {
  if (code < BEYOND) return code;
  const folded = foldedCode(code);
  return folded < BEYOND ? TWIN | (folded & 31) : BEYOND | (folded & 31);
}
