/** A broker in this process over a sandbox, its hooks and windows. */
import { mkdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { formatReply, parseReply, type HookReply } from '#contract/hookReply.ts';
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { EventName, Events, GateSettings, Hold } from '#contract/ipc.ts';
import { writeSettings } from '#home/settings.ts';
import { startBroker } from '#node/broker/broker.ts';
import type { Broker, BrokerOptions } from '#node/broker/brokerOptions.ts';
import { connectBroker, type BrokerConnection } from '#node/broker/windowClient.ts';
import { gateBox, type GateBox } from '../../home/gateBox.ts';

export interface BrokerBox extends GateBox {
  readonly broker: Broker;
  readonly log: readonly string[];
}

export async function brokerBox(
  over: Partial<BrokerOptions> = {},
  settings: Partial<GateSettings> = {},
  box: GateBox = gateBox(),
): Promise<BrokerBox> {
  const log: string[] = [];
  mkdirSync(box.layout.root, { recursive: true, mode: 0o700 });
  writeSettings(box.layout, { holdSeconds: 60, onJournalFailure: 'deny', recordConversation: true, ...settings });
  const broker = await startBroker({
    layout: box.layout,
    version: '1.0.0',
    rulesFile: box.rulesFile,
    openIndex: () => ({
      catchUp: async () => undefined,
      query: () => ({ entries: [], next: null, indexing: false }),
      counts: () => [],
      close: () => undefined,
    }),
    checkpoint: async () => ({ newest: null, problem: null }),
    upkeep: async () => '',
    verify: async () => ({ ok: true, entries: 0, unsigned: 0, problem: null }),
    log: (line) => log.push(line),
    lifetime: 'until-stopped',
    graceMs: 300,
    ...over,
  });
  return { ...box, broker, log };
}

/** Polls until `look` gives something. */
export async function until<T>(
  what: string,
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  deadlineMs = 8000,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface Asked {
  readonly socket: Socket;
  /** Everything the broker said, heartbeats too. */
  readonly text: Promise<string>;
  /** Null when what it said is no whole reply. */
  readonly reply: Promise<HookReply | null>;
}

/** What a hook's asker does. */
export function ask(path: string, payload: string | Buffer): Asked {
  const socket = connect({ path, allowHalfOpen: true });
  const text = new Promise<string>((resolve) => {
    let got = '';
    socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(got));
    socket.on('end', () => socket.destroy());
  });
  socket.end(payload);
  return { socket, text, reply: text.then(parseReply) };
}

export interface Window extends BrokerConnection {
  readonly holds: Hold[];
  readonly entries: AuditEntry[];
  readonly ended: Promise<string>;
}

export async function openWindow(box: GateBox, version = '1.0.0'): Promise<Window> {
  const holds: Hold[] = [];
  const entries: AuditEntry[] = [];
  let end: (reason: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => (end = resolve));
  const onEvent = <N extends EventName>(event: N, data: Events[N]): void => {
    if (event === 'hold') holds.push(data as Hold);
    if (event === 'entry') entries.push(data as AuditEntry);
  };
  const connection = await connectBroker(box.layout, { version, onEvent, onClose: end });
  return { ...connection, holds, entries, ended };
}

export const held = (window: Window): Promise<Hold> => until('a hold', () => window.holds.findLast((hold) => hold.state === 'waiting'));
export const PASS = formatReply({ kind: 'pass' });
