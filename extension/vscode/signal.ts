/** One kind of news and those who listen to it. */
export interface Signal<T> {
  /** Returns the function that stops listening. */
  readonly listen: (listener: (news: T) => void) => () => void;
  readonly send: (news: T) => void;
}

/** `onError` hears of a listener that threw; the others still get the news. */
export function signal<T>(onError: (error: unknown) => void): Signal<T> {
  const listeners = new Set<(news: T) => void>();
  return {
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    send: (news) => {
      for (const listener of listeners) {
        try {
          listener(news);
        } catch (error) {
          onError(error);
        }
      }
    },
  };
}
