/** Which rules of a pack are worth trying on a call, and where in its texts their words stand. */
import type { Channel } from '#core/model/call.ts';
import { CHANNELS } from '#core/model/call.ts';
import type { RegexCache } from '#core/detect/conditions.ts';
import { domainBit, regexesOf, TRIGGER, type Domain } from '#core/detect/packIndex.ts';
import { FIELD_NAMES, type Condition, type Rule, type RulePack } from '#core/detect/rulePack.ts';
import { newScanner, scan, type Scanner } from '#core/detect/scan.ts';
import type { CommandField, Fields, UrlField } from '#core/normalize/fields.ts';

/** What a pack needs to be matched with; made once, kept beside the pack. */
export interface Matcher {
  readonly pack: RulePack;
  readonly regexes: RegexCache;
  readonly scanner: Scanner;
  /** Domains that any probe looks at. */
  readonly domains: number;
  /** Probes by word, one after the other: those of word `w` from `from[w]` to before `from[w + 1]`. */
  readonly owners: Int32Array;
  readonly from: Int32Array;
  /** What was found for the call at hand, by probe; of `touched` ones only. Kept from call to call, as making it anew costs more than a search. */
  readonly found: (Found[] | undefined)[];
  readonly touched: number[];
  /** Probe of every regex condition of the rules that were tried so far; -1: none. */
  readonly probes: Map<Condition, number>;
}

const matchers = new WeakMap<RulePack, Matcher>();

export function matcherOf(pack: RulePack): Matcher {
  let matcher = matchers.get(pack);
  if (!matcher) {
    const { probes, words, grams, owners } = pack.index;
    let domains = 0;
    for (let at = 1; at < probes.length; at += 4) domains |= probes[at] as number;
    const from = new Int32Array(words.length + 1);
    for (let word = 0; word < words.length; word++) from[word + 1] = (from[word] as number) + (owners[word] as readonly number[]).length;
    const all = new Int32Array(from[words.length] as number);
    for (let word = 0; word < words.length; word++) all.set(owners[word] as readonly number[], from[word]);
    matcher = {
      pack,
      regexes: new Map(),
      scanner: newScanner(words, grams),
      domains,
      owners: all,
      from,
      found: Array.from({ length: probes.length / 4 }),
      touched: [],
      probes: new Map(),
    };
    matchers.set(pack, matcher);
  }
  return matcher;
}

/** @throws when the pack holds no such rule. */
export function ruleOf(matcher: Matcher, number: number): Rule {
  const rule = matcher.pack.rule(number);
  for (const [leaf, condition] of regexesOf(rule.match).entries())
    matcher.probes.set(condition, matcher.pack.index.leaves[number]?.[leaf] ?? -1);
  return rule;
}

/** A text (by its place in `Fields.texts`) that holds a word of a probe; `starts` of the words, if the probe can use them. */
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

const BIT: Readonly<Record<string, number>> = Object.fromEntries(FIELD_NAMES.map((field) => [field, domainBit(field)]));

export function candidatesOf(fields: Fields, channel: Channel, matcher: Matcher): Candidates {
  const { index } = matcher.pack;
  const bit = 1 << CHANNELS.indexOf(channel);
  const rules = new Set<number>();
  const { found, touched, owners, from } = matcher;
  for (const probe of touched) found[probe] = undefined;
  touched.length = 0;
  const add = (rule: number): void => {
    if (((index.channels[rule] as number) & bit) !== 0) rules.add(rule);
  };
  const addAll = (list: readonly number[] | undefined): void => {
    if (list !== undefined) for (const rule of list) add(rule);
  };
  const pairs: number[] = [];
  const look = (text: string, mask: number, place: number): void => {
    pairs.length = 0;
    scan(matcher.scanner, text, pairs);
    for (let at = 0; at < pairs.length; at += 2) {
      const word = pairs[at] as number;
      const start = pairs[at + 1] as number;
      const end = from[word + 1] as number;
      for (let slot = from[word] as number; slot < end; slot++) {
        const probe = owners[slot] as number;
        const asked = index.probes[probe * 4 + 1] as number;
        if ((asked & mask) === 0) continue;
        const texts = found[probe];
        const last = texts?.[texts.length - 1];
        if (last?.text === place) {
          if ((index.probes[probe * 4 + 3] as number) >= 0) last.starts.push(start);
          continue;
        }
        if ((asked & TRIGGER) !== 0) add(index.probes[probe * 4] as number);
        if (place < 0) continue;
        const first = { text: place, starts: [start] };
        if (texts !== undefined) texts.push(first);
        else {
          found[probe] = [first];
          touched.push(probe);
        }
      }
    }
  };
  const lookAt = (domain: Domain, text: string): void => {
    const mask = domainBit(domain);
    if ((matcher.domains & mask) !== 0 && text.length > 1) look(text, mask, -1);
  };

  let seen = 0;
  for (let place = 0; place < fields.texts.length; place++) {
    const text = fields.texts[place];
    if (text === undefined) continue;
    const mask = BIT[text.field] as number;
    seen |= mask;
    look(text.text, mask, place);
  }
  for (const [mask, rule] of index.always.texts) if ((seen & mask) !== 0) add(rule);
  if (fields.commands.length > 0) addAll(index.always.commands);
  for (const command of fields.commands) {
    if (Object.hasOwn(index.programs, command.program)) addAll(index.programs[command.program]);
    for (const [prefix, rule] of index.programPrefixes) if (command.program.startsWith(prefix)) add(rule);
    lookAtCommand(command, matcher, lookAt);
  }
  if (fields.paths.length > 0) addAll(index.always.paths);
  for (const path of fields.paths) lookAt('#path', path.text);
  if (fields.urls.length > 0) addAll(index.always.urls);
  for (const url of fields.urls) {
    for (const kind of url.kinds) addAll(index.hostKinds[kind]);
    if (Object.hasOwn(index.schemes, url.scheme)) addAll(index.schemes[url.scheme]);
    lookAtUrl(url, lookAt);
  }
  for (const effect of fields.effects) addAll(index.effects[effect.effect]);
  return { rules, found };
}

function lookAtCommand(command: CommandField, matcher: Matcher, lookAt: (domain: Domain, text: string) => void): void {
  if ((matcher.domains & domainBit('#line')) !== 0) lookAt('#line', command.words.join(' '));
  for (const text of command.stdin) lookAt('#stdin', text);
  for (const text of command.assigns) lookAt('#assign', text);
}

function lookAtUrl(url: UrlField, lookAt: (domain: Domain, text: string) => void): void {
  lookAt('#host', url.host);
  lookAt('#url-path', url.path);
  lookAt('#query', url.query);
  lookAt('#userinfo', url.userinfo);
}
