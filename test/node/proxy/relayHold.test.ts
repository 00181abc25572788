import { describe, expect, test, vi } from 'vitest';
import { CLIENT_TIMED_OUT, type Judge } from '#contract/judgement.ts';
import { bench, callLine, judgement, line, settle, until, waitingJudge } from './harness.ts';

const progressOf = (messages: Record<string, unknown>[]): number[] =>
  messages
    .filter((message) => message['method'] === 'notifications/progress')
    .map((message) => (message['params'] as { progress: number }).progress);

describe('a held call', () => {
  test('tells the client it waits, lets others pass, and goes out unchanged when approved', async () => {
    const { judge, calls } = waitingJudge();
    const b = bench(judge, { progressMs: 10 });
    const held = callLine(1, 'rm', { path: '/' }, { progressToken: 'tok' });
    await b.send(held);
    calls[0]?.options.onHeld?.(Date.now() + 60_000);
    await b.send('{"jsonrpc":"2.0","id":2,"method":"ping"}\n');
    await until('three progress notifications', () => progressOf(b.clientMessages()).length >= 3);
    expect(b.toServer).toEqual(['{"jsonrpc":"2.0","id":2,"method":"ping"}\n']);
    calls[0]?.answer(judgement('delivered'));
    await settle();
    expect(b.toServer.at(-1)).toBe(held);
    const values = progressOf(b.clientMessages());
    expect(values).toEqual([...new Set(values)].sort((a, c) => a - c));
    expect(b.clientMessages()[0]).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: 'tok', progress: 0.001, message: 'Waiting for a person to approve this call in Callgate' },
    });
    // The server's own progress goes on, and after it no more of ours.
    await b.serve(line({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'tok', progress: 5 } }));
    const count = progressOf(b.clientMessages()).length;
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(progressOf(b.clientMessages())).toHaveLength(count);
  });

  test('without a progress token waits silently', async () => {
    const { judge, calls } = waitingJudge();
    const b = bench(judge, { progressMs: 5 });
    await b.send(callLine(1, 'rm'));
    calls[0]?.options.onHeld?.(0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(b.clientText()).toBe('');
    expect(b.toServer).toEqual([]);
  });

  test('that the client cancels is freed; neither the call nor the cancellation reaches the server', async () => {
    const { judge, calls } = waitingJudge();
    const b = bench(judge, { progressMs: 5 });
    await b.send(callLine(1, 'rm', {}, { progressToken: 1 }));
    calls[0]?.options.onHeld?.(0);
    await b.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"gone"}}\n');
    expect(calls[0]?.options.signal.aborted).toBe(true);
    // An approval that comes too late.
    calls[0]?.answer(judgement('delivered'));
    await settle();
    expect(b.toServer).toEqual([]);
    expect(b.clientMessages().every((message) => message['method'] === 'notifications/progress')).toBe(true);
    await b.send(callLine(1, 'again'));
    expect(calls).toHaveLength(2);
  });

  test.each([
    ['McpError: MCP error -32001: Request timed out', CLIENT_TIMED_OUT],
    ['timeout', CLIENT_TIMED_OUT],
    ['the user pressed Escape', undefined],
    [undefined, undefined],
  ])('that the client cancels with %j is told apart', async (reason, expected) => {
    const { judge, calls } = waitingJudge();
    const b = bench(judge);
    await b.send(callLine(1, 'rm'));
    calls[0]?.options.onHeld?.(0);
    await b.send(line({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1, reason } }));
    const signal = calls[0]?.options.signal;
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason === CLIENT_TIMED_OUT ? CLIENT_TIMED_OUT : undefined).toBe(expected);
  });

  test('beyond the most that may wait is refused, until one of them is decided', async () => {
    const { judge, calls } = waitingJudge();
    const b = bench(judge, { heldCalls: 2 });
    for (const id of [1, 2, 3]) {
      await b.send(callLine(id, 'rm'));
      calls.at(-1)?.options.onHeld?.(0);
      await settle();
    }
    expect(calls.map((held) => held.options.signal.aborted)).toEqual([false, false, true]);
    expect(b.clientMessages()).toEqual([
      {
        jsonrpc: '2.0',
        id: 3,
        result: { content: [{ type: 'text', text: expect.stringContaining('2 calls of "files" already wait') as unknown }], isError: true },
      },
    ]);
    calls[0]?.answer(judgement('delivered'));
    await settle();
    await b.send(callLine(4, 'rm'));
    calls.at(-1)?.options.onHeld?.(0);
    expect(calls.at(-1)?.options.signal.aborted).toBe(false);
    expect(b.toServer).toEqual([callLine(1, 'rm')]);
  });

  test.each([
    ['ends its input', (b: ReturnType<typeof bench>) => b.input.end()],
    ['vanishes', (b: ReturnType<typeof bench>) => b.output.destroy()],
    ['breaks', (b: ReturnType<typeof bench>) => b.input.destroy(new Error('EPIPE'))],
  ])('is freed when the client %s', async (_name, leave) => {
    const { judge, calls } = waitingJudge();
    const b = bench(judge);
    await b.send(callLine(1, 'rm'));
    calls[0]?.options.onHeld?.(0);
    leave(b);
    const end = await b.done;
    expect(end.by).toBe('client');
    expect(calls[0]?.options.signal.aborted).toBe(true);
    expect(b.closed()).toBe(true);
    expect(b.toServer).toEqual([]);
  });

  test('is answered with the reason when the server dies meanwhile', async () => {
    const { judge, calls } = waitingJudge();
    const b = bench(judge);
    await b.send(callLine(1, 'rm') + '{"jsonrpc":"2.0","id":2,"method":"ping"}\n');
    calls[0]?.options.onHeld?.(0);
    await settle();
    b.events.onClosed('the MCP server exited with code 3');
    expect((await b.done).by).toBe('upstream');
    expect(calls[0]?.options.signal.aborted).toBe(true);
    expect(b.clientMessages()).toEqual(
      [1, 2].map((id) => ({ jsonrpc: '2.0', id, error: { code: -32000, message: 'the MCP server exited with code 3' } })),
    );
    expect(b.output.writableEnded).toBe(true);
  });
});

