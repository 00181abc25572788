/**
 * Walks code once from its first token to its last, in the order it is written, and works out what values its calls get.
 * No parser of any one language: brackets, names, calls, members and assignments look alike in all of them, and what is
 * decided at run time is out of reach anyway. Each token is passed once, so the walk is linear.
 */
import { callValue } from '#core/normalize/code/calls.ts';
import type { Found } from '#core/normalize/code/found.ts';
import { readImport } from '#core/normalize/code/imports.ts';
import type { Language } from '#core/normalize/code/languages.ts';
import { chosen, combined, element, elementOf, lookUp, memberOf } from '#core/normalize/code/operators.ts';
import { tokensOf, type Token } from '#core/normalize/code/tokens.ts';
import { ENVIRONMENT, flat, joined, madeOf, named, textValue, UNKNOWN, type Value } from '#core/normalize/code/value.ts';
import { isSign, MAX_DEPTH, peek, skipLines, type Walk } from '#core/normalize/code/walk.ts';

const MAX_TOKENS = 120_000;
const MAX_HOLES = 6;
const PREFIX =
  /^(?:return|await|new|not|yield|throw|raise|typeof|delete|async|else|elif|if|while|unless|until|in|do|then|try|finally|case|when|and|or|lambda|echo_|void|assert_|export|default|defer|go|begin|local|my|our|const|let|var|static|public|private|global|function|fn|sub|def|class|with|for|foreach|export_|begin|end|pass|del_|BEGIN|END)$/u;
const OPERATORS = /^(?:[-+*/%&|^<>?~!]|={2,3}|!={1,2}|<=|>=|\|\||&&|\?\?|<<|>>|\*\*|=~|\.{2,3}|\|&)$/u;
const WORD_OPERATORS = /^(?:or|and|is|in|not|if|else|unless|eq|ne|x|as|then|cmp|lt|gt|instanceof|of)$/u;

const READ: Walk['read'] = {
  expression: (walk) => expression(walk),
  code: (code, walk, nesting) => walkCode(code, walk.language, walk.found, walk.variables, nesting),
};

export function walkCode(code: string, language: Language, found: Found, variables = new Map<string, Value>(), nesting = 0): Value {
  const { tokens, cut } = tokensOf(code, language, MAX_TOKENS);
  if (cut) found.cut = true;
  const walk: Walk = { tokens, pos: 0, language, variables, found, depth: nesting * 20, read: READ };
  let last = UNKNOWN;
  while (walk.pos < tokens.length) {
    const before = walk.pos;
    const value = statement(walk);
    if (value !== null) last = value;
    if (walk.pos === before) walk.pos++;
  }
  return last;
}

/** One statement, or whatever stands up to the next sign that ends one. */
function statement(walk: Walk): Value | null {
  const token = peek(walk);
  if (token === undefined) return null;
  if (token.kind === 'line' || (token.kind === 'sign' && /^[;,:)\]}]$/u.test(token.text))) {
    walk.pos++;
    return null;
  }
  if (token.kind === 'name' && readImport(walk)) return null;
  return expression(walk);
}

/** Everything up to a sign that no expression goes beyond. */
export function expression(walk: Walk, inBrackets: 'in brackets' | 'in a line' = 'in a line'): Value {
  if (walk.depth >= MAX_DEPTH) {
    // The rest is not read at all: the same depth would be reached again and again.
    walk.found.cut = true;
    walk.pos = walk.tokens.length;
    return UNKNOWN;
  }
  walk.depth++;
  const value = operations(walk, inBrackets);
  walk.depth--;
  return value;
}

