/** What the relay asks about what a server says of itself, before the client hears it. */
import type { JsonObject } from '#core/model/json.ts';

export type Review =
  /** The answer goes on as the very bytes that came. */
  | { readonly kind: 'same' }
  /** What is delivered in its place: tools that are held or denied are missing from it. */
  | { readonly kind: 'changed'; readonly result: JsonObject }
  /** Nothing of it may be delivered; the client gets an error with this reason. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface DefinitionReview {
  /**
   * Looks at the result of `initialize`, `server/discover`, `tools/list`, `prompts/list`, `resources/list` or `resources/templates/list`
   * before the client gets it. Never rejects, and never waits for a person: what is held is left out, and the client is told of a
   * changed list when somebody has decided.
   */
  readonly review: (method: string, params: JsonObject, result: JsonObject) => Promise<Review>;
  /** Why a call of this tool (or a prompt of this name) may not go on (its definition is held or denied, or was never listed where that matters); null when it may. */
  readonly refusal: (name: string, kind?: 'tool' | 'prompt') => string | null;
  /** The relay is over: holds of its own are given up. */
  readonly close: () => void;
}

/** Methods whose results are reviewed. */
export const DEFINITION_METHODS: ReadonlySet<string> = new Set([
  'initialize',
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
]);