describe('a held result', () => {
  const hold = (): { judge: Judge; calls: ReturnType<typeof waitingJudge>['calls'] } => {
    const { judge, calls } = waitingJudge();
    return {
      judge: (call, options) => (call.channel === 'response' ? judge(call, options) : Promise.resolve(judgement('delivered'))),
      calls,
    };
  };

  test('reports progress above the server’s own and comes out after release', async () => {
    const { judge, calls } = hold();
    const b = bench(judge, { progressMs: 5 });
    await b.send(callLine(1, 'read', {}, { progressToken: 9 }));
    await b.serve(line({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 9, progress: 40 } }));
    const answer = line({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'secret' }] } });
    await b.serve(answer);
    calls[0]?.options.onHeld?.(0);
    await until('progress', () => progressOf(b.clientMessages()).length >= 3);
    expect(Math.min(...progressOf(b.clientMessages()).slice(1))).toBeGreaterThan(40);
    expect(b.clientText()).not.toContain('secret');
    calls[0]?.answer(judgement('delivered'));
    await settle();
    expect(b.clientText().endsWith(answer)).toBe(true);
  });

  test('is dropped when the client cancelled, and does not keep a relay alive whose client is gone', async () => {
    const { judge, calls } = hold();
    const b = bench(judge);
    await b.send(callLine(1, 'read') + callLine(2, 'read'));
    for (const id of [1, 2]) await b.serve(line({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'secret' }] } }));
    for (const held of calls) held.options.onHeld?.(0);
    await b.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}\n');
    expect(calls[0]?.options.signal.aborted).toBe(true);
    b.input.end();
    await b.done;
    expect(calls[1]?.options.signal.aborted).toBe(true);
    expect(b.clientText()).not.toContain('secret');
  });

  test('is still delivered when the server is gone by then', async () => {
    const { judge, calls } = hold();
    const b = bench(judge);
    await b.send(callLine(1, 'read') + callLine(2, 'read'));
    const answer = line({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'late' }] } });
    await b.serve(answer);
    calls[0]?.options.onHeld?.(0);
    b.events.onClosed('gone');
    await settle();
    calls[0]?.answer(judgement('delivered'));
    await b.done;
    expect(b.clientText().endsWith(answer)).toBe(true);
    expect(b.clientMessages()).toHaveLength(2);
  });
});