function operations(walk: Walk, inBrackets: 'in brackets' | 'in a line'): Value {
  let value = operand(walk, inBrackets);
  for (;;) {
    if (inBrackets === 'in brackets') skipLines(walk);
    const token = peek(walk);
    if (token === undefined) return value;
    if (token.kind === 'sign' && token.text === '=') {
      const target = value.name;
      walk.pos++;
      value = expression(walk, inBrackets);
      bind(walk, target, value);
      return value;
    }
    if (token.kind === 'sign' && /^(?::=|<-|\+=|=>)$/u.test(token.text)) {
      const target = value;
      walk.pos++;
      const right = expression(walk, inBrackets);
      value = token.text === '+=' ? joined([target, right], '') : right;
      if (token.text !== '=>') bind(walk, target.name, value);
      return value;
    }
    if (token.kind === 'name' && WORD_OPERATORS.test(token.text)) {
      walk.pos++;
      if (token.text === 'as') {
        const name = peek(walk);
        if (name?.kind === 'name') {
          walk.variables.set(name.text, value);
          walk.pos++;
        }
        continue;
      }
      const right = operand(walk, inBrackets);
      if (token.text === 'in') bind(walk, value.name, elementOf(right));
      value = chosen(value, right);
      continue;
    }
    if (token.kind === 'text' && value.text !== null && walk.language !== 'js') {
      // Texts side by side are one text.
      value = joined([value, operand(walk, inBrackets)], '');
      continue;
    }
    if (token.kind !== 'sign' || !OPERATORS.test(token.text)) return value;
    walk.pos++;
    if (inBrackets === 'in brackets') skipLines(walk);
    // After an operator a line may end in any language that has them.
    skipLines(walk);
    const right = operand(walk, inBrackets);
    value = combined(token.text, value, right, walk.language);
  }
}

function bind(walk: Walk, name: string, value: Value): void {
  if (name === '' || name.length > 200) return;
  if (walk.variables.size < 4000 || walk.variables.has(name)) walk.variables.set(name, value);
  else walk.found.cut = true;
}

function operand(walk: Walk, inBrackets: 'in brackets' | 'in a line'): Value {
  for (;;) {
    const token = peek(walk);
    if (token === undefined) return UNKNOWN;
    if (token.kind === 'line') {
      if (inBrackets === 'in a line') return UNKNOWN;
      walk.pos++;
      continue;
    }
    if (token.kind === 'name' && PREFIX.test(token.text) && !isSign(peek(walk, 1), '.') && !isSign(peek(walk, 1), '=')) {
      walk.pos++;
      continue;
    }
    if (token.kind === 'sign' && /^(?:[-!~*&\\@%]|\.{2,3}|\*\*|<<|\?)$/u.test(token.text)) {
      walk.pos++;
      continue;
    }
    break;
  }
  const token = peek(walk) as Token;
  switch (token.kind) {
    case 'text':
      walk.pos++;
      if (token.parts === null && token.text.length < 400) walk.found.literals.add(token.text);
      return members(walk, filled(walk, token));
    case 'run': {
      walk.pos++;
      const command = filled(walk, token);
      if (command.text !== null) walk.found.scripts.push(command.text);
      return members(walk, madeOf([command]));
    }
    case 'number':
      walk.pos++;
      return members(walk, textValue(token.text.startsWith('0x') ? String(Number(token.text)) : token.text));
    case 'line':
      return UNKNOWN;
    case 'name': {
      walk.pos++;
      return members(walk, lookUp(walk, token.text));
    }
    case 'sign':
      break;
  }
  switch (token.text) {
    case '(': {
      walk.pos++;
      const inner = items(walk, ')');
      const [only] = inner.list;
      return members(walk, inner.list.length === 1 && only !== undefined ? only : { ...madeOf(inner.list), list: inner.list });
    }
    case '[': {
      walk.pos++;
      bindAhead(walk);
      const inner = items(walk, ']');
      return members(walk, { ...madeOf(inner.list), list: inner.list });
    }
    case '{':
      walk.pos++;
      return members(walk, block(walk));
    default:
      return UNKNOWN;
  }
}

/** How far a comprehension's `for` is looked for. */
const AHEAD = 200;

/** `[f(x) for x in list]`: the name is used before the list it goes over. */
function bindAhead(walk: Walk): void {
  if (walk.language !== 'python' || walk.depth > 12) return;
  let depth = 0;
  for (let ahead = 0; ahead < AHEAD; ahead++) {
    const token = peek(walk, ahead);
    if (token === undefined) return;
    if (token.kind === 'sign') {
      if (/^[([{]$/u.test(token.text)) depth++;
      else if (/^[)\]}]$/u.test(token.text) && --depth < 0) return;
    } else if (depth === 0 && token.kind === 'name' && token.text === 'for' && peek(walk, ahead + 2)?.text === 'in') {
      const name = peek(walk, ahead + 1)?.text ?? '';
      const before = walk.pos;
      const { depth: level } = walk;
      walk.pos += ahead + 3;
      // Read again in its place: deep down, that is not done once more.
      walk.depth += 6;
      const list = operand(walk, 'in brackets');
      walk.depth = level;
      bind(walk, name, elementOf(list));
      walk.pos = before;
      return;
    }
  }
}

