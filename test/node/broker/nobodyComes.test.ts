/** Connections that say nothing and windows that never come: neither keeps a broker's resources. */
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createWindowServer } from '#node/broker/windowServer.ts';
import { gateBox } from '../../home/gateBox.ts';
import { brokerBox } from './brokerBox.ts';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

const never = (): never => {
  throw new Error('nobody has been greeted');
};

test('a connection that does not greet is closed', async () => {
  const box = gateBox();
  const windows = createWindowServer({
    token: 'token',
    handlers: {
      ping: never,
      holds: never,
      approve: never,
      reject: never,
      grants: never,
      revoke: never,
      timeline: never,
      counts: never,
      verify: never,
      checkpoint: never,
      status: never,
      configure: never,
      errand: never,
      retire: never,
    },
    status: never,
    onWindows: never,
    greetingMs: 50,
  });
  const path = `${box.home}/window.sock`;
  open.push(windows.close, box.remove);
  await new Promise<void>((resolve) => windows.server.listen(path, resolve));
  const socket: Socket = connect({ path });
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve('closed')));
  socket.resume();
  expect(await closed).toBe('closed');
});

test('a broker started for a window that never joins ends by itself', async () => {
  const box = await brokerBox({ lifetime: 'windows', firstWindowMs: 50 });
  open.push(box.remove);
  await box.broker.ended;
  expect(box.log.filter((line) => line.includes('ends'))).toEqual(['The broker ends: no window is left.']);
});
