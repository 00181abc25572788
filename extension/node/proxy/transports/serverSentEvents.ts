/** Reads `text/event-stream` as the HTML standard defines it; only what MCP uses. */

export interface ServerSentEvent {
  readonly type: string;
  readonly data: string;
}

export interface EventSink {
  readonly onEvent: (event: ServerSentEvent) => void;
  /** An id to resume from, also of events without data. */
  readonly onId: (id: string) => void;
  /** The server's wish: milliseconds before a new connection. */
  readonly onRetry: (ms: number) => void;
  /** An event longer than the limit; it is thrown away. */
  readonly onOverlong: () => void;
}

export interface EventReader {
  feed(chunk: Buffer): void;
}

/** @param limit bytes of one event's data, roughly. */
export function readEvents(limit: number, sink: EventSink): EventReader {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  let afterCarriage = false;
  let type = '';
  let data: string[] = [];
  let size = 0;
  let overlong = false;

  const field = (line: string): void => {
    if (line === '') {
      if (overlong) sink.onOverlong();
      else if (data.length > 0) sink.onEvent({ type: type === '' ? 'message' : type, data: data.join('\n') });
      type = '';
      data = [];
      size = 0;
      overlong = false;
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') {
      // The line break counts: a stream of empty lines would else grow without a bound.
      size += value.length + 1;
      if (size > limit) {
        overlong = true;
        data = [];
      } else {
        data.push(value);
      }
    } else if (name === 'event') type = value;
    // It comes back as a header: what fits none cannot be resumed from.
    else if (name === 'id' && /^[\x20-\x7e]{0,1024}$/.test(value)) sink.onId(value);
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) sink.onRetry(Number(value));
  };

  return {
    feed(chunk) {
      let text = decoder.decode(chunk, { stream: true });
      // The newline of a CR LF pair that was cut between two chunks.
      if (afterCarriage && text.startsWith('\n')) text = text.slice(1);
      if (text !== '') afterCarriage = text.endsWith('\r');
      const breaks = /\r\n|\r|\n/g;
      let from = 0;
      for (let hit = breaks.exec(text); hit !== null; hit = breaks.exec(text)) {
        const line = rest + text.slice(from, hit.index);
        rest = '';
        from = hit.index + hit[0].length;
        field(line);
      }
      rest += text.slice(from);
      if (rest.length > limit) {
        overlong = true;
        // Keeps the field's name, so that the rest of the line is still read as its value.
        rest = rest.slice(0, 16);
      }
    },
  };
}
