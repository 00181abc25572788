/**
 * How the entries of one session read as a story: which of them are about the same call, who was at work, and which call
 * came after a result that tried to give the agent orders. The same for `callgate audit session` and the panel.
 */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { JsonValue } from '#core/model/json.ts';
import { isObject } from '#core/model/json.ts';

/** One call from its asking to its result, or something else that happened. */
export type SessionStep =
  | {
      readonly kind: 'call';
      /** The first entry about it: its decision, or its result where no decision is known. */
      readonly first: AuditEntry;
      /** Null when only a result is there. */
      readonly call: AuditEntry | null;
      /** How it was settled, when it was held. */
      readonly ends: readonly AuditEntry[];
      /** What came back, first to last; a result that was held has its own ends above. */
      readonly responses: readonly AuditEntry[];
      /** The result that tried to give orders before this call, if the call is suspicious. */
      readonly after: AuditEntry | null;
    }
  | { readonly kind: 'prompt' | 'session' | 'other'; readonly first: AuditEntry };

export interface SessionLine {
  readonly step: SessionStep;
  /** 0: the main agent; 1: a subagent of it. */
  readonly depth: 0 | 1;
}

/** Categories of findings in a result that may be what made an agent do what it did next. */
const STEERING: ReadonlySet<string> = new Set([
  'prompt-injection',
  'indirect-injection',
  'tool-poisoning',
  'memory-poisoning',
  'inter-agent',
  'mcp-attack',
  'third-party-content',
]);

export const isSteering = (entry: AuditEntry): boolean =>
  entry.channel === 'response' && entry.findings.some(({ category, severity }) => STEERING.has(category) && severity !== 'low');

const isSuspicious = (entry: AuditEntry): boolean => entry.verdict === 'quarantine' || entry.verdict === 'block';

/** Entries in the order of the record, of one session. */
export function sessionLines(entries: readonly AuditEntry[]): readonly SessionLine[] {
  interface Call {
    readonly kind: 'call';
    readonly first: AuditEntry;
    call: AuditEntry | null;
    readonly ends: AuditEntry[];
    readonly responses: AuditEntry[];
    after: AuditEntry | null;
  }
  const steps: (Call | Extract<SessionStep, { kind: 'prompt' | 'session' | 'other' }>)[] = [];
  const byId = new Map<string, Call>();
  const byUse = new Map<string, Call>();
  /** The last result that gave orders, by agent: a subagent's results are not what its parent has read. */
  const steered = new Map<string, AuditEntry>();
  for (const entry of entries) {
    switch (entry.kind) {
      case 'call':
      case 'hold':
      case 'response': {
        const use = entry.useId === null ? null : `${entry.agent}\n${entry.useId}`;
        // Hook and relay join by the correlation id; a result whose call was long forgotten by the client's own.
        let step = byId.get(entry.call) ?? (entry.kind === 'call' || use === null ? undefined : byUse.get(use));
        if (step === undefined) {
          step = { kind: 'call', first: entry, call: null, ends: [], responses: [], after: null };
          steps.push(step);
        }
        byId.set(entry.call, step);
        if (use !== null && !byUse.has(use)) byUse.set(use, step);
        const isResult = entry.kind === 'response' || (entry.kind === 'call' && entry.channel === 'response');
        if (entry.kind === 'hold') step.ends.push(entry);
        else if (isResult) step.responses.push(entry);
        else if (step.call === null) {
          step.call = entry;
          step.after = isSuspicious(entry) ? (steered.get(entry.agent) ?? null) : null;
        } else step.ends.push(entry);
        if (isResult && isSteering(entry)) steered.set(entry.agent, entry);
        break;
      }
      case 'prompt':
      case 'session':
        // A person's new words are a new reason for what follows.
        if (entry.kind === 'prompt') steered.delete(entry.agent);
        steps.push({ kind: entry.kind, first: entry });
        break;
      case 'grant':
      case 'config':
      case 'broker':
      case 'journal':
        steps.push({ kind: 'other', first: entry });
    }
  }
  return steps.map((step) => ({ step, depth: step.first.parent === null ? 0 : 1 }));
}

/** How long a person (or nobody) took, in milliseconds; null where nothing waited. */
export function waitedMs(ends: readonly AuditEntry[]): number | null {
  const end = ends.find(({ kind }) => kind === 'hold');
  return end === undefined ? null : end.tookMs;
}

export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** Who settled a call, for people. */
export const DECIDERS: Readonly<Record<AuditEntry['by'], string>> = {
  gate: 'the gate',
  person: 'a person',
  grant: 'an earlier approval',
  timeout: 'the time limit',
  failure: 'a failure',
  client: 'the client',
};

/** How a call was settled, in a few words. */
export function outcomeText(entry: AuditEntry): string {
  switch (entry.outcome) {
    case 'delivered':
      return entry.by === 'person' ? 'approved by a person' : entry.by === 'gate' ? 'let through' : `let through by ${DECIDERS[entry.by]}`;
    case 'refused':
      return entry.by === 'person' ? 'rejected by a person' : `refused by ${DECIDERS[entry.by]}`;
    case 'asked':
      return 'left to the client’s own prompt';
    case 'held':
      return 'held for a person';
    case 'expired':
      return 'refused: nobody answered';
  }
}

/** What a prompt or a session's beginning or end says. */
export function happenedText(entry: AuditEntry): string {
  const args: JsonValue = entry.args;
  const field = (name: string): string => (isObject(args) && typeof args[name] === 'string' ? args[name] : '');
  if (isObject(args) && typeof args['cut'] === 'string') return args['cut'];
  if (entry.kind === 'prompt') return field('prompt');
  if (entry.kind !== 'session') return entry.reason;
  const words: Readonly<Record<string, string>> = {
    begin: ['The session began', field('source'), field('model')].filter((part) => part !== '').join(', '),
    end: ['The session ended', field('reason')].filter((part) => part !== '').join(', '),
    'turn-end': field('said') === '' ? 'The agent finished its turn' : `The agent answered: ${field('said')}`,
    'agent-begin': `Subagent ${field('agentType')} began`,
    'agent-end':
      field('said') === '' ? `Subagent ${field('agentType')} ended` : `Subagent ${field('agentType')} answered: ${field('said')}`,
  };
  return words[field('step')] ?? 'The session changed';
}

/** The text of a result that people look for first: what was printed, returned or reported as an error. */
export function resultText(entry: AuditEntry): string {
  const { args } = entry;
  if (typeof args === 'string') return args;
  if (!isObject(args)) return JSON.stringify(args);
  const texts = ['error', 'stdout', 'stderr', 'result', 'content', 'cut'].flatMap((name) => {
    const value = args[name];
    if (Array.isArray(value))
      return value.map((block: JsonValue) =>
        isObject(block) && typeof block['text'] === 'string' ? block['text'] : JSON.stringify(block),
      );
    return typeof value === 'string' ? (value === '' ? [] : [value]) : value === undefined || value === null ? [] : [JSON.stringify(value)];
  });
  return texts.length > 0 ? texts.join('\n') : JSON.stringify(args);
}
