import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEvents } from '#node/proxy/transports/serverSentEvents.ts';

interface Read {
  events: { type: string; data: string }[];
  ids: string[];
  retries: number[];
  overlong: number;
}

function read(chunks: readonly Buffer[], limit = 1_000): Read {
  const got: Read = { events: [], ids: [], retries: [], overlong: 0 };
  const reader = readEvents(limit, {
    onEvent: (event) => got.events.push(event),
    onId: (id) => got.ids.push(id),
    onRetry: (ms) => got.retries.push(ms),
    onOverlong: () => got.overlong++,
  });
  for (const chunk of chunks) reader.feed(chunk);
  return got;
}

describe('an event stream', () => {
  const rows: readonly (readonly [string, string, Partial<Read>])[] = [
    ['one event', 'data: a\n\n', { events: [{ type: 'message', data: 'a' }] }],
    [
      'a type, an id, a retry',
      'event: x\nid: 7\nretry: 50\ndata: a\n\n',
      { events: [{ type: 'x', data: 'a' }], ids: ['7'], retries: [50] },
    ],
    [
      'every line break',
      'data: a\r\rdata: b\r\n\r\ndata: c\n\n',
      {
        events: [
          { type: 'message', data: 'a' },
          { type: 'message', data: 'b' },
          { type: 'message', data: 'c' },
        ],
      },
    ],
    ['only one blank is cut', 'data:  a\ndata:b\n\n', { events: [{ type: 'message', data: ' a\nb' }] }],
    ['comments and unknown fields', ': ping\nfoo: bar\n\ndata: a\n\n', { events: [{ type: 'message', data: 'a' }] }],
    ['no data, no event', 'id: 1\nevent: x\n\n', { events: [], ids: ['1'] }],
    ['an empty data line', 'data\n\n', { events: [{ type: 'message', data: '' }] }],
    ['an event that was not ended', 'data: a\n', { events: [] }],
    ['a retry that is no number', 'retry: soon\n\n', { retries: [] }],
    ['a byte order mark', '\ufeffdata: a\n\n', { events: [{ type: 'message', data: 'a' }] }],
    [
      'too long in one line, then a good one',
      `data: ${'x'.repeat(5_000)}\n\ndata: a\n\n`,
      { events: [{ type: 'message', data: 'a' }], overlong: 1 },
    ],
    [
      'too long over many lines',
      `${'data: 0123456789\n'.repeat(200)}\ndata: a\n\n`,
      { events: [{ type: 'message', data: 'a' }], overlong: 1 },
    ],
    ['too many empty lines', `${'data\n'.repeat(2_000)}\ndata: a\n\n`, { events: [{ type: 'message', data: 'a' }], overlong: 1 }],
    ['ids that fit no header', `id: é\nid: ${'x'.repeat(2_000)}\nid: a\0b\nid: ok\n\n`, { ids: ['ok'] }],
  ];
  test.each(rows)('%s', (_name, text, expected) => expect(read([Buffer.from(text)])).toMatchObject(expected));

  test('reads the same however it is cut', () => {
    expect.hasAssertions();
    const piece = fc.constantFrom('data: é😀', 'data:', 'id: 1', 'event: e', ': c', 'retry: 5', '\r', '\n', '\r\n', '\n\n', 'x');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat(200), { maxLength: 8 }), (pieces, at) => {
        const bytes = Buffer.from(`${pieces.join('')}\n`);
        const places = [0, ...at.filter((place) => place < bytes.length).sort((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
        expect(read(chunks)).toEqual(read([bytes]));
      }),
    );
  });
});
