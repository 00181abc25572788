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
  /** Absent: as it ships. */
  readonly firstSight?: DefinitionPolicy['firstSight'];
  readonly drift?: DefinitionPolicy['drift'];
}

/** What becomes of what a server says of its tools when the rules have nothing against it. */
export interface DefinitionPolicy {
  /** Of a server never seen before. `pin`: trusted as it is and recorded · `ask`: a person has to approve it. */
  readonly firstSight: 'pin' | 'ask';
  /** Of tools that changed or were added. `hold`: hidden until a person approves them · `flag`: pinned anew and recorded. */
  readonly drift: 'hold' | 'flag';
}
export const FIRST_SIGHTS: readonly DefinitionPolicy['firstSight'][] = ['pin', 'ask'];
export const DRIFTS: readonly DefinitionPolicy['drift'][] = ['hold', 'flag'];
export const BUILT_IN_DEFINITIONS: DefinitionPolicy = { firstSight: 'pin', drift: 'hold' };

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
        typeof entry['requireHook'] === 'boolean' &&
        [undefined, ...FIRST_SIGHTS].some((item) => item === entry['firstSight']) &&
        [undefined, ...DRIFTS].some((item) => item === entry['drift']),
    )
  );
}
