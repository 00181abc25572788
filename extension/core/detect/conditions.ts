/** Tells whether a parsed field meets a condition of a rule. Regexes are compiled when first tried, then kept. */
import { holdsAny } from '#core/detect/guards.ts';
import type { CommandCondition, EffectCondition, PathCondition, UrlCondition } from '#core/detect/rulePack.ts';
import type { CommandField, EffectField, PathField, UrlField } from '#core/normalize/fields.ts';

/** Compiled regexes of one pack, by flags and then by source; and what is known of some before they are. */
export interface RegexCache {
  readonly compiled: Map<string, Map<string, RegExp>>;
  readonly guards: Map<string, readonly string[]>;
  readonly programs: Map<CommandCondition, Programs>;
  /** Which commands of the call at hand, joined by pipes to others, meet a condition: each may be joined to dozens. */
  readonly piped: Map<CommandCondition, Map<CommandField, boolean>>;
}

/** Names of `CommandCondition.program`, as they are looked up. */
interface Programs {
  readonly whole: ReadonlySet<string>;
  readonly starts: readonly string[];
}

export const newRegexCache = (): RegexCache => ({ compiled: new Map(), guards: new Map(), programs: new Map(), piped: new Map() });

export function compiled(cache: RegexCache, source: string, flags: string): RegExp {
  let bySource = cache.compiled.get(flags);
  if (!bySource) cache.compiled.set(flags, (bySource = new Map()));
  let regex = bySource.get(source);
  if (!regex) bySource.set(source, (regex = new RegExp(source, flags)));
  return regex;
}

/** A regex is not compiled for a text that lacks its words. */
function matches(cache: RegexCache, source: string, flags: string, text: string): boolean {
  const regex = cache.compiled.get(flags)?.get(source);
  if (regex === undefined) {
    const words = cache.guards.get(source);
    if (words !== undefined && !holdsAny(words, text)) return false;
  }
  return (regex ?? compiled(cache, source, flags)).test(text);
}

const test = (cache: RegexCache, source: string | null, text: string): boolean => source === null || matches(cache, source, 'u', text);
const some = (cache: RegexCache, source: string | null, texts: readonly string[]): boolean =>
  source === null || texts.some((text) => matches(cache, source, 'u', text));

/** The first `most` of the commands that meet a condition, in their order. */
export function commandsThatMeet(
  cache: RegexCache,
  condition: CommandCondition,
  commands: readonly CommandField[],
  most: number,
): readonly CommandField[] {
  const out: CommandField[] = [];
  const programs = programsOf(cache, condition);
  for (const command of commands) {
    if (programs !== null && !isOneOf(programs, command.program)) continue;
    if (meetsButProgram(cache, condition, command) && out.push(command) >= most) break;
  }
  return out;
}

export function meetsCommand(cache: RegexCache, condition: CommandCondition, command: CommandField): boolean {
  const programs = programsOf(cache, condition);
  return (programs === null || isOneOf(programs, command.program)) && meetsButProgram(cache, condition, command);
}

function meetsButProgram(cache: RegexCache, condition: CommandCondition, command: CommandField): boolean {
  if (condition.subcommand.length > 0) {
    const line = command.operands.join(' ');
    // Where case does not count in file names, `GIT CHECKOUT` runs `git-checkout`.
    const lower = line.toLowerCase();
    const begins = (text: string, sub: string): boolean => text === sub || text.startsWith(`${sub} `);
    if (!condition.subcommand.some((sub) => begins(line, sub) || begins(lower, sub))) return false;
  }
  for (const alternatives of condition.flags) if (!alternatives.split('|').some((flag) => command.flags.has(flag))) return false;
  // Lines ask for something fixed; operands may be long lists of names, which take longest to compile.
  if (!test(cache, condition.line, condition.line === null ? '' : command.words.join(' '))) return false;
  if (!some(cache, condition.operand, command.operands)) return false;
  if (!some(cache, condition.argument, command.words.slice(1))) return false;
  if (!some(cache, condition.stdin, command.stdin)) return false;
  if (!some(cache, condition.assigns, command.assigns)) return false;
  const { path, url, pipedFrom, pipedTo, not } = condition;
  if (path && !command.paths.some((item) => meetsPath(cache, path, item))) return false;
  if (url && !command.urls.some((item) => meetsUrl(cache, url, item))) return false;
  if (pipedFrom && !anyMeets(cache, pipedFrom, command.from)) return false;
  if (pipedTo && !anyMeets(cache, pipedTo, command.to)) return false;
  return !(not && meetsCommand(cache, not, command));
}

function anyMeets(cache: RegexCache, condition: CommandCondition, commands: readonly CommandField[]): boolean {
  if (commands.length === 0) return false;
  let known = cache.piped.get(condition);
  if (!known) cache.piped.set(condition, (known = new Map()));
  for (const command of commands) {
    let meets = known.get(command);
    if (meets === undefined) known.set(command, (meets = meetsCommand(cache, condition, command)));
    if (meets) return true;
  }
  return false;
}

/** Null: any program. */
function programsOf(cache: RegexCache, condition: CommandCondition): Programs | null {
  if (condition.program.length === 0) return null;
  let programs = cache.programs.get(condition);
  if (!programs) {
    const starts = condition.program.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
    programs = { whole: new Set(condition.program.filter((name) => !name.endsWith('*'))), starts };
    cache.programs.set(condition, programs);
  }
  return programs;
}

const isOneOf = ({ whole, starts }: Programs, program: string): boolean =>
  whole.has(program) || starts.some((start) => program.startsWith(start));

export function meetsPath(cache: RegexCache, condition: PathCondition, path: PathField): boolean {
  if (condition.access.length > 0 && !condition.access.includes(path.access)) return false;
  if (condition.trait !== undefined && !condition.trait.some((trait) => path.traits.has(trait))) return false;
  if (condition.without?.some((trait) => path.traits.has(trait)) === true) return false;
  return matches(cache, condition.regex, 'iu', path.text) && !(condition.not !== null && matches(cache, condition.not, 'iu', path.text));
}

export function meetsUrl(cache: RegexCache, condition: UrlCondition, url: UrlField): boolean {
  if (condition.scheme.length > 0 && !condition.scheme.includes(url.scheme)) return false;
  if (condition.host.length > 0 && !condition.host.some((name) => hostMatches(name, url.host))) return false;
  if (condition.hostKind.length > 0 && !condition.hostKind.some((kind) => url.kinds.has(kind))) return false;
  if (!test(cache, condition.port ?? null, url.port)) return false;
  return test(cache, condition.path, url.path) && test(cache, condition.query, url.query) && test(cache, condition.userinfo, url.userinfo);
}

export function meetsEffect(cache: RegexCache, condition: EffectCondition, effect: EffectField): boolean {
  return condition.effect.includes(effect.effect) && test(cache, condition.target, effect.target);
}

function hostMatches(wanted: string, host: string): boolean {
  if (!wanted.startsWith('*.')) return wanted === host;
  return host === wanted.slice(2) || host.endsWith(wanted.slice(1));
}
