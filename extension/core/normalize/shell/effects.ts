/** What a command does beside touching files: sends, fetches, installs, escalates. Sources: the programs' manual pages. */
import type { EffectKind } from '#core/detect/rulePack.ts';
import type { CommandField } from '#core/normalize/fields.ts';
import { escalations } from '#core/normalize/shell/escalations.ts';
import { installs } from '#core/normalize/shell/installs.ts';
import { transfers } from '#core/normalize/shell/transfers.ts';

export interface Effect {
  readonly effect: EffectKind;
  readonly target: string;
}

const MAX_TARGET = 300;

/** The effects of one command by itself. */
export function effectsOf(command: CommandField): readonly Effect[] {
  if (command.words.length < 2 && command.redirects.length === 0) return [];
  const found: Effect[] = [
    ...transfers(command),
    ...installs(command).map((target): Effect => ({ effect: 'install', target })),
    ...escalations(command).map((target): Effect => ({ effect: 'escalate', target })),
  ];
  return found.map((one) => (one.target.length > MAX_TARGET ? { ...one, target: one.target.slice(0, MAX_TARGET) } : one));
}
