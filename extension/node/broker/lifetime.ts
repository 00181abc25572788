/** When the broker has somebody to ask, when it has nobody left, and when it has nothing left to do. */

export type Work = 'claude' | 'codex' | 'mcp';

export interface Lifetime {
  readonly start: () => void;
  readonly stop: () => void;
  readonly windows: (count: number) => void;
  readonly work: (kind: Work, count: number) => void;
  /** A window is there, or may be in a moment: a call is worth holding. */
  readonly attended: () => boolean;
  readonly busy: () => number;
  /** Settles when none of `kinds` is at work, or after `deadlineMs`. */
  readonly quiet: (kinds: readonly Work[], deadlineMs: number) => Promise<void>;
}

export interface LifetimeOptions {
  readonly mode: 'windows' | 'until-stopped';
  readonly graceMs: number;
  readonly firstWindowMs: number;
  /** The last window has been away for longer than a reload takes. */
  readonly onDeserted: () => void;
  /** Deserted, and nothing is in flight. Relayed servers count: their agents still work with them. */
  readonly onIdle: () => void;
}

export function createLifetime(options: LifetimeOptions): Lifetime {
  const work: Record<Work, number> = { claude: 0, codex: 0, mcp: 0 };
  let windows = 0;
  let state: 'waiting' | 'attended' | 'deserted' = 'deserted';
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  const listeners = new Set<() => void>();
  const busy = (): number => work.claude + work.codex + work.mcp;

  const checkIdle = (): void => {
    for (const listener of listeners) listener();
    if (!stopped && options.mode === 'windows' && state === 'deserted' && busy() === 0) options.onIdle();
  };
  const waitFor = (ms: number): void => {
    if (timer) clearTimeout(timer);
    state = 'waiting';
    timer = setTimeout(() => {
      state = 'deserted';
      options.onDeserted();
      checkIdle();
    }, ms);
  };

  return {
    start: () => {
      if (options.mode === 'windows' && windows === 0) waitFor(options.firstWindowMs);
    },
    stop: () => {
      stopped = true;
      if (timer) clearTimeout(timer);
    },
    windows: (count) => {
      windows = count;
      if (stopped) return;
      if (count === 0) waitFor(options.graceMs);
      else {
        if (timer) clearTimeout(timer);
        state = 'attended';
      }
    },
    work: (kind, count) => {
      work[kind] = count;
      checkIdle();
    },
    attended: () => !stopped && state !== 'deserted',
    busy,
    quiet: (kinds, deadlineMs) =>
      new Promise((resolve) => {
        const finish = (): void => {
          clearTimeout(deadline);
          listeners.delete(check);
          resolve();
        };
        const check = (): void => {
          if (kinds.every((kind) => work[kind] === 0)) finish();
        };
        const deadline = setTimeout(finish, deadlineMs);
        listeners.add(check);
        check();
      }),
  };
}
