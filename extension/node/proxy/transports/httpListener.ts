/** The stream for what a server with sessions says unasked. Servers need not offer one. */
import { RETRY_MS, delay } from '#node/proxy/transports/httpAnswer.ts';
import type { AnswerReader } from '#node/proxy/transports/httpAnswer.ts';
import type { HttpAnswer } from '#node/proxy/transports/httpClient.ts';
import { failureText } from '#node/proxy/transports/httpFailure.ts';
import { readEvents } from '#node/proxy/transports/serverSentEvents.ts';
import { MAX_MESSAGE_BYTES } from '#node/proxy/transports/upstream.ts';

export interface Listener {
  /** Listens as long as the session is the one of now. Resolves when the server has taken or refused the first request for it. */
  listen(): Promise<void>;
}

/** @param session null when nobody listens any more. */
export function listener(
  reader: AnswerReader,
  session: () => string | null,
  get: (headers: Readonly<Record<string, string>>) => Promise<HttpAnswer | null>,
): Listener {
  async function run(begun: () => void): Promise<void> {
    const mine = session();
    let lastId = '';
    let wait: number = RETRY_MS.first;
    while (mine !== null && mine === session()) {
      let asked: number | null = null;
      const since = Date.now();
      try {
        const answer = await get(lastId === '' ? {} : { 'last-event-id': lastId });
        begun();
        if (answer === null) return;
        const events = readEvents(MAX_MESSAGE_BYTES, {
          onEvent: (event) => {
            if (event.type === 'message' && mine === session()) reader.emit(event.data, new Map());
          },
          onId: (id) => (lastId = id),
          onRetry: (ms) => (asked = Math.min(Math.max(ms, RETRY_MS.least), RETRY_MS.most)),
          onOverlong: () => reader.onOverlong(),
        });
        answer.body.on('data', (chunk: Buffer) => events.feed(chunk));
        await reader.track(answer);
      } catch (error) {
        begun();
        if (mine === session()) reader.log(`http: the stream of server messages failed: ${failureText(error)}`);
      }
      // A server that says how long to wait is obeyed; one that only drops us is asked less and less often.
      if (Date.now() - since > RETRY_MS.most) wait = RETRY_MS.first;
      await delay(asked ?? wait);
      wait = Math.min(wait * 2, RETRY_MS.most);
    }
  }

  return { listen: () => new Promise((resolve) => void run(resolve).then(resolve)) };
}
