/** Which rules of a pack are worth trying on a call, and where in its texts their words stand. */
import type { Channel } from '#core/model/call.ts';
import { CHANNELS } from '#core/model/call.ts';
import { newRegexCache, type RegexCache } from '#core/detect/conditions.ts';
import type { Gate } from '#core/detect/gates.ts';
import { holdsAnyOf, wordyOf, type Wordy } from '#core/detect/guards.ts';
import { looksOf, passes, type Looks } from '#core/detect/looks.ts';
import {
  CHANNEL_SHIFT,
  domainBit,
  DOMAINS,
  regexesOf,
  rulesOfProgram,
  TRIGGER,
  type Domain,
  type ProgramRule,
} from '#core/detect/packIndex.ts';
import type { RegexCondition, Rule, RulePack } from '#core/detect/rulePack.ts';
import { scan, type WordTable } from '#core/detect/scan.ts';
import type { CommandField, Fields, TextField, UrlField } from '#core/normalize/fields.ts';

/** What a pack needs to be matched with; made once, kept beside the pack. */
export interface Matcher {
  readonly pack: RulePack;
  readonly regexes: RegexCache;
  readonly texts: WordTable;
  readonly others: WordTable;
  readonly probes: Int32Array;
  /** Domains of `others` that any probe looks at. */
  readonly domains: number;
  readonly wordless: Int32Array;
  readonly companions: readonly (readonly number[] | undefined)[];
  readonly gates: readonly (Gate | undefined)[];
  /** Counts the texts that were looked at; `seen` holds, by probe, the last one with a word of it, and `starts` where its words stand there. */
  count: number;
  readonly seen: Float64Array;
  readonly starts: (number[] | undefined)[];
  /** What the last scan wrote, and behind it what earlier ones did. */
  readonly pairs: number[];
  /** Probes seen in the text at hand, without those that only keep company. */
  readonly here: number[];
  /** What was found for the call at hand, by probe; of `touched` ones only. Kept from call to call, as making it anew costs more than a search. */
  readonly found: (Found[] | undefined)[];
  readonly touched: number[];
  /** What is known of the regex conditions of the rules that were tried so far. */
  readonly leaves: Map<RegexCondition, Leaf>;
  readonly rules: (Rule | undefined)[];
  /** Of the programs met so far that some rule asks for. */
  readonly programs: Map<string, readonly ProgramRule[]>;
  /** Names met that no rule asks for. */
  readonly strangers: Set<string>;
  /** Rules that ask for how the name of a program begins, by the name; of some met so far. */
  readonly prefixed: Map<string, readonly number[]>;
}

export interface Leaf {
  readonly probe: number;
  readonly least: number;
  readonly most: number;
  /** Compiled when they are first wanted: for whole texts, and for one place. */
  whole: RegExp | null;
  sticky: RegExp | null;
  keywords: RegExp | null;
}

const matchers = new WeakMap<RulePack, Matcher>();

export function matcherOf(pack: RulePack): Matcher {
  let matcher = matchers.get(pack);
  if (!matcher) {
    const { index } = pack;
    const probes = new Int32Array(index.probes);
    const count = probes.length / 4;
    matcher = {
      pack,
      regexes: newRegexCache(),
      texts: index.texts,
      others: index.others,
      probes,
      domains: index.others.where.reduce((mask, where) => mask | where, 0),
      wordless: new Int32Array(index.wordless),
      companions: sparse(count, index.companions),
      gates: sparse(count, index.gates),
      count: 0,
      seen: new Float64Array(count),
      starts: Array.from({ length: count }),
      pairs: [],
      here: [],
      found: Array.from({ length: count }),
      touched: [],
      leaves: new Map(),
      rules: [],
      programs: new Map(),
      strangers: new Set(),
      prefixed: new Map(),
    };
    matchers.set(pack, matcher);
  }
  return matcher;
}

function sparse<T>(length: number, entries: { readonly [at: number]: T }): (T | undefined)[] {
  const list: (T | undefined)[] = Array.from({ length });
  for (const [at, entry] of Object.entries(entries)) list[Number(at)] = entry as T;
  return list;
}

