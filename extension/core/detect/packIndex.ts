/**
 * What the matcher has to know of a pack before it knows a call: which words, programs and kinds make which rule worth
 * trying. Made at build time; a hook reads it instead of the rules, and then only the rules it needs.
 */
import { gateOf, type Gate } from '#core/detect/gates.ts';
import { foldable, foldedWord } from '#core/detect/letters.ts';
import { wordsOf } from '#core/detect/guards.ts';
import { literalSets, literalsOf, oftenOf, wordOf, worth, type Literals } from '#core/detect/literals.ts';
import { CHANNELS } from '#core/model/call.ts';
import {
  FIELD_NAMES,
  type CommandCondition,
  type Condition,
  type PathCondition,
  type RegexCondition,
  type Rule,
  type UrlCondition,
} from '#core/detect/rulePack.ts';
import { buildTable, type WordTable } from '#core/detect/scan.ts';
import { newTableWords } from '#core/detect/tableWords.ts';

/** Where a word is looked for: the text fields by their place in `FIELD_NAMES`, then these. Each is one bit of a mask; the channels are the next bits. */
export const DOMAINS = [...FIELD_NAMES, '#path', '#host', '#url-path', '#query', '#userinfo', '#line', '#stdin', '#assign'] as const;
export type Domain = (typeof DOMAINS)[number];
export const domainBit = (domain: Domain): number => 1 << DOMAINS.indexOf(domain);
export const CHANNEL_SHIFT = DOMAINS.length;
/** Finding a word of such a probe makes its rule a candidate. */
export const TRIGGER = 1 << 30;

/** Lists are of rule numbers, unless they say otherwise. */
export interface PackIndex {
  /** Bits in the order of `CHANNELS`; 0: the rule is never tried. By rule. */
  readonly channels: readonly number[];
  /** Probes of a rule's regex conditions, in the order of `regexesOf`. By rule. */
  readonly leaves: readonly (readonly number[])[];
  /** Words that are looked for in texts, and in everything else; their owners are probes. */
  readonly texts: WordTable;
  readonly others: WordTable;
  /**
   * Four numbers a probe: rule, or -1 for one that only keeps others company · mask of domains and channels, perhaps with TRIGGER ·
   * `least` and `most` of `Literals`. `most` is -1 where that does not help to find the match.
   */
  readonly probes: readonly number[];
  /** By probe: others that must be found in the same text, each with how far after a word of this one theirs stand, at least and at most. Absent: none. */
  readonly companions: { readonly [probe: number]: readonly number[] };
  /** By probe: what its texts must look like. Absent: anything will do. */
  readonly gates: { readonly [probe: number]: Gate };
  /** Probes without words: found in every text of their fields that looks right. */
  readonly wordless: readonly number[];
  /**
   * For each program `SEPARATOR <name> SEPARATOR`, and after a space each `<rule>[.<needs>]`: the rules it makes worth trying, and where
   * in `needs` the words start of which the command must hold one for that (lower case, a separator after each, two after the last).
   * As text, because an object of so many names takes a hook longer to read than all the rest.
   */
  readonly programs: string;
  readonly needs: string;
  readonly programPrefixes: readonly (readonly [prefix: string, rule: number])[];
  readonly hostKinds: { readonly [kind: string]: readonly number[] };
  readonly schemes: { readonly [scheme: string]: readonly number[] };
  readonly effects: { readonly [kind: string]: readonly number[] };
  readonly traits: { readonly [kind: string]: readonly number[] };
  /** Rules that are tried whenever there is a command, path or address at all. */
  readonly always: {
    readonly commands: readonly number[];
    readonly paths: readonly number[];
    readonly urls: readonly number[];
  };
}

/** Stands in no name and no word, and a file may hold it as it is. */
const SEPARATOR = '\u007f';

/** Starts of a match that are tried one by one, at most, for one word found. */
const MAX_WINDOW = 512;
const MAX_WORDS = 60_000;
const NAMED = 10;
/** Words that stand more often than this in 1024 units are in nearly every text. */
const TOO_OFTEN = 6;
/** Further words a text must hold before a regex is tried on it: how rarely its first ones must not yet be, sets of them, words a set, and how rare. */
const RARE_ENOUGH = 0.002;
const MAX_COMPANIONS = 3;
const MAX_COMPANION_WORDS = 200;
const COMPANION_OFTEN = 0.8;
/** Of words that are this often in 1024 units themselves: any company rarer than so much is worth looking for. */
const OFTEN = 0.5;
const COMPANION_OF_OFTEN = 4;
/** A regex whose words are rarer than this is tried without looking at what the text looks like. */
const GATED = 0.02;

