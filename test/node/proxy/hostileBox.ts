/** A scripted server behind the relay with the shipped rules and real pins, and a client that says what it is told to. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Judge } from '#contract/judgement.ts';
import { NO_POLICY } from '#core/policy/policy.ts';
import type { RelayEntry } from '#core/policy/relayPart.ts';
import { relayPolicyFor } from '#core/policy/relayPolicy.ts';
import { openLocalGate } from '#home/localGate.ts';
import { openPins } from '#home/pins.ts';
import { createDefinitionReview } from '#node/proxy/definitions/createReview.ts';
import { serverIdentity } from '#node/proxy/definitions/serverIdentity.ts';
import type { OpenUpstream } from '#node/proxy/transports/upstream.ts';
import { compiledRules } from '../../core/gateKit.ts';
import { sandbox } from '#kit/sandbox.ts';
import { bench, line, until, type Bench } from './harness.ts';

export interface HostileBox {
  /** A new connection of a client to the server of this name. */
  readonly connect: (server?: string, relay?: Partial<RelayEntry>, open?: OpenUpstream) => Connection;
  /** Lets time pass for the pins. */
  readonly later: (ms: number) => void;
  readonly remove: () => void;
}

export interface Connection extends Bench {
  /** Sends a request; the server answers with `answers`, which hear its id. Resolves when the client has an answer. */
  readonly ask: (method: string, params: unknown, ...answers: readonly ((id: number) => unknown)[]) => Promise<Record<string, unknown>>;
}

export const result =
  (value: unknown): ((id: number) => unknown) =>
  (id) => ({ jsonrpc: '2.0', id, result: value });

export function hostileBox(): HostileBox {
  const box = sandbox();
  const rulesFile = join(box.folder, 'rules.json');
  writeFileSync(rulesFile, JSON.stringify(compiledRules.json));
  const gate = openLocalGate({ layout: box.layout, rulesFile, warn: () => undefined });
  const pins = openPins(box.layout, () => undefined);
  let ahead = 0;
  const judge: Judge = (call, options) => Promise.resolve(gate.judge(call, 'refuse', options));

  return {
    connect: (server = 'files', relay = {}, open) => {
      const entry = { servers: [], results: null, maskSecrets: false, requireHook: false, giveKeys: [], ...relay };
      const user = { severity: {}, rules: [], experimental: 'report' as const, relay: [entry] };
      const policy = relayPolicyFor(server, { ...NO_POLICY, user });
      const made = bench(
        judge,
        {},
        {
          help: { policy: () => policy, findings: (call) => gate.engine.decide(call).findings },
          makeDefinitions: (tell) =>
            createDefinitionReview({
              identity: serverIdentity(server, { command: 'npx', args: [server] }),
              origin: { server, cwd: box.folder, session: '' },
              pins,
              decide: gate.engine.decide,
              record: () => null,
              now: () => Date.now() + ahead,
              tell,
              log: () => undefined,
              policy: () => policy.definitions,
              watchMs: 10,
            }),
          ...(open === undefined ? {} : { open }),
        },
      );
      let last = 0;
      return {
        ...made,
        ask: async (method, params, ...answers) => {
          const id = ++last;
          await made.send(line({ jsonrpc: '2.0', id, method, params }));
          for (const answer of answers) {
            const said = answer(id);
            await made.serve(typeof said === 'string' ? said : line(said));
          }
          return until(`an answer to ${method}`, () =>
            made.clientMessages().find((message) => message['id'] === id && !('method' in message)),
          );
        },
      };
    },
    later: (ms) => void (ahead += ms),
    remove: () => {
      pins.close();
      gate.close();
      box.remove();
    },
  };
}
