/** What operators, names, members and indices make of values. */
import { memberValue, turned } from '#core/normalize/code/pure.ts';
import type { Language } from '#core/normalize/code/languages.ts';
import {
  ENVIRONMENT,
  FETCHED,
  formatted,
  INPUT,
  joined,
  joinedPath,
  madeOf,
  MAX_KNOWN,
  named,
  textValue,
  UNKNOWN,
  withText,
  type Value,
} from '#core/normalize/code/value.ts';
import { isSign, type Walk } from '#core/normalize/code/walk.ts';

const JOINS: ReadonlySet<string> = new Set(['+', '&']);

export function combined(sign: string, left: Value, right: Value, language: Language): Value {
  if (JOINS.has(sign)) {
    if (left.list !== null && right.list !== null) return { ...madeOf([left, right]), list: [...left.list, ...right.list].slice(0, 512) };
    return joined([left, right], '');
  }
  if (sign === '/' && (left.name === 'Path()' || right.name === 'Path()')) return joinedPath([left, right]);
  if (sign === '%' && left.text !== null && (language === 'python' || language === 'ruby'))
    return formatted(left, right.list ?? [right], right.keys);
  if (sign === '*' && left.text !== null && right.text !== null && /^\d{1,4}$/u.test(right.text))
    return withText(left.text.length * Number(right.text) > 4096 ? null : left.text.repeat(Number(right.text)), [left]);
  if (/^(?:\|\||\?\?|\?)$/u.test(sign)) return chosen(left, right);
  if (sign === '-' || sign === '^' || sign === '<<' || sign === '|') return madeOf([left, right]);
  return /^(?:={2,3}|!={1,2}|<=|>=|[<>])$/u.test(sign) ? UNKNOWN : madeOf([left, right]);
}

/** One of two values: what is known of either counts. */
export const chosen = (left: Value, right: Value): Value =>
  left.text !== null || left.list !== null || left.name !== '' ? left : right.text !== null ? right : madeOf([left, right]);

/** What a loop goes over: with several elements, all of them are meant. */
export function elementOf(list: Value): Value {
  const [only] = list.list ?? [];
  if (list.list !== null && list.list.length === 1 && only !== undefined) return only;
  return { ...list, name: '', text: null };
}

export function lookUp(walk: Walk, name: string): Value {
  const known = walk.variables.get(name);
  if (known !== undefined) return { ...known, name: known.name === '' ? name : known.name };
  if (/^(?:ENV|\$ENV|\$_ENV|environ)$/u.test(name)) return { ...named('ENV'), from: ENVIRONMENT };
  if (/^(?:ARGV|\$ARGV|argv|\$argv|\$_GET|\$_POST|\$_REQUEST|\$_COOKIE|params|STDIN)$/u.test(name)) return { ...named(name), from: INPUT };
  if (/^(?:__dirname|__DIR__)$/u.test(name)) return { ...textValue('.'), name: '__dirname' };
  return named(name);
}

export function memberOf(value: Value, member: string): Value {
  const special = memberValue(value, member);
  if (special !== null) return special;
  const own = value.keys?.get(member);
  if (own !== undefined) return { ...own, name: own.name };
  const name = value.name === '' ? `.${member}` : `${value.name}.${member}`;
  if (/(?:^|\.)(?:process|os|Deno|import\.meta|Bun)\.(?:env|environ|environb)$/u.test(name)) return { ...named(name), from: ENVIRONMENT };
  if (/^(?:sys|process)\.(?:argv|stdin)$/u.test(name)) return { ...named(name), from: INPUT };
  return {
    ...UNKNOWN,
    name: name.length > 160 ? name.slice(-160) : name,
    from: value.from,
    files: value.files,
    host: value.host,
    text: /^(?:href|parent|path|name|decode|pathname)$/u.test(member) ? value.text : null,
  };
}

export function element(value: Value, index: readonly Value[], walk: Walk): Value {
  const [first] = index;
  const key = first?.text;
  if (key !== undefined && key !== null && !/^\d+$/u.test(key)) return memberOf(value, key);
  if (key !== undefined && key !== null && value.list !== null) return { ...(value.list[Number(key)] ?? UNKNOWN) };
  // `[::-1]`
  const back = walk.tokens[walk.pos - 2];
  if (back?.text === '1' && isSign(walk.tokens[walk.pos - 3], '-') && value.text !== null && value.text.length <= MAX_KNOWN)
    return withText(turned(value.text), [value]);
  if (value.from & ENVIRONMENT && first !== undefined) return UNKNOWN;
  return { ...madeOf([value]), name: value.from & FETCHED ? '' : value.name };
}
