/** Reads the panel's messages. The page shows hostile text, so what comes from it is checked like any other input. */
import type { GrantScope, TimelineQuery } from '#contract/ipc.ts';
import type { FromPanel } from '#contract/panel.ts';
import { VERDICTS } from '#core/model/verdict.ts';
import { PANEL_COMMANDS } from './commandIds.ts';

const MAX_ID = 400;
const MAX_NOTE = 1000;
const MAX_TEXT = 200;
const MAX_PAGE = 500;
const SCOPES: readonly GrantScope[] = ['once', 'session', 'always'];

type Message = Readonly<Record<string, unknown>>;

const isMessage = (value: unknown): value is Message => typeof value === 'object' && value !== null && !Array.isArray(value);
const boundedText = (value: unknown, most: number): string | null => (typeof value === 'string' && value.length <= most ? value : null);
const oneOf = <T extends string>(allowed: readonly T[], value: unknown): T | null => allowed.find((one) => one === value) ?? null;

function idOf(message: Message): string | null {
  const id = boundedText(message['id'], MAX_ID);
  return id === '' ? null : id;
}

/** The query with only the fields the wire knows; null when one of them is wrong. */
export function parseQuery(value: unknown): TimelineQuery | null {
  if (!isMessage(value)) return null;
  const { limit, before } = value;
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) return null;
  if (before !== undefined && (typeof before !== 'number' || !Number.isSafeInteger(before) || before < 0)) return null;
  const verdict = value['verdict'] === undefined ? undefined : oneOf(VERDICTS, value['verdict']);
  const texts = ['agent', 'tool', 'session', 'text'].map(
    (name) => [name, value[name] === undefined ? undefined : boundedText(value[name], MAX_TEXT)] as const,
  );
  const times = ['since', 'until'].map((name) => [name, value[name]] as const).filter(([, time]) => time !== undefined);
  if (!times.every(([, time]) => typeof time === 'number' && Number.isSafeInteger(time))) return null;
  if (verdict === null || texts.some(([, text]) => text === null)) return null;
  return {
    limit,
    ...(before === undefined ? {} : { before }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(Object.fromEntries(times) as Pick<TimelineQuery, 'since' | 'until'>),
    ...Object.fromEntries(texts.filter(([, text]) => text !== undefined)),
  };
}

/** The message, rebuilt from its known fields; null when it is none of ours. */
export function parseFromPanel(value: unknown): FromPanel | null {
  if (!isMessage(value)) return null;
  const id = idOf(value);
  const note = boundedText(value['note'], MAX_NOTE);
  switch (value['type']) {
    case 'ready':
      return { type: 'ready' };
    case 'approve': {
      const scope = oneOf(SCOPES, value['scope']);
      return id === null || note === null || scope === null ? null : { type: 'approve', id, scope, note };
    }
    case 'reject':
      return id === null || note === null ? null : { type: 'reject', id, note };
    case 'timeline': {
      const query = parseQuery(value['query']);
      return query && { type: 'timeline', query };
    }
    case 'revoke':
      return id === null ? null : { type: 'revoke', id };
    case 'protect':
      return id === null ? null : { type: 'protect', id };
    case 'unprotect':
      return id === null ? null : { type: 'unprotect', id };
    case 'command': {
      const command = oneOf(PANEL_COMMANDS, value['command']);
      return command && { type: 'command', command };
    }
    default:
      return null;
  }
}
