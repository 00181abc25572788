/** Approving and rejecting, wherever the click came from. Every outcome is a sentence for the person. */
import type { GrantScope, Hold } from '#contract/ipc.ts';
import type { BrokerLink } from './brokerLink.ts';
import type { HoldBook } from './holdBook.ts';
import { settledMessage } from './holdText.ts';

export type Decided =
  /** `late`: it had expired, so an approval lets its next try through. */
  | { readonly kind: 'done'; readonly hold: Hold; readonly late: boolean }
  /** Somebody else, or time, was first. */
  | { readonly kind: 'late'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

export interface Decide {
  readonly approve: (id: string, scope: GrantScope, note: string) => Promise<Decided>;
  readonly reject: (id: string, note: string) => Promise<Decided>;
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';

export function decideThrough(link: Pick<BrokerLink, 'request' | 'settled'>, book: Pick<HoldBook, 'find'>): Decide {
  async function ask(id: string, send: () => Promise<Hold>): Promise<Decided> {
    const before = book.find(id);
    try {
      const hold = await send();
      link.settled(hold);
      return { kind: 'done', hold, late: before?.state === 'expired' };
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ALREADY_SETTLED' || code === 'UNKNOWN_HOLD') {
        const settled =
          before && before.state !== 'waiting'
            ? settledMessage(before)
            : 'This call was already decided elsewhere, or the agent stopped waiting for it.';
        return { kind: 'late', message: settled };
      }
      return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
    }
  }
  return {
    approve: (id, scope, note) => ask(id, () => link.request('approve', { id, scope, note })),
    reject: (id, note) => ask(id, () => link.request('reject', { id, note })),
  };
}
