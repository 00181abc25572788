/** A server's answers reviewed for one or several clients over one user's pins, by the test rules. */
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { ServerPins } from '#contract/definitions.ts';
import type { Hold } from '#contract/ipc.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { JsonObject, JsonValue } from '#core/model/json.ts';
import type { Decision } from '#core/model/verdict.ts';
import { openEngine } from '#home/engine.ts';
import { approveHold, definitionHolds, rejectHold, shownHold } from '#home/pinDecisions.ts';
import { openPins, type PinStore } from '#home/pins.ts';
import type { DefinitionReview, Review } from '#node/proxy/definitions/definitionReview.ts';
import type { DefinitionPolicy } from '#core/policy/relayPart.ts';
import { createDefinitionReview } from '#node/proxy/definitions/createReview.ts';
import { serverIdentity, type ServerSource } from '#node/proxy/definitions/serverIdentity.ts';
import { gateBox, type GateBox } from '../../../home/gateBox.ts';

export const tool = (name: string, description = `Does ${name}.`, more: JsonObject = {}): JsonObject => ({
  name,
  description,
  inputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  ...more,
});

export interface Client extends DefinitionReview {
  /** Lists and gives the names that the client gets to see. */
  readonly tools: (...tools: readonly JsonValue[]) => Promise<readonly string[]>;
  readonly list: (method: string, result: JsonObject, params?: JsonObject) => Promise<Review>;
  /** Notifications the client got. */
  readonly told: string[];
}

export interface ReviewBox extends GateBox {
  readonly pins: PinStore;
  readonly records: AuditEvent[];
  readonly log: string[];
  /** How often the gate was asked. */
  readonly asked: () => number;
  readonly client: (
    server?: string,
    about?: { source?: ServerSource; cwd?: string; policy?: DefinitionPolicy; now?: () => number },
  ) => Client;
  readonly holds: () => readonly Hold[];
  readonly approve: (id: string) => boolean;
  readonly reject: (id: string) => boolean;
}

export function reviewBox(decide?: (call: ToolCall) => Decision): ReviewBox {
  const box = gateBox();
  const records: AuditEvent[] = [];
  const log: string[] = [];
  const warn = (line: string): void => void log.push(line);
  const pins = openPins(box.layout, warn);
  const judge = decide ?? openEngine(box.layout, box.rulesFile).decide;
  let asked = 0;
  const clients: Client[] = [];

  const client: ReviewBox['client'] = (
    server = 'files',
    { source = { command: 'npx', args: ['-y', `${server}-server`] }, cwd = box.folder, ...more } = {},
  ) => {
    const told: string[] = [];
    const { policy, now } = more;
    const review = createDefinitionReview({
      identity: serverIdentity(server, source),
      origin: { server, cwd, session: 's1' },
      pins,
      decide: (call) => {
        asked++;
        return judge(call);
      },
      record: (event) => {
        records.push(event);
        return null;
      },
      tell: (notification) => told.push(String(notification['method'])),
      log: warn,
      watchMs: 10,
      ...(policy === undefined ? {} : { policy: () => policy }),
      ...(now === undefined ? {} : { now }),
    });
    const list: Client['list'] = (method, result, params = {}) => review.review(method, params, result);
    const made: Client = {
      ...review,
      list,
      told,
      tools: async (...tools) => {
        const seen = await list('tools/list', { tools });
        return namesIn(seen, tools);
      },
    };
    clients.push(made);
    return made;
  };
  const decideHold = (edit: typeof approveHold, id: string): boolean =>
    pins.list().some((server) => {
      let done: ServerPins | null = null;
      pins.change(server.id, (now) => (done = edit(now, id, 1)));
      return done !== null;
    });
  return {
    ...box,
    pins,
    records,
    log,
    asked: () => asked,
    client,
    holds: () => pins.list().flatMap(definitionHolds).map(shownHold),
    approve: (id) => decideHold(approveHold, id),
    reject: (id) => decideHold(rejectHold, id),
  };
}

export function namesIn(review: Review, sent: readonly JsonValue[], key = 'tools'): readonly string[] {
  if (review.kind === 'refused') throw new Error(review.reason);
  const list = review.kind === 'same' ? sent : (review.result[key] as readonly JsonObject[]);
  return list.map((entry) => String((entry as JsonObject)['name'] ?? (entry as JsonObject)['uri']));
}
