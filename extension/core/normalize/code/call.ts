import type { Value } from '#core/normalize/code/value.ts';
import type { Walk } from '#core/normalize/code/walk.ts';

/** One call: its name made plain, what it is called on, and what it is given. */
export interface Call {
  readonly walk: Walk;
  readonly name: string;
  /** The part after the last full stop. */
  readonly last: string;
  readonly receiver: Value | null;
  readonly args: readonly Value[];
  readonly keys: ReadonlyMap<string, Value>;
}