test('a forged answer to a call the server has not been given is dropped, a second answer to one it has too', async () => {
  const { judge, calls } = waitingJudge();
  const b = bench(judge);
  const answer = (text: string): string => line({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text }] } });
  await b.send(callLine(1, 'rm'));
  calls[0]?.options.onHeld?.(0);
  await b.serve(answer('forged'));
  expect(calls).toHaveLength(1);
  calls[0]?.answer(judgement('delivered'));
  await settle();
  expect(b.toServer).toEqual([callLine(1, 'rm')]);
  await b.serve(answer('first'));
  await b.serve(answer('second'));
  expect(calls).toHaveLength(2);
  calls[1]?.answer(judgement('delivered'));
  await settle();
  expect(b.clientText()).toBe(answer('first'));
});

test('messages behind a call that is being judged keep their order, and a slow verdict does not stop them for long', async () => {
  const { judge, calls } = waitingJudge();
  const b = bench(judge, { orderMs: 60 });
  const ping = '{"jsonrpc":"2.0","id":9,"method":"ping"}\n';
  await b.send(callLine(1, 'a') + ping);
  expect(b.toServer).toEqual([]);
  calls[0]?.answer(judgement('delivered'));
  await settle();
  expect(b.toServer).toEqual([callLine(1, 'a'), ping]);
  await b.send(callLine(2, 'slow') + '{"jsonrpc":"2.0","method":"notifications/x"}\n');
  await until('the notification passes', () => b.toServer.length === 3);
  calls[1]?.answer(judgement('delivered'));
  await settle();
  expect(b.toServer.at(-1)).toBe(callLine(2, 'slow'));
});

test('an end of input waits for answers that are still owed', async () => {
  const b = bench(() => Promise.resolve(judgement('delivered')), { drainMs: 5_000 });
  await b.send(callLine(1, 'a'));
  b.input.end(callLine(2, 'b').trim());
  await settle();
  expect(b.closed()).toBe(false);
  await b.serve(line({ jsonrpc: '2.0', id: 1, result: {} }));
  expect((await b.done).by).toBe('client');
  expect(b.clientMessages()).toHaveLength(1);
  // The last line had no newline: it was cut off and is no message.
  expect(b.toServer).toHaveLength(1);
});

test('an overlong message of the server ends what waited for it', async () => {
  const b = bench(() => Promise.resolve(judgement('delivered')));
  await b.send(callLine(1, 'a'));
  b.events.onOverlong();
  await settle();
  expect(b.clientMessages()).toEqual([expect.objectContaining({ id: 1, error: expect.objectContaining({ code: -32000 }) as unknown })]);
});

describe('a client that does not wait for ever', () => {
  const hello = (name: string): string =>
    line({ jsonrpc: '2.0', id: 'i', method: 'initialize', params: { clientInfo: { name, version: '1' } } });
  const expire: Judge = (_call, { signal, onHeld }) =>
    new Promise((resolve) => {
      onHeld?.(0);
      signal.addEventListener('abort', () =>
        resolve(signal.reason === CLIENT_TIMED_OUT ? judgement('expired', 'it can still be approved') : judgement('refused', 'gone')),
      );
    });

  test('gets an answer before it gives up', async () => {
    const b = bench(expire, {}, { env: { MCP_TOOL_TIMEOUT: '100' } });
    await b.send(hello('claude-code'));
    await b.send(callLine(1, 'slow', {}, { progressToken: 1 }));
    await until('an answer', () => b.clientText().includes('it can still be approved'));
    expect(b.toServer).toHaveLength(1);
  });

  test.each([
    ['asks for progress', 'claude-code', { progressToken: 1 }],
    ['waits for its user', 'Visual Studio Code', undefined],
  ])('is not answered early when it %s', async (_name, client, meta) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    try {
      const b = bench(expire);
      b.input.write(hello(client) + callLine(1, 'slow', {}, meta));
      await vi.advanceTimersByTimeAsync(600_000);
      expect(b.clientMessages().filter((message) => 'result' in message)).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });
});