/** Something that must be seen before a rule is tried; `worth` grows with how rarely it is. */
interface Trigger {
  readonly worth: number;
  readonly add: () => void;
}

export function buildIndex(rules: readonly Rule[]): PackIndex {
  const texts = newTableWords();
  const others = newTableWords();
  const probes: number[] = [];
  const companions: { [probe: number]: number[] } = {};
  const gates: { [probe: number]: Gate } = {};
  const wordless: number[] = [];
  const channels: number[] = [];
  const leaves: number[][] = [];
  const programs = new Map<string, Map<number, readonly string[] | null>>();
  const programPrefixes: [string, number][] = [];
  const hostKinds = new Map<string, Set<number>>();
  const schemes = new Map<string, Set<number>>();
  const effects = new Map<string, Set<number>>();
  const traits = new Map<string, Set<number>>();
  const always = { commands: [] as number[], paths: [] as number[], urls: [] as number[] };

  const addProbe = (rule: number, mask: number, set: Literals): number => {
    const probe = probes.length / 4;
    const near = set.most - set.least <= MAX_WINDOW && set.most <= 4 * MAX_WINDOW;
    const where = mask | ((channels[rule] as number) << CHANNEL_SHIFT);
    probes.push(rule, where, set.least, near ? set.most : -1);
    for (const word of set.words) ((mask & TEXTS) !== 0 ? texts : others).add(word, probe, where);
    return probe;
  };
  const shared = new Map<string, number>();
  // Many regexes ask for the same lists of words beside their own.
  const addCompanion = (rule: number, mask: number, set: Literals): number => {
    const key = JSON.stringify([mask, set.words]);
    const where = mask | ((channels[rule] as number) << CHANNEL_SHIFT);
    const before = shared.get(key);
    const probe = before ?? probes.length / 4;
    if (before === undefined) {
      probes.push(-1, where, 0, -1);
      shared.set(key, probe);
    } else probes[probe * 4 + 1] = (probes[probe * 4 + 1] as number) | where;
    for (const word of set.words) texts.add(word, probe, where);
    return probe;
  };
  const named = (map: Map<string, Set<number>>, names: readonly string[], rule: number): Trigger => ({
    worth: NAMED,
    add: () => {
      for (const name of names) map.set(name, (map.get(name) ?? new Set()).add(rule));
    },
  });
  // Looked for in any case, whatever the condition does: that finds no less.
  const worded = (rule: number, domain: Domain, source: string | null): Trigger | null => {
    const set = source === null ? null : literalsOf(source, 'i');
    return set && usable(set)
      ? { worth: worth(set), add: () => addProbe(rule, domainBit(domain) | TRIGGER, { ...set, most: Number.POSITIVE_INFINITY }) }
      : null;
  };
  const usable = (set: Literals): boolean => texts.size() + others.size() + set.words.length <= MAX_WORDS && oftenOf(set) <= TOO_OFTEN;

  const ofCommand = (rule: number, command: CommandCondition): Trigger => {
    const exact = command.program.filter((name) => !name.endsWith('*'));
    if (command.program.length > 0)
      return {
        worth: NAMED,
        add: () => {
          const words = neededBy(command);
          for (const name of exact) {
            const rulesOf = programs.get(name) ?? new Map<number, readonly string[] | null>();
            const before = rulesOf.get(rule);
            programs.set(name, rulesOf.set(rule, words === null || before === null ? null : [...(before ?? []), ...words]));
          }
          for (const name of command.program) if (name.endsWith('*')) programPrefixes.push([name.slice(0, -1), rule]);
        },
      };
    return (
      better([
        worded(rule, '#line', command.line),
        worded(rule, '#line', command.argument),
        worded(rule, '#line', command.operand),
        worded(rule, '#stdin', command.stdin),
        worded(rule, '#assign', command.assigns),
      ]) ?? { worth: -2, add: () => always.commands.push(rule) }
    );
  };
  const ofUrl = (rule: number, url: UrlCondition): Trigger => {
    const hosts = url.host.map((host) => foldedWord(host.replace(/^\*\./u, '')));
    const set = { words: hosts.map((host) => wordOf(host, true)), least: 0, most: 0 };
    return (
      better([
        hosts.length > 0 && hosts.every((host) => host.length >= 2 && foldable(host)) && usable(set)
          ? { worth: NAMED, add: () => addProbe(rule, domainBit('#host') | TRIGGER, set) }
          : null,
        url.hostKind.length > 0 ? named(hostKinds, url.hostKind, rule) : null,
        worded(rule, '#url-path', url.path),
        worded(rule, '#query', url.query),
        worded(rule, '#userinfo', url.userinfo),
        url.scheme.length > 0 ? { ...named(schemes, url.scheme, rule), worth: 0 } : null,
      ]) ?? { worth: -2, add: () => always.urls.push(rule) }
    );
  };

  const ofPath = (rule: number, path: PathCondition): Trigger =>
    better([worded(rule, '#path', path.regex), path.trait === undefined ? null : named(traits, path.trait, rule)]) ?? {
      worth: -2,
      add: () => always.paths.push(rule),
    };

  for (const [number, rule] of rules.entries()) {
    const on = rule.channels.length === 0 ? CHANNELS : rule.channels;
    channels.push(rule.status === 'deprecated' ? 0 : on.reduce((mask, channel) => mask | (1 << CHANNELS.indexOf(channel)), 0));
    const own: number[] = [];
    leaves.push(own);
    const keywords =
      rule.keywords.length > 0 && rule.keywords.every((word) => word.length >= 2 && foldable(word))
        ? { words: rule.keywords.map((word) => wordOf(foldedWord(word), true)), least: 0, most: Number.POSITIVE_INFINITY }
        : null;
    const triggerOf = (condition: Condition): Trigger => {
      switch (condition.kind) {
        case 'any': {
          const each = condition.of.map(triggerOf);
          return { worth: Math.min(...each.map((trigger) => trigger.worth)), add: () => each.forEach((trigger) => trigger.add()) };
        }
        case 'all':
          return better(condition.of.map(triggerOf)) as Trigger;
        case 'command':
          return ofCommand(number, condition);
        case 'path':
          return ofPath(number, condition);
        case 'url':
          return ofUrl(number, condition);
        case 'effect':
          return named(effects, condition.effect, number);
        case 'regex': {
          const leaf = own.push(-1) - 1;
          const mask = condition.fields.reduce((sum, field) => sum | domainBit(field), 0);
          const sets = [...literalSets(condition.regex, condition.flags), ...(keywords === null ? [] : [keywords])]
            .filter(usable)
            .sort((a, b) => worth(b) - worth(a));
          const gate = gateOf(condition.regex, condition.flags);
          const set = sets[0] ?? null;
          const probe =
            set === null ? addProbe(number, mask, { words: [], least: 0, most: Number.POSITIVE_INFINITY }) : addProbe(number, mask, set);
          own[leaf] = probe;
          if (set === null) wordless.push(probe);
          if (gate !== null && (set === null || oftenOf(set) > GATED)) gates[probe] = gate;
          const others = set === null || oftenOf(set) < RARE_ENOUGH ? [] : companionsOf(set, sets);
          if (others.length > 0) companions[probe] = others.flatMap((item) => [addCompanion(number, mask, item), ...distance(set, item)]);
          return {
            worth: set === null ? -2 : worth(set),
            add: () => {
              probes[probe * 4 + 1] = (probes[probe * 4 + 1] as number) | TRIGGER;
            },
          };
        }
      }
    };
    triggerOf(rule.match).add();
  }
  const lists = (map: ReadonlyMap<string, ReadonlySet<number>>): { [name: string]: number[] } =>
    Object.fromEntries([...map].map(([name, set]) => [name, [...set]]));
  return {
    channels,
    leaves,
    texts: buildTable(texts.list()),
    others: buildTable(others.list()),
    probes,
    companions,
    gates,
    wordless,
    ...programLines(programs),
    programPrefixes,
    hostKinds: lists(hostKinds),
    schemes: lists(schemes),
    effects: lists(effects),
    traits: lists(traits),
    always,
  };
}

