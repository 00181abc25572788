/** What reading code found, while it is being read. */
import type { Access, EffectKind } from '#core/detect/rulePack.ts';

export interface Found {
  /** Shell text the code hands to a shell. */
  readonly scripts: string[];
  /** Words of programs it starts without a shell, and of programs that do what its calls do. */
  readonly commands: (readonly string[])[];
  readonly paths: { readonly text: string; readonly access: Access }[];
  readonly urls: string[];
  readonly effects: { readonly effect: EffectKind; readonly target: string }[];
  /** Texts written in the code. */
  readonly literals: Set<string>;
  /** Code in code: its text is run. */
  readonly inner: string[];
  /** The host a raw connection goes to; null when there is none. */
  connected: string | null;
  /** A shell was started that talks to whoever holds its ends. */
  shell: boolean;
  /** A part was too long, too deep or too much to be looked at. */
  cut: boolean;
}

export const newFound = (): Found => ({
  scripts: [],
  commands: [],
  paths: [],
  urls: [],
  effects: [],
  literals: new Set(),
  inner: [],
  connected: null,
  shell: false,
  cut: false,
});

const MOST = 1000;

export function addTo<T>(list: T[], item: T, found: Found): void {
  if (list.length < MOST) list.push(item);
  else found.cut = true;
}
