/** Offers to protect servers that are new in a client's file, or that somebody took out of protection. Each once. */
import { basename } from 'node:path';
import { type FileServers, neverAgain, newOffers, type Offer, readSeen, type SeenServers } from '#node/clients/fileServers.ts';
import { plainText } from './plainText.ts';

export const SEEN_KEY = 'callgate.seenServers';

export type Answer = 'protect' | 'never' | 'later';

export interface OfferParts {
  readonly look: () => Promise<readonly FileServers[]>;
  /** Kept between sessions and shared by windows. */
  readonly memory: { readonly get: (key: string) => unknown; readonly update: (key: string, value: unknown) => PromiseLike<void> };
  readonly ask: (message: string) => PromiseLike<Answer>;
  readonly protect: (id: string, servers: readonly string[]) => Promise<void>;
  /** False: the person wants no offers. What is seen is noted all the same. */
  readonly wanted: () => boolean;
  /** Only the window that the person looks at asks. */
  readonly inUse: () => boolean;
  /** The files of the last look, for whoever watches them. */
  readonly looked: (files: readonly string[]) => void;
  /** Something in them is other than at the last look. */
  readonly onChanged: () => void;
  readonly log: (message: string) => void;
}

/** More files at once are nobody's typing: a branch was checked out. They are shown in the panel. */
const MOST_AT_ONCE = 3;

/** Looks once; while a look is going on, one more is remembered. */
export function offerProtection(parts: OfferParts): () => Promise<void> {
  let running: Promise<void> | null = null;
  let again = false;
  let last: string | null = null;
  const noticed = (found: readonly FileServers[]): void => {
    const now = JSON.stringify(found);
    if (last !== null && last !== now) parts.onChanged();
    last = now;
  };
  async function run(): Promise<void> {
    do {
      again = false;
      try {
        await lookOnce(parts, noticed);
      } catch (error) {
        parts.log(`Looking for new MCP servers failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    } while (again);
  }
  return () => {
    if (running !== null) {
      again = true;
      return running;
    }
    running = run().finally(() => {
      running = null;
    });
    return running;
  };
}

async function lookOnce(
  { look, memory, ask, protect, wanted, inUse, looked, log }: OfferParts,
  noticed: (found: readonly FileServers[]) => void,
): Promise<void> {
  if (!inUse()) return;
  const found = await look();
  looked(found.map(({ file }) => file));
  noticed(found);
  const { offers, seen } = newOffers(found, readSeen(memory.get(SEEN_KEY)));
  // Noted before anybody is asked: a window that is closed meanwhile, or another one, must not ask again.
  await keep(memory, seen);
  if (!wanted()) return;
  for (const offer of offers.slice(0, MOST_AT_ONCE)) {
    // Not awaited one after the other: an unanswered question stays open as long as the person likes.
    void answered(offer).catch((error: unknown) => log(`Offering ${offer.file} failed: ${String(error)}`));
  }

  async function answered(offer: Offer): Promise<void> {
    const answer = await ask(offerText(offer));
    if (answer === 'never') await keep(memory, neverAgain(readSeen(memory.get(SEEN_KEY)), offer));
    if (answer === 'protect') await protect(offer.id, [...offer.fresh, ...offer.reverted]);
  }
}

const keep = (memory: OfferParts['memory'], seen: SeenServers): PromiseLike<void> => memory.update(SEEN_KEY, seen);

const MOST_NAMED = 5;

export function offerText({ name, file, fresh, reverted }: Offer): string {
  const listed = (names: readonly string[]): string =>
    names
      .slice(0, MOST_NAMED)
      .map((one) => `"${plainText(one, 60)}"`)
      .concat(names.length > MOST_NAMED ? [`${names.length - MOST_NAMED} more`] : [])
      .join(', ');
  const one = fresh.length + reverted.length === 1;
  const parts = [
    ...(reverted.length > 0 ? [`${listed(reverted)} ran through Callgate and ${reverted.length === 1 ? 'does' : 'do'} not any more`] : []),
    ...(fresh.length > 0 ? [`${listed(fresh)} ${fresh.length === 1 ? 'is' : 'are'} new and not protected`] : []),
  ];
  return plainText(`MCP ${one ? 'server' : 'servers'} in ${name} (${basename(file)}): ${parts.join('; ')}.`, 500);
}
