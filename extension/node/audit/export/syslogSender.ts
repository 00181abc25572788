/**
 * Syslog over UDP (RFC 5426), TCP with octet counting (RFC 6587 3.4.1) and TLS (RFC 5425). Syslog has no acknowledgement:
 * "taken" means handed to the system's network stack, and a batch that a broken connection may have lost is sent again.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect as connectTcp, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { errorText } from '#home/privateFile.ts';
import type { TlsFiles } from '#node/audit/export/otlpSender.ts';
import type { Sender, SendResult } from '#node/audit/export/ship.ts';

export interface SyslogTarget {
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles;
  readonly timeoutMs: number;
}

export function syslogSender(target: SyslogTarget): Sender {
  return target.transport === 'udp' ? udpSender(target) : streamSender(target);
}

const taken: SendResult = { kind: 'taken', refused: 0, message: '' };

function udpSender({ host, port }: SyslogTarget): Sender {
  let socket: UdpSocket | null = null;
  const open = (): UdpSocket => {
    if (socket === null) {
      socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
      // A late "port unreachable" belongs to no send; the next one meets the same trouble.
      socket.on('error', () => undefined);
    }
    return socket;
  };
  return {
    async send(messages) {
      for (const message of messages) {
        const error = await new Promise<Error | null>((resolve) => open().send(Buffer.from(message), port, host, resolve));
        if (error !== null) return { kind: 'retry', wait: null, message: `${host}:${port} could not be sent to (${error.message})` };
      }
      return taken;
    },
    close: () => new Promise((resolve) => (socket === null ? resolve() : socket.close(() => resolve()))),
  };
}

function streamSender(target: SyslogTarget): Sender {
  const where = `${target.host}:${target.port}`;
  let socket: Socket | null = null;

  const connect = (): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const { host, port, tls } = target;
      const secure = target.transport === 'tls';
      const made: Socket = secure ? connectTls({ host, port, ...tls, minVersion: 'TLSv1.2' }) : connectTcp({ host, port });
      const timer = setTimeout(() => made.destroy(new Error(`no connection within ${target.timeoutMs} ms`)), target.timeoutMs);
      made.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      made.once(secure ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer);
        resolve(made);
      });
      // Receivers have nothing to say; read so that the end of the connection is noticed.
      made.resume();
      made.once('close', () => {
        if (socket === made) socket = null;
      });
    });

  const write = (to: Socket, bytes: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => to.destroy(new Error(`nothing was taken for ${target.timeoutMs} ms`)), target.timeoutMs);
      const settle = (error: Error | null | undefined): void => {
        clearTimeout(timer);
        to.off('close', onClose);
        to.off('error', settle);
        if (error) reject(error);
        else resolve();
      };
      const onClose = (): void => settle(new Error('the connection was closed'));
      to.once('close', onClose);
      to.once('error', settle);
      to.write(bytes, settle);
    });

  return {
    async send(messages, signal) {
      const stop = (): void => void socket?.destroy();
      signal.addEventListener('abort', stop, { once: true });
      try {
        socket ??= await connect();
        await write(socket, Buffer.concat(messages.map(octetCounted)));
        return taken;
      } catch (error) {
        socket?.destroy();
        socket = null;
        return { kind: 'retry', wait: null, message: `${where} could not be reached (${errorText(error)})` };
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
    close: () =>
      new Promise((resolve) => {
        if (socket === null) return resolve();
        // Ended, not destroyed: what is on its way must arrive.
        const timer = setTimeout(() => socket?.destroy(), target.timeoutMs);
        socket.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
        socket.end();
      }),
  };
}

/** `MSG-LEN SP SYSLOG-MSG`: the length in bytes, so that a message may hold anything. */
export function octetCounted(message: string): Buffer {
  const bytes = Buffer.from(message);
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes]);
}