/** @throws when the pack holds no such rule. */
export function ruleOf(matcher: Matcher, number: number): Rule {
  const known = matcher.rules[number];
  if (known !== undefined) return known;
  const rule = matcher.pack.rule(number);
  for (const [at, condition] of regexesOf(rule.match).entries()) {
    const probe = matcher.pack.index.leaves[number]?.[at];
    if (probe === undefined) throw new Error('the index of the rule pack does not fit its rules');
    const least = matcher.probes[probe * 4 + 2] as number;
    const most = matcher.probes[probe * 4 + 3] as number;
    matcher.leaves.set(condition, { probe, least, most, whole: null, sticky: null, keywords: null });
  }
  for (const [source, words] of Object.entries(matcher.pack.guards(number))) matcher.regexes.guards.set(source, words);
  matcher.rules[number] = rule;
  return rule;
}

/** A text (by its place in `Fields.texts`) that a regex is to be tried on; `starts` of its words, if it can use them. */
export interface Found {
  readonly text: number;
  readonly starts: number[];
}

export interface Candidates {
  /** Numbers of rules. */
  readonly rules: ReadonlySet<number>;
  /** By probe, texts in order; good until the next call is looked at. */
  readonly found: readonly (readonly Found[] | undefined)[];
}

const BIT: Readonly<Record<string, number>> = Object.fromEntries(DOMAINS.map((domain) => [domain, domainBit(domain)]));
const NONE: number[] = [];

export function candidatesOf(fields: Fields, channel: Channel, matcher: Matcher): Candidates {
  const { index } = matcher.pack;
  const channelBit = 1 << CHANNELS.indexOf(channel);
  const on = channelBit << CHANNEL_SHIFT;
  const rules = new Set<number>();
  for (const probe of matcher.touched) matcher.found[probe] = undefined;
  matcher.touched.length = 0;
  for (let place = 0; place < fields.texts.length; place++) lookAtText(fields.texts[place] as TextField, place, on, matcher, rules);

  const added = new Set<readonly number[]>();
  const addAll = (list: readonly number[] | undefined): void => {
    if (list === undefined || added.has(list)) return;
    added.add(list);
    for (const rule of list) if (((index.channels[rule] as number) & channelBit) !== 0) rules.add(rule);
  };
  const lookAt = (domain: Domain, text: string): void => {
    const mask = BIT[domain] as number;
    if ((matcher.domains & mask) === 0 || text.length < 2) return;
    const { pairs, others, probes } = matcher;
    const count = scan(others, text, mask, on, pairs);
    for (let at = 0; at < count; at += 2) {
      const word = pairs[at] as number;
      for (let slot = others.from[word] as number; slot < (others.from[word + 1] as number); slot++) {
        const probe = others.owners[slot] as number;
        const asked = probes[probe * 4 + 1] as number;
        if ((asked & mask) !== 0 && (asked & on) !== 0) rules.add(probes[probe * 4] as number);
      }
    }
  };
  if (fields.commands.length > 0) addAll(index.always.commands);
  for (const command of fields.commands) {
    addProgram(command, matcher, channelBit, rules);
    addAll(prefixed(matcher, command.program));
    lookAtCommand(command, lookAt);
  }
  if (fields.paths.length > 0) addAll(index.always.paths);
  for (const path of fields.paths) {
    for (const trait of path.traits) addAll(index.traits[trait]);
    lookAt('#path', path.text);
  }
  if (fields.urls.length > 0) addAll(index.always.urls);
  for (const url of fields.urls) {
    for (const kind of url.kinds) addAll(index.hostKinds[kind]);
    if (Object.hasOwn(index.schemes, url.scheme)) addAll(index.schemes[url.scheme]);
    lookAtUrl(url, lookAt);
  }
  for (const effect of fields.effects) addAll(index.effects[effect.effect]);
  return { rules, found: matcher.found };
}

/** Of words met in texts; they are forgotten when there are more. */
const MAX_STRANGERS = 4096;
/** Longer names are nobody's; they are not kept, as a call can hold many. */
const MAX_NAME = 64;

/** The rules that ask for a program of this name; undefined: none does. */
export function askedOf({ pack, programs, strangers }: Matcher, name: string): readonly ProgramRule[] | undefined {
  const known = programs.get(name);
  if (known !== undefined || strangers.has(name)) return known;
  const asked = rulesOfProgram(pack.index, name);
  if (name.length > MAX_NAME) return asked;
  if (asked !== undefined) programs.set(name, asked);
  else {
    if (strangers.size >= MAX_STRANGERS) strangers.clear();
    strangers.add(name);
  }
  return asked;
}