function filled(walk: Walk, token: Token): Value {
  if (token.parts === null) return textValue(token.text);
  const parts = token.parts.map((part): Value => {
    if (part.kind === 'text') return textValue(part.text);
    const simple = walk.variables.get(part.code.trim());
    if (simple !== undefined) return simple;
    if (walk.depth > MAX_DEPTH - 20) {
      walk.found.cut = true;
      return UNKNOWN;
    }
    return walkCode(part.code, walk.language, walk.found, walk.variables, Math.min(MAX_HOLES, Math.floor(walk.depth / 20) + 1));
  });
  return joined(parts, '');
}

interface Items {
  readonly list: readonly Value[];
  readonly keys: ReadonlyMap<string, Value>;
}

const NO_KEYS: ReadonlyMap<string, Value> = new Map();

/** What stands between brackets, separated by commas; `name=` and `name:` are told apart. */
function items(walk: Walk, closer: string): Items {
  const list: Value[] = [];
  let keys: Map<string, Value> | null = null;
  for (;;) {
    skipLines(walk);
    const token = peek(walk);
    if (token === undefined) break;
    if (isSign(token, closer)) {
      walk.pos++;
      break;
    }
    if (token.kind === 'sign' && /^[,;:]$/u.test(token.text)) {
      walk.pos++;
      continue;
    }
    // A bracket of another kind was closed that was never opened: the text is not what it seems.
    const before = walk.pos;
    const sign = peek(walk, 1);
    if (
      (token.kind === 'name' || token.kind === 'text') &&
      sign?.kind === 'sign' &&
      /^(?:=|=>|:)$/u.test(sign.text) &&
      !(walk.language === 'js' && sign.text !== ':')
    ) {
      walk.pos += 2;
      const value = expression(walk, 'in brackets');
      (keys ??= new Map()).set(token.text.replace(/^-/u, ''), value);
      list.push({ ...UNKNOWN, keys: new Map([[token.text, value]]), from: value.from, files: value.files });
    } else list.push(expression(walk, 'in brackets'));
    if (walk.pos === before) walk.pos++;
    if (list.length >= 4000) list.length = 4000;
  }
  return { list, keys: keys ?? NO_KEYS };
}

/** A block of statements or the pairs of an object: they look alike. */
function block(walk: Walk): Value {
  const keys = new Map<string, Value>();
  let spread = 0;
  for (;;) {
    skipLines(walk);
    const token = peek(walk);
    if (token === undefined) break;
    if (isSign(token, '}')) {
      walk.pos++;
      break;
    }
    const before = walk.pos;
    const sign = peek(walk, 1);
    if (token.kind !== 'sign' && sign?.kind === 'sign' && (sign.text === ':' || sign.text === '=>') && !isSign(peek(walk, 2), ':')) {
      walk.pos += 2;
      const value = expression(walk, 'in a line');
      if (keys.size < 256) keys.set(token.text, value);
    } else {
      if (walk.depth >= MAX_DEPTH) {
        walk.found.cut = true;
        walk.pos = walk.tokens.length;
        break;
      }
      walk.depth++;
      const value = statement(walk);
      walk.depth--;
      if (value !== null && value.keys === null) spread |= value.from & ENVIRONMENT && isSign(token, '...') ? ENVIRONMENT : 0;
      if (token.kind === 'name' && value !== null && keys.size < 256) keys.set(token.text, value);
    }
    if (walk.pos === before) walk.pos++;
  }
  const values = flat([...keys.values()], 64);
  const made = madeOf(values);
  return {
    ...made,
    keys,
    from: (made.from & ~ENVIRONMENT) | spread | (values.some((value) => value.from & ENVIRONMENT && value.keys === null) ? ENVIRONMENT : 0),
  };
}

