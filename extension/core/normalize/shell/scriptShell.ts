/** The shell a script from a file runs in, and what becomes of its bounds: a long script is told of, but is no trouble of the call. */
import type { Collector } from '#core/normalize/collector.ts';
import type { Place } from '#core/normalize/fields.ts';
import type { ShellState } from '#core/normalize/shell/syntax.ts';

export function scriptShell(outer: ShellState, sourced: boolean): ShellState {
  if (sourced) return { ...outer, form: 'file', troubles: new Set() };
  return {
    ...outer,
    variables: new Map(outer.variables),
    arrays: new Map(),
    references: new Map(),
    functions: new Map(),
    aliases: new Map(),
    origins: new Map(),
    calling: new Set(),
    separators: '',
    form: 'file',
    troubles: new Set(),
  };
}

/** What the script used up is used up; what it could not be read for is noted with the place that runs it. */
export function settle(outer: ShellState, inner: ShellState, place: Place, collector: Collector, path: string): void {
  outer.units = inner.units;
  outer.output = inner.output;
  outer.spare = inner.spare;
  outer.calls = inner.calls;
  outer.scopes = inner.scopes;
  // A script may use up the commands of a call; the call's own are then still read.
  outer.commands = Math.max(inner.commands, Math.min(outer.commands, 500));
  const troubles = [...inner.troubles].filter((trouble) => trouble !== 'unterminated');
  if (troubles.length > 0)
    noteCut(collector, place, path, troubles.join(', '), troubles.every((trouble) => trouble === 'too-many-calls') ? 'low' : 'medium');
}

export function noteCut(collector: Collector, place: Place, path: string, why: string, severity: 'low' | 'medium'): void {
  collector.note({
    ...place,
    rule: 'engine.script-cut',
    title: 'A script that could be read only in part',
    category: 'encoding',
    severity,
    confidence: 'medium',
    matched: `${path}: ${why}`.slice(0, 300),
    rationale:
      'The command runs a file that is longer, or does more, than is read of it before a call. What lies beyond was not looked at.',
  });
}
