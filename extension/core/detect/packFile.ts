/** A rule pack as it is kept on disk, and how it is opened: checked rule by rule, or, where its bytes are known, hardly read at all. */
import { buildIndex, type PackIndex } from '#core/detect/packIndex.ts';
import { guardsOf, type Guards } from '#core/detect/guards.ts';
import { keepTable, openTable, type KeptTable } from '#core/detect/packTables.ts';
import { packProblems, type Rule, type RulePack, type RulePackJson } from '#core/detect/rulePack.ts';

/** Reads a compiled pack. Any problem makes the pack null: a gate with half its rules would look like a whole one. */
export function parseRulePack(json: unknown): { pack: RulePack | null; problems: string[] } {
  const problems = packProblems(json);
  return { pack: problems.length === 0 ? packOf(json as RulePackJson) : null, problems };
}

/** An index that came with the rules is not looked at: one that does not fit them would disarm them without a word. */
function packOf({ hash, rules }: RulePackJson): RulePack {
  return { hash, size: rules.length, index: buildIndex(rules), rule: (number) => need(rules[number]), guards: () => NO_GUARDS };
}

function need(rule: Rule | undefined): Rule {
  if (rule === undefined) throw new Error('the rule pack has no such rule');
  return rule;
}

const NO_GUARDS: Guards = {};

/**
 * A pack as it is kept: ASCII, and JSON. Its head is the index in the first line and its tables in the next
 * ones. Then comes a rule in each line with what is known of its regexes, so that a reader who trusts it reads and parses few
 * of them.
 */
export function writeRulePack({ version, hash, rules }: RulePackJson): string {
  const index = buildIndex(rules);
  const [texts, others] = [keepTable(index.texts), keepTable(index.others)];
  const lines = rules.map((rule) => ascii(JSON.stringify({ ...rule, guards: guardsOf(rule.match) })));
  const { programs, needs, ...listed } = index;
  // They are read as they stand, without a look for escapes.
  if (/["\\]|[^\u0020-\u007f]/u.test(programs + needs)) throw new Error('a program has a name that the rule pack cannot hold');
  const kept = { ...listed, texts: texts.table, others: others.table };
  const first = JSON.stringify({ version, hash, index: kept, lengths: lines.map((line) => line.length) }).slice(0, -1);
  const tables = [texts.bytes, others.bytes, programs, needs].map((text) => `"${text}"`).join(LINE_END);
  return `${ascii(first)}${TABLES}${tables}],\n"rules":[\n${lines.join(',\n')}\n]}\n`;
}

/** One byte a character, in a file as in memory. */
function ascii(json: string): string {
  return json.replace(/[\u007f-\uffff]/gu, (sign) =>
    Array.from({ length: sign.length }, (_, at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );
}

interface KeptRule extends Rule {
  readonly guards: Guards;
}

interface KeptIndex extends Omit<PackIndex, 'texts' | 'others' | 'programs' | 'needs'> {
  readonly texts: KeptTable;
  readonly others: KeptTable;
}

const TABLES = ',"tables":[\n';
const RULES = '"rules":[\n';
const LINE_END = ',\n';

/** Where the rules of a pack's file are, in characters. */
export interface PackLines {
  /** From the file's start to where the first rule stands. */
  readonly head: number;
  readonly spans: readonly (readonly [from: number, to: number])[];
}

/** @throws when the text is not one of `writeRulePack`. */
export function linesOf(text: string): PackLines {
  const { lengths } = JSON.parse(`${text.slice(0, text.indexOf(TABLES))}}`) as { lengths: readonly number[] };
  const head = text.indexOf(RULES) + RULES.length;
  const starts = startsOf(lengths, head);
  return { head, spans: lengths.map((length, line) => [starts[line] as number, (starts[line] as number) + length]) };
}

function startsOf(lengths: readonly number[], head: number): readonly number[] {
  const starts: number[] = [];
  let at = head;
  for (const length of lengths) {
    starts.push(at);
    at += length + LINE_END.length;
  }
  return starts;
}

/**
 * Opens the head (or more) of a text of `writeRulePack` when it is known to be exactly that; any other goes through
 * `parseRulePack`. `decode`: bytes of base64. `read`: the line of this number, which is from one place of the text to
 * before the other.
 * @throws when it is not.
 */
export function openRulePack(
  text: string,
  decode: (base64: string) => Uint8Array,
  read: (line: number, from: number, to: number) => string = (_line, from, to) => text.slice(from, to),
): RulePack {
  const first = text.indexOf(TABLES);
  const {
    hash,
    index: kept,
    lengths,
  } = JSON.parse(`${text.slice(0, first)}}`) as { hash: string; index: KeptIndex; lengths: readonly number[] };
  let end = first + TABLES.length - LINE_END.length - 1;
  const next = (): string => {
    const begin = end + LINE_END.length + 2;
    end = text.indexOf('"', begin);
    return text.slice(begin, end);
  };
  const index = {
    ...kept,
    texts: openTable(kept.texts, decode(next())),
    others: openTable(kept.others, decode(next())),
    programs: next(),
    needs: next(),
  };
  const head = end + 1 + ']'.length + LINE_END.length + RULES.length;
  const size = index.channels.length;
  let starts: readonly number[] | null = null;
  let last: { readonly number: number; readonly rule: KeptRule } | null = null;
  const line = (number: number): KeptRule => {
    if (last?.number === number) return last.rule;
    const from = (starts ??= startsOf(lengths, head))[number];
    if (from === undefined) throw new Error('the rule pack has no such rule');
    const rule = JSON.parse(read(number, from, from + (lengths[number] as number))) as KeptRule;
    last = { number, rule };
    return rule;
  };
  return { hash, size, index, rule: line, guards: (number) => line(number).guards };
}
