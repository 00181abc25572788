/** The place a walk through code has reached, and what it knows there. */
import type { Found } from '#core/normalize/code/found.ts';
import type { Language } from '#core/normalize/code/languages.ts';
import type { Token } from '#core/normalize/code/tokens.ts';
import type { Value } from '#core/normalize/code/value.ts';

export interface Walk {
  readonly tokens: readonly Token[];
  pos: number;
  readonly language: Language;
  readonly variables: Map<string, Value>;
  readonly found: Found;
  depth: number;
  /** What reads an expression at the position, and code in code: injected, as both are read with what reads this. */
  readonly read: {
    readonly expression: (walk: Walk) => Value;
    readonly code: (code: string, walk: Walk, nesting: number) => Value;
  };
}

/** Deeper nesting than any program has; beyond it the rest is not read, and told of. */
export const MAX_DEPTH = 120;

export const peek = (walk: Walk, ahead = 0): Token | undefined => walk.tokens[walk.pos + ahead];
export const isSign = (token: Token | undefined, text: string): boolean => token?.kind === 'sign' && token.text === text;

export function skipLines(walk: Walk): void {
  while (peek(walk)?.kind === 'line') walk.pos++;
}