/** What follows a value: members, calls, elements. */
function members(walk: Walk, start: Value): Value {
  let value = start;
  let owner: Value | null = null;
  for (;;) {
    const token = peek(walk);
    if (token === undefined) return value;
    if (token.kind === 'line') {
      // A chain of calls goes on at the next line.
      let ahead = 1;
      while (peek(walk, ahead)?.kind === 'line') ahead++;
      if (isSign(peek(walk, ahead), '.') && walk.tokens[walk.pos + ahead + 1]?.kind === 'name') {
        walk.pos += ahead;
        continue;
      }
      return value;
    }
    if (token.kind === 'sign' && token.text === '.') {
      const member = peek(walk, 1);
      if (member === undefined || member.kind === 'line') return value;
      walk.pos++;
      if (member.kind === 'sign' && member.text !== '#') continue;
      walk.pos++;
      owner = value;
      value = memberOf(value, member.text);
      const known = value.name === '' ? undefined : walk.variables.get(value.name);
      if (known !== undefined) value = { ...known, name: known.name === '' ? value.name : known.name };
      continue;
    }
    if (isSign(token, '(')) {
      walk.pos++;
      const { list, keys } = items(walk, ')');
      value = callValue(
        walk,
        value,
        owner,
        list.filter((one) => !isPair(one, keys)),
        withObject(list, keys),
      );
      owner = null;
      continue;
    }
    if (isSign(token, '[')) {
      if (
        (walk.language === 'ruby' || (walk.language === 'perl' && /^(?:exec|system|unlink|spawn|print)$/u.test(value.name))) &&
        owner === null &&
        value.text === null &&
        value.name !== '' &&
        !walk.variables.has(value.name) &&
        !/^[A-Z]/u.test(value.name)
      )
        return bareCall(walk, value, owner);
      walk.pos++;
      const { list } = items(walk, ']');
      owner = value;
      value = element(value, list, walk);
      continue;
    }
    if (isSign(token, '{') && walk.language === 'perl' && value.name.startsWith('$')) {
      walk.pos++;
      const key = items(walk, '}').list[0] ?? UNKNOWN;
      owner = value;
      value = memberOf(value.name === '$ENV' ? { ...named('ENV'), from: ENVIRONMENT } : value, key.text ?? key.name);
      continue;
    }
    if (value.name !== '' && value.text === null && mayBeArgument(walk, value, token)) return bareCall(walk, value, owner);
    return value;
  }
}

const isPair = (value: Value, keys: ReadonlyMap<string, Value>): boolean =>
  keys.size > 0 &&
  value.keys?.size === 1 &&
  value.text === null &&
  value.list === null &&
  [...value.keys.keys()].every((key) => keys.has(key));

/** Options given as an object count as if they were given by name. */
function withObject(list: readonly Value[], keys: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
  const objects = list.filter((one) => one.keys !== null && one.keys.size > 0);
  if (objects.length === 0) return keys;
  const all = new Map(keys);
  for (const object of objects) for (const [key, value] of object.keys ?? []) if (all.size < 64 && !all.has(key)) all.set(key, value);
  return all;
}

/** `system "rm"`, `puts x`, `` $`rm` ``: a call without parentheses. */
function mayBeArgument(walk: Walk, value: Value, token: Token): boolean {
  if (walk.language === 'js')
    return token.kind === 'text' && /^(?:\$|Bun\.\$|sh|bash|zx\.\$|execa\.command|\$\(\)|execaCommand|nothrow|quiet)$/u.test(value.name);
  if (walk.language === 'python') return token.kind === 'text' && value.name === 'print';
  if (!['perl', 'ruby', 'php', 'lua', 'awk', 'applescript'].includes(walk.language)) return false;
  if (value.name.startsWith('$') || value.name.startsWith('@')) return false;
  if (token.kind === 'text' || token.kind === 'run') return true;
  if (token.kind === 'name')
    return !WORD_OPERATORS.test(token.text) && !PREFIX.test(token.text) && (token.text.startsWith('$') || walk.language !== 'lua');
  return false;
}

function bareCall(walk: Walk, value: Value, owner: Value | null): Value {
  const list: Value[] = [];
  const keys = new Map<string, Value>();
  if (walk.depth >= MAX_DEPTH) {
    walk.found.cut = true;
    walk.pos = walk.tokens.length;
    return UNKNOWN;
  }
  walk.depth++;
  while (list.length < 256) {
    const before = walk.pos;
    const name = peek(walk);
    if (name?.kind === 'name' && (isSign(peek(walk, 1), ':') || isSign(peek(walk, 1), '=>'))) {
      walk.pos += 2;
      keys.set(name.text, operations(walk, 'in a line'));
    } else list.push(operations(walk, 'in a line'));
    if (!isSign(peek(walk), ',') || walk.pos === before) break;
    walk.pos++;
    skipLines(walk);
  }
  walk.depth--;
  return callValue(walk, value, owner, list, keys);
}
