/** Reads what the extension sends. The frame's message event carries anything, so the outer shape is checked first. */
import type { ToPanel } from '#contract/panel.ts';

type Shape = Readonly<Record<string, (value: unknown) => boolean>>;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): boolean => typeof value === 'string';

const SHAPES: Readonly<Record<ToPanel['type'], Shape>> = {
  connection: { state: (value) => value === 'starting' || value === 'connected' || value === 'lost', message: isText },
  status: { status: isRecord },
  holds: {
    holds: (value) => Array.isArray(value) && value.every((hold) => isRecord(hold) && isRecord(hold['call']) && isRecord(hold['decision'])),
  },
  timeline: { query: isRecord, page: (value) => isRecord(value) && Array.isArray(value['entries']) },
  entry: { entry: isRecord },
  grants: { grants: Array.isArray },
  protectables: { items: Array.isArray },
  failed: { what: isText, message: isText },
};

export function parseToPanel(data: unknown): ToPanel | null {
  if (!isRecord(data) || typeof data['type'] !== 'string' || !Object.hasOwn(SHAPES, data['type'])) return null;
  const shape = SHAPES[data['type'] as ToPanel['type']];
  return Object.entries(shape).every(([field, fits]) => fits(data[field])) ? (data as unknown as ToPanel) : null;
}