function prefixed({ pack, prefixed: known }: Matcher, name: string): readonly number[] {
  let rules = known.get(name);
  if (rules === undefined) {
    rules = pack.index.programPrefixes.flatMap(([prefix, rule]) => (name.startsWith(prefix) ? [rule] : []));
    if (known.size >= MAX_STRANGERS) known.clear();
    if (name.length <= MAX_NAME) known.set(name, rules);
  }
  return rules;
}

function addProgram(command: CommandField, matcher: Matcher, channelBit: number, rules: Set<number>): void {
  const { index } = matcher.pack;
  const asked = askedOf(matcher, command.program);
  if (asked === undefined) return;
  let text: Wordy | null = null;
  for (const { rule, words } of asked) {
    if (((index.channels[rule] as number) & channelBit) === 0 || rules.has(rule)) continue;
    if (words === null || holdsAnyOf(words, (text ??= wordyOf(allOf(command))))) rules.add(rule);
  }
}

/** All that a condition looks for words in. */
const allOf = ({ words, stdin, assigns, operands }: CommandField): string => [...words, ...operands, ...stdin, ...assigns].join(' ');

function lookAtText(field: TextField, place: number, on: number, matcher: Matcher, rules: Set<number>): void {
  const { texts, probes, pairs, here, seen, starts, found, companions, gates, wordless } = matcher;
  const mask = BIT[field.field] as number;
  const now = ++matcher.count;
  here.length = 0;
  const count = scan(texts, field.text, mask, on, pairs);
  for (let at = 0; at < count; at += 2) {
    const word = pairs[at] as number;
    const end = texts.from[word + 1] as number;
    for (let slot = texts.from[word] as number; slot < end; slot++) {
      const probe = texts.owners[slot] as number;
      if (seen[probe] !== now) {
        const asked = probes[probe * 4 + 1] as number;
        if ((asked & mask) === 0 || (asked & on) === 0) continue;
        seen[probe] = now;
        starts[probe] = [pairs[at + 1] as number];
        if ((probes[probe * 4] as number) >= 0) here.push(probe);
      } else (starts[probe] as number[]).push(pairs[at + 1] as number);
    }
  }
  let looks: Looks | null = null;
  const keep = (probe: number, at: number[]): void => {
    const gate = gates[probe];
    if (gate !== undefined && !passes(gate, (looks ??= looksOf(field)))) return;
    const texts = found[probe];
    if (texts !== undefined) texts.push({ text: place, starts: at });
    else {
      found[probe] = [{ text: place, starts: at }];
      matcher.touched.push(probe);
    }
    if (((probes[probe * 4 + 1] as number) & TRIGGER) !== 0) rules.add(probes[probe * 4] as number);
  };
  for (const probe of here) {
    const company = companions[probe];
    let own = starts[probe] as number[];
    if (company !== undefined) {
      for (let at = 0; at < company.length && own.length > 0; at += 3) {
        const other = company[at] as number;
        own =
          seen[other] === now
            ? near(ascending(own), ascending(starts[other] as number[]), company[at + 1] as number, company[at + 2] as number)
            : NONE;
      }
      if (own.length === 0) continue;
    }
    keep(probe, own);
  }
  for (const probe of wordless) {
    const asked = probes[probe * 4 + 1] as number;
    if ((asked & mask) !== 0 && (asked & on) !== 0) keep(probe, NONE);
  }
}

/** Those of `starts` that one of `others` follows by `least` to `most`. Both ascend. */
function near(starts: number[], others: readonly number[], least: number, most: number): number[] {
  let from = 0;
  let kept = 0;
  for (const start of starts) {
    while (from < others.length && (others[from] as number) < start + least) from++;
    if (from === others.length) break;
    if ((others[from] as number) <= start + most) starts[kept++] = start;
  }
  starts.length = kept;
  return starts;
}

/** Words of several lengths come nearly in order. */
function ascending(starts: number[]): number[] {
  for (let at = 1; at < starts.length; at++) if ((starts[at - 1] as number) > (starts[at] as number)) return starts.sort((a, b) => a - b);
  return starts;
}

function lookAtCommand(command: CommandField, lookAt: (domain: Domain, text: string) => void): void {
  lookAt('#line', command.words.join(' '));
  for (const text of command.stdin) lookAt('#stdin', text);
  for (const text of command.assigns) lookAt('#assign', text);
}

function lookAtUrl(url: UrlField, lookAt: (domain: Domain, text: string) => void): void {
  lookAt('#host', url.host);
  lookAt('#url-path', url.path);
  lookAt('#query', url.query);
  lookAt('#userinfo', url.userinfo);
}
