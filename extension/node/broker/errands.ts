/**
 * What the broker asks of its windows: the editor's secret storage, and to show a person where to sign in. Every window hears of an errand;
 * the first answer counts, and that nothing is stored counts when all have said so.
 */
import { randomUUID } from 'node:crypto';
import type { Errand } from '#contract/ipc.ts';
import type { SecretStore, SignInPage } from '#node/proxy/oauth/signIn.ts';

/** An errand before it has an id; `Omit` of a union keeps only what its members share. */
type Wanted = Errand extends infer One ? (One extends Errand ? Omit<One, 'id'> : never) : never;

export interface Errands {
  /** The answer; null when no window is there, or none answers within `ms`. */
  readonly ask: (wanted: Wanted, ms: number) => Promise<string | null>;
  /** False when nobody waits for it any more. */
  readonly answered: (id: string, value: string | null) => boolean;
}

export function createErrands(send: (errand: Errand) => void, windows: () => number): Errands {
  const waiting = new Map<string, (value: string | null) => boolean>();
  return {
    ask: async (wanted, ms) => {
      if (windows() === 0) return null;
      const id = randomUUID();
      return new Promise((resolve) => {
        const timer = setTimeout(() => settle(null), ms);
        const settle = (value: string | null): void => {
          clearTimeout(timer);
          waiting.delete(id);
          resolve(value);
        };
        // Windows of several editors each have a storage of their own: one that holds nothing does not speak for the others.
        let silent = wanted.kind === 'secret' ? windows() : 1;
        waiting.set(id, (value) => {
          if (value !== null || --silent <= 0) settle(value);
          return true;
        });
        send({ ...wanted, id });
      });
    },
    answered: (id, value) => waiting.get(id)?.(value) ?? false,
  };
}

/** A window that is busy starting up; the secret storage itself takes milliseconds. */
const STORAGE_MS = 3000;

/** The windows' secret storage, with this process's memory in front of it: what it holds is gone with the broker. */
export function windowSecrets(errands: Errands): SecretStore {
  const memory = new Map<string, string | null>();
  return {
    get: async (key) => {
      const known = memory.get(key);
      if (known !== undefined) return known;
      const value = await errands.ask({ kind: 'secret', key }, STORAGE_MS);
      // Not remembered when it is null: no window may have been there to ask.
      if (value !== null) memory.set(key, value);
      return value;
    },
    store: async (key, value) => {
      memory.set(key, value);
      await errands.ask({ kind: 'keepSecret', key, value }, STORAGE_MS);
    },
  };
}

/** True when a window shows it. */
export async function showInWindow(errands: Errands, page: SignInPage): Promise<boolean> {
  return (await errands.ask({ kind: 'signIn', ...page }, STORAGE_MS)) !== null;
}
