import { expect, test } from 'vitest';
import { CLIENT_TIMED_OUT } from '#contract/judgement.ts';
import { HELD, shellCall } from '../../home/gateBox.ts';
import { brokerBox, held, openWindow, until } from './brokerBox.ts';

test.each([
  [CLIENT_TIMED_OUT, 'expired', 'delivered'],
  [undefined, 'cancelled', null],
] as const)('a call given up with %j is %s; what an approval after that does to its next try', async (reason, state, next) => {
  const box = await brokerBox();
  const window = await openWindow(box);
  try {
    const call = { ...shellCall(HELD), client: 'mcp' as const };
    const gone = new AbortController();
    const first = box.broker.judge(call, { signal: gone.signal });
    const { id } = await held(window);
    gone.abort(reason);
    expect((await first).outcome).not.toBe('delivered');
    await until('the news', () => window.holds.some((hold) => hold.state === state));
    const approved = window.request('approve', { id, scope: 'once', note: '' });
    if (next === null) {
      await expect(approved).rejects.toMatchObject({ code: 'ALREADY_SETTLED' });
      return;
    }
    await approved;
    expect(await box.broker.judge(call, { signal: new AbortController().signal })).toMatchObject({ outcome: next, by: 'grant' });
  } finally {
    window.close();
    await box.broker.stop();
    box.remove();
  }
});
