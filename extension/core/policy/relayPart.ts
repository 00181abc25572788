/** The `relay` part of a policy file: what it says about servers behind the MCP relay. Data only. */
import { isObject } from '#core/model/json.ts';

/**
 * What becomes of a result that would be held. `hold`: a person may release it; with nobody to ask the model gets a note
 * instead · `redact`: delivered without what was found · `replace`: a note in its place. The last two ask nobody.
 */
export type ResultsPolicy = 'redact' | 'hold' | 'replace';
/** From the most to the least that may reach the model unasked. */
export const RESULTS_POLICIES: readonly ResultsPolicy[] = ['redact', 'hold', 'replace'];

/** What one entry says, for the servers that fit one of its patterns; none: all. */
export interface RelayEntry {
  readonly servers: readonly string[];
  readonly results: ResultsPolicy | null;
  readonly maskSecrets: boolean;
  readonly requireHook: boolean;
  /** Names of variables that are withheld from servers unless they stand here. */
  readonly giveKeys: readonly string[];
}

/** Whether a compiled policy's `relay` is what this version reads. */
export function isRelayPart(value: unknown): value is readonly RelayEntry[] {
  const texts = (item: unknown): boolean => Array.isArray(item) && item.every((text) => typeof text === 'string');
  return (
    Array.isArray(value) &&
    value.every(
      (entry: unknown) =>
        isObject(entry) &&
        texts(entry['servers']) &&
        texts(entry['giveKeys']) &&
        (entry['results'] === null || RESULTS_POLICIES.some((item) => item === entry['results'])) &&
        typeof entry['maskSecrets'] === 'boolean' &&
        typeof entry['requireHook'] === 'boolean',
    )
  );
}