/** Words of which a command must hold one, in any case, to meet the condition; null: none are known. */
function neededBy({ subcommand, line, operand, argument, stdin, assigns }: CommandCondition): readonly string[] | null {
  const known = [line, operand, argument, stdin, assigns].map((source) => (source === null ? null : wordsOf(source)));
  const lists = [subcommand.length === 0 ? null : subcommand.map((name) => name.toLowerCase().split(' ')[0] ?? ''), ...known];
  return lists.find((words) => words !== null && words.every((word) => /^[\u0020-\u007e]+$/u.test(word) && !/["\\]/u.test(word))) ?? null;
}

function programLines(programs: ReadonlyMap<string, ReadonlyMap<number, readonly string[] | null>>): Pick<PackIndex, 'programs' | 'needs'> {
  const places = new Map<string, number>();
  let needs = '';
  const placeOf = (words: readonly string[]): number => {
    const line = `${[...new Set(words)].sort().join(SEPARATOR)}${SEPARATOR}${SEPARATOR}`;
    const place = places.get(line) ?? needs.length;
    if (place === needs.length) needs += line;
    places.set(line, place);
    return place;
  };
  const lines = [...programs].map(
    ([name, rules]) =>
      `${SEPARATOR}${name}${SEPARATOR}${[...rules].map(([rule, words]) => ` ${words === null ? rule : `${rule}.${placeOf(words)}`}`).join('')}`,
  );
  return { programs: `${lines.join('')}${SEPARATOR}`, needs };
}

/** A rule that a program makes worth trying, if the command holds one of these words in any case; null: whatever it holds. */
export interface ProgramRule {
  readonly rule: number;
  readonly words: readonly string[] | null;
}

/** Undefined: no rule asks for the program. */
export function rulesOfProgram({ programs, needs }: PackIndex, name: string): readonly ProgramRule[] | undefined {
  const start = programs.indexOf(SEPARATOR + name + SEPARATOR);
  if (start < 0 || name.includes(SEPARATOR)) return undefined;
  const from = start + name.length + 2;
  // No name starts with a space, as each entry does.
  if (programs[from] !== ' ') return undefined;
  return programs
    .slice(from + 1, programs.indexOf(SEPARATOR, from))
    .split(' ')
    .map((entry) => {
      const [rule, place] = entry.split('.');
      if (place === undefined) return { rule: Number(rule), words: null };
      const at = Number(place);
      return { rule: Number(rule), words: needs.slice(at, needs.indexOf(SEPARATOR + SEPARATOR, at)).split(SEPARATOR) };
    });
}

const TEXTS = FIELD_NAMES.reduce((mask, field) => mask | domainBit(field), 0);

const ANYWHERE = 1 << 28;
function distance(from: Literals | null, to: Literals): readonly [least: number, most: number] {
  if (from === null || from.most > MAX_WINDOW * 4 || to.most > MAX_WINDOW * 4) return [-ANYWHERE, ANYWHERE];
  return [to.least - from.most, to.most - from.least];
}

/** Those of `sets` whose words are most rarely where a match with a word of `set` needs them. Words that are common cost more to find than they save. */
function companionsOf(set: Literals, sets: readonly Literals[]): readonly Literals[] {
  const own = new Set(set.words.map((word) => word.text));
  const most = oftenOf(set) < OFTEN ? COMPANION_OFTEN : COMPANION_OF_OFTEN;
  return sets
    .filter((item) => item !== set && item.words.length <= MAX_COMPANION_WORDS && oftenOf(item) <= most)
    .filter((item) => !item.words.some((word) => own.has(word.text)))
    .map((item) => {
      const [least, furthest] = distance(set, item);
      return { item, chance: oftenOf(item) * Math.min(1, (furthest - least + 1) / 1024) };
    })
    .sort((a, b) => a.chance - b.chance)
    .slice(0, MAX_COMPANIONS)
    .map(({ item }) => item);
}

function better(triggers: readonly (Trigger | null)[]): Trigger | null {
  return triggers.reduce((best, item) => (item !== null && (best === null || item.worth > best.worth) ? item : best), null);
}

/** The rule's regex conditions over texts, in one fixed order. */
export function regexesOf(condition: Condition): readonly RegexCondition[] {
  if (condition.kind === 'any' || condition.kind === 'all') return condition.of.flatMap(regexesOf);
  return condition.kind === 'regex' ? [condition] : [];
}
