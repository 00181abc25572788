/** Expressions of PowerShell: what texts they make, and which .NET members they call. */
import { decodeBase64 } from '#core/normalize/decoders/base64.ts';
import { bytesText } from '#core/normalize/decoders/bytes.ts';
import { environmentOf } from '#core/normalize/powershell/names.ts';
import { blanks, isQuote, space, type PsCommand, type PsReader, type PsValue } from '#core/normalize/powershell/psText.ts';

const NONE: PsValue = { text: null, list: null, from: [] };
const known = (text: string | null, parts: readonly PsValue[] = []): PsValue => ({
  text: text !== null && text.length > 65_536 ? null : text,
  list: null,
  from: parts.flatMap((part) => part.from).slice(0, 64),
});
const MAX_DEPTH = 60;

/** `a part`: one value inside a word · `an argument`: with its members · else with operators, too. */
export function expressionValue(reader: PsReader, extent: 'a part' | 'an argument' | 'whole' = 'whole'): PsValue {
  const { state } = reader;
  if (state.depth >= MAX_DEPTH) {
    state.cut = true;
    reader.pos = reader.source.length;
    return NONE;
  }
  state.depth++;
  let value = primary(reader);
  value = members(reader, value);
  if (extent === 'whole') value = operators(reader, value);
  state.depth--;
  return value;
}

const OPERATOR =
  /^(?:-(?:f|join|[ci]?replace|[ci]?split|as|bxor|band|bor|shl|shr|[ci]?(?:eq|ne|gt|lt|ge|le|like|notlike|match|notmatch|contains|notcontains|in)|and|or|xor|is|isnot)(?![\w-])|\.\.|[+*%/]|-(?=[\s$\d(]))/iu;

function operators(reader: PsReader, first: PsValue): PsValue {
  let value = first;
  for (;;) {
    blanks(reader);
    if (reader.source[reader.pos] === ',') {
      reader.pos++;
      space(reader);
      const next = members(reader, primary(reader));
      value = { text: null, list: [...parts(value), ...parts(next)].slice(0, 4096), from: [...value.from, ...next.from].slice(0, 64) };
      continue;
    }
    const sign = OPERATOR.exec(reader.source.slice(reader.pos, reader.pos + 16))?.[0];
    if (sign === undefined) return value;
    reader.pos += sign.length;
    space(reader);
    let right = members(reader, primary(reader));
    // The right side of these is a list.
    while (/^-(?:f|[ci]?replace|[ci]?split)$/iu.test(sign) && /^\s{0,9},/u.test(reader.source.slice(reader.pos, reader.pos + 10))) {
      blanks(reader);
      reader.pos++;
      space(reader);
      const next = members(reader, primary(reader));
      right = { text: null, list: [...parts(right), ...parts(next)].slice(0, 4096), from: [...right.from, ...next.from] };
    }
    value = combined(sign.toLowerCase(), value, right);
  }
}

const parts = (value: PsValue): readonly string[] => value.list ?? (value.text === null ? ['$UNKNOWN'] : [value.text]);

function combined(sign: string, left: PsValue, right: PsValue): PsValue {
  const both = [left, right];
  switch (sign) {
    case '+':
      if (left.list !== null) return { ...known(null, both), list: [...left.list, ...parts(right)].slice(0, 4096) };
      return left.text === null && right.text === null && right.list === null
        ? known(null, both)
        : known((left.text ?? '$UNKNOWN') + (right.text ?? right.list?.join(' ') ?? '$UNKNOWN'), both);
    case '*':
      return left.text !== null && /^\d{1,3}$/u.test(right.text ?? '')
        ? known(left.text.repeat(Number(right.text)), both)
        : known(null, both);
    case '..': {
      const from = Number(left.text);
      const to = Number(right.text);
      if (!Number.isInteger(from) || !Number.isInteger(to) || Math.abs(to - from) > 4096) return known(null, both);
      const step = to < from ? -1 : 1;
      return { ...known(null, both), list: Array.from({ length: Math.abs(to - from) + 1 }, (_, index) => String(from + index * step)) };
    }
    case '-f': {
      if (left.text === null) return known(null, both);
      const args = parts(right);
      return known(
        left.text.replace(/\{(\d{1,3})(?:[^{}]{0,20})?\}/gu, (_, index: string) => args[Number(index)] ?? ''),
        both,
      );
    }
    case '-join':
      return left.list === null && left.text === null ? known(null, both) : known(parts(left).join(right.text ?? ''), both);
    case '-replace':
    case '-creplace':
    case '-ireplace': {
      const [what = '', by = ''] = parts(right);
      // A pattern of plain letters; others are not run here.
      if (left.text === null || what === '' || !/^[^\\^$.|?*+()[\]{}]{1,80}$/u.test(what.replace(/\\(.)/gu, '')))
        return known(left.text, both);
      return known(
        left.text.replaceAll(what.replace(/\\(.)/gu, '$1'), () => by),
        both,
      );
    }
    case '-split':
    case '-csplit':
    case '-isplit':
      return left.text === null
        ? known(null, both)
        : { ...known(null, both), list: left.text.split((right.text ?? ' ').replace(/\\(.)/gu, '$1')).slice(0, 4096) };
    case '-bxor': {
      const number = Number(left.text) ^ Number(right.text);
      return left.text !== null && right.text !== null && Number.isFinite(number) ? known(String(number), both) : known(null, both);
    }
    case '-as':
      return left;
    default:
      return { ...NONE, from: [...left.from, ...right.from] };
  }
}

function primary(reader: PsReader): PsValue {
  const { source, state } = reader;
  const char = source[reader.pos] ?? '';
  const ahead = source.slice(reader.pos, reader.pos + 120);
  if (isQuote(char)) return char === "'" || /[\u2018-\u201b]/u.test(char) ? single(reader) : double(reader);
  if (char === '@' && isQuote(source[reader.pos + 1] ?? '')) return here(reader);
  if (char === '(' || (char === '@' && source[reader.pos + 1] === '(') || (char === '$' && source[reader.pos + 1] === '(')) {
    reader.pos += char === '(' ? 1 : 2;
    return state.read.statements(reader, ')');
  }
  if (char === '{' || (char === '@' && source[reader.pos + 1] === '{')) {
    reader.pos += char === '{' ? 1 : 2;
    const start = reader.pos;
    const inner = state.read.statements(reader, '}');
    return { text: source.slice(start, Math.max(start, reader.pos - 1)).slice(0, 4000), list: null, from: char === '{' ? inner.from : [] };
  }
  if (char === '$') {
    const name = /^\$(?:\{([^}]{1,100})\}|(env:[\w()]{1,60}|(?:script:|global:|local:|private:|using:)?\w{1,80}|[?^$]))/iu.exec(ahead);
    if (!name) {
      reader.pos++;
      return NONE;
    }
    reader.pos += name[0].length;
    return variable((name[1] ?? name[2] ?? '').replace(/`/gu, ''), reader);
  }
  if (char === '[') {
    const type = /^\[([\w.`+,\s[\]]{1,100}?)\](?!\])/u.exec(ahead);
    if (type) {
      reader.pos += type[0].length;
      return typed(reader, (type[1] ?? '').replace(/`/gu, ''));
    }
  }
  const number = /^-?(?:0x[0-9a-f]{1,8}|\d{1,15}(?:\.\d{1,9})?)(?:kb|mb|gb)?/iu.exec(ahead)?.[0];
  if (number !== undefined) {
    reader.pos += number.length;
    return known(/^0x/iu.test(number) ? String(Number(number)) : number);
  }
  const not = /^(?:!|-(?:not|bnot|join|split))(?![\w-])/iu.exec(ahead)?.[0];
  if (not !== undefined) {
    reader.pos += not.length;
    space(reader);
    const value = expressionValue(reader, 'an argument');
    return /^-join/iu.test(not) ? known(parts(value).join(''), [value]) : value;
  }
  const word = /^[\w.:\\/~%*?-]{1,120}/u.exec(ahead)?.[0];
  if (word !== undefined && state.depth > 1) {
    reader.pos += word.length;
    return known(word);
  }
  return NONE;
}

function variable(written: string, reader: PsReader): PsValue {
  const name = written.toLowerCase().replace(/^(?:script|global|local|private|using|variable):/u, '');
  if (name.startsWith('env:')) return known(environmentOf(name.slice(4)) ?? `$${written}`);
  const value = reader.state.variables.get(name);
  return value ?? known(name === '_' || name === 'psitem' ? null : null);
}

/** A cast, or the start of a static call. */
function typed(reader: PsReader, type: string): PsValue {
  const name = type.toLowerCase().replace(/^system\./u, '');
  if (reader.source.startsWith('::', reader.pos)) {
    reader.pos += 2;
    const member = /^["']?(\w{1,60})["']?/u.exec(reader.source.slice(reader.pos, reader.pos + 70));
    reader.pos += member?.[0].length ?? 0;
    return called(reader, NONE, `[${name}]::${(member?.[1] ?? '').toLowerCase()}`, reader.source[reader.pos] === '(' ? 'call' : 'member');
  }
  blanks(reader);
  if (!/[$("'[\d{@]/u.test(reader.source[reader.pos] ?? '')) return known(`[${name}]`);
  const value = expressionValue(reader, 'an argument');
  if (/^char(?:\[\])?$/u.test(name)) {
    const chars = parts(value).map((one) =>
      /^(?:\d{1,6})$/u.test(one) && Number(one) <= 0x10_ffff ? String.fromCodePoint(Number(one)) : one,
    );
    if (name === 'char') return value.list === null ? known(chars[0] ?? null, [value]) : { ...value, text: null, list: chars };
    return { ...known(null, [value]), list: value.list === null ? [...(value.text ?? '')].slice(0, 4096) : chars };
  }
  return name === 'string' && value.list !== null ? known(value.list.join(' '), [value]) : value;
}

function members(reader: PsReader, start: PsValue): PsValue {
  let value = start;
  for (;;) {
    const { source } = reader;
    const char = source[reader.pos];
    if (char === '.' || (char === ':' && source[reader.pos + 1] === ':')) {
      const member = /^(?:\.|::)(?:["']?([A-Za-z_][\w`]{0,60})["']?|(?=[$(]))/u.exec(source.slice(reader.pos, reader.pos + 70));
      if (!member) return value;
      reader.pos += member[0].length;
      const name = member[1]?.replaceAll('`', '') ?? primary(reader).text ?? '$unknown';
      value = called(reader, value, `.${name.toLowerCase()}`, source[reader.pos] === '(' ? 'call' : 'member');
    } else if (char === '[') {
      reader.pos++;
      const index = reader.state.read.statements(reader, ']');
      value = elements(value, index);
    } else return value;
  }
}

function elements(value: PsValue, index: PsValue): PsValue {
  const all = value.list ?? (value.text === null ? null : value.text.slice(0, 65_536));
  if (all === null) return known(null, [value]);
  const picks = parts(index);
  if (picks.length > 1 && picks[0] === '-1') return { ...known(null, [value]), list: [...all].reverse() };
  const picked = picks.map((one) => all.at(Number(one)) ?? '');
  return picked.length === 1 ? known(picked[0] ?? null, [value]) : { ...known(null, [value]), list: picked };
}

/** Members that only make texts. */
function pure(name: string, owner: PsValue, args: readonly PsValue[]): PsValue | null {
  const [first = NONE, second = NONE] = args;
  switch (name) {
    case '[convert]::frombase64string': {
      const bytes = first.text === null || first.text.length > 262_144 ? null : decodeBase64(first.text.trim());
      return { ...known(bytes === null ? null : bytesText(bytes), args), from: [...first.from] };
    }
    case '.getstring':
    case '[scriptblock]::create':
    case '.getbytes':
    case '.newscriptblock':
    case '[string]::new':
    case '[net.webutility]::urldecode':
      return known(first.text ?? first.list?.join('') ?? null, args);
    case '[string]::join':
      return known(
        args
          .slice(1)
          .flatMap(parts)
          .join(first.text ?? ''),
        args,
      );
    case '[string]::concat':
      return known(args.flatMap(parts).join(''), args);
    case '[string]::format':
      return combined('-f', first, { text: null, list: args.slice(1).flatMap(parts), from: [] });
    case '[convert]::toint32':
    case '[convert]::toint16':
    case '[convert]::tobyte':
      return known(first.text === null ? null : String(Number.parseInt(first.text, Number(second.text ?? 10) || 10)), args);
    case '[environment]::getenvironmentvariable':
      return known(environmentOf(first.text ?? '') ?? null);
    case '[environment]::getfolderpath':
      return known(/startup/iu.test(first.text ?? '') ? '~/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup' : '~', args);
    case '[io.path]::combine':
    case '.joinpath':
      return known(args.flatMap(parts).join('\\'), args);
    case '[io.path]::gettemppath':
      return known('~/AppData/Local/Temp/');
    case '.replace':
      return owner.text === null || first.text === null || first.text === '' || second.text === null
        ? known(null, [owner, ...args])
        : known(
            owner.text.replaceAll(first.text, () => second.text ?? ''),
            [owner, ...args],
          );
    case '.split':
      return owner.text === null ? owner : { ...known(null, [owner]), list: owner.text.split(first.text ?? ' ').slice(0, 4096) };
    case '.trim':
    case '.tostring':
    case '.trimend':
    case '.trimstart':
      return owner.text === null ? { ...owner } : owner;
    case '.tolower':
    case '.toupper':
      return known(name === '.tolower' ? (owner.text?.toLowerCase() ?? null) : (owner.text?.toUpperCase() ?? null), [owner]);
    case '.tochararray':
      return { ...known(null, [owner]), list: owner.text === null ? null : [...owner.text].slice(0, 4096) };
    case '.substring':
      return owner.text === null
        ? owner
        : known(
            owner.text.slice(Number(first.text ?? 0), second.text === null ? undefined : Number(first.text ?? 0) + Number(second.text)),
            [owner],
          );
    case '.insert':
      return owner.text === null
        ? owner
        : known(owner.text.slice(0, Number(first.text ?? 0)) + (second.text ?? '') + owner.text.slice(Number(first.text ?? 0)), [owner]);
    case '.length':
    case '.count':
      return known(String(owner.list?.length ?? owner.text?.length ?? ''), []);
    case '.unicode':
    case '.utf8':
    case '.ascii':
    case '[text.encoding]::unicode':
    case '[text.encoding]::utf8':
    case '[text.encoding]::ascii':
    case '[text.encoding]::default':
      return { ...NONE };
    default:
      return null;
  }
}

function called(reader: PsReader, owner: PsValue, name: string, form: 'call' | 'member'): PsValue {
  const args: PsValue[] = [];
  if (form === 'call') {
    reader.pos++;
    space(reader);
    while (reader.pos < reader.source.length && reader.source[reader.pos] !== ')' && args.length < 64) {
      const start = reader.pos;
      args.push(expressionValueInList(reader));
      space(reader);
      if (reader.source[reader.pos] === ',') reader.pos++;
      space(reader);
      if (reader.pos === start) reader.pos++;
    }
    if (reader.source[reader.pos] === ')') reader.pos++;
  }
  const made = pure(name, owner, args);
  if (made !== null && !/^\[convert\]::frombase64string$|^\[scriptblock\]::create$/u.test(name)) return made;
  if (name === '.invoke' || name === '.invokereturnasis' || name === '.invokescript') {
    const script = args[0]?.text ?? owner.text;
    if (script !== null && script !== undefined && script !== '') return reader.state.read.text(script, reader.state);
  }
  if (form === 'member' && !name.startsWith('[')) return { ...NONE, from: owner.from };
  const command: PsCommand = {
    name,
    words: [name, ...args.flatMap((arg) => parts(arg))].slice(0, 64),
    redirects: [],
    input: [],
    from: [...owner.from, ...args.flatMap((arg) => arg.from)].slice(0, 64),
  };
  if (reader.state.commands.length < 2000) reader.state.commands.push(command);
  else reader.state.cut = true;
  return { ...(made ?? NONE), from: [command] };
}

/** An argument of a method: commas separate there. */
function expressionValueInList(reader: PsReader): PsValue {
  const { state } = reader;
  if (state.depth >= MAX_DEPTH) {
    state.cut = true;
    reader.pos = reader.source.length;
    return NONE;
  }
  state.depth++;
  let value = members(reader, primary(reader));
  for (;;) {
    blanks(reader);
    const sign = OPERATOR.exec(reader.source.slice(reader.pos, reader.pos + 16))?.[0];
    if (sign === undefined) break;
    reader.pos += sign.length;
    space(reader);
    value = combined(sign.toLowerCase(), value, members(reader, primary(reader)));
  }
  state.depth--;
  return value;
}

function single(reader: PsReader): PsValue {
  const { source } = reader;
  const chunks: string[] = [];
  let from = ++reader.pos;
  for (;;) {
    while (reader.pos < source.length && !/['\u2018-\u201b]/u.test(source[reader.pos] ?? '')) reader.pos++;
    chunks.push(source.slice(from, reader.pos));
    if (!/['\u2018-\u201b]/u.test(source[reader.pos + 1] ?? '')) break;
    chunks.push("'");
    reader.pos += 2;
    from = reader.pos;
  }
  reader.pos++;
  return known(chunks.join(''));
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '0': '\0',
  a: '\u0007',
  b: '\b',
  e: '\u001b',
  f: '\f',
  v: '\v',
};

function double(reader: PsReader): PsValue {
  reader.pos++;
  return filled(reader, (char) => /["\u201c-\u201e]/u.test(char));
}

function here(reader: PsReader): PsValue {
  const { source } = reader;
  const quote = source[reader.pos + 1] ?? '"';
  const start = source.indexOf('\n', reader.pos);
  const stop = start < 0 ? -1 : source.indexOf(`\n${quote}@`, start - 1);
  const body = source.slice(start < 0 ? source.length : start + 1, stop < 0 ? source.length : Math.max(start + 1, stop));
  reader.pos = stop < 0 ? source.length : stop + 3;
  if (quote === "'" || !body.includes('$')) return known(body);
  const inner: PsReader = { source: body, pos: 0, state: reader.state };
  return filled(inner, () => false);
}

/** Text with variables and `$( )` in it, up to a sign that closes it. */
function filled(reader: PsReader, closes: (char: string) => boolean): PsValue {
  const { source } = reader;
  const chunks: string[] = [];
  const from: PsCommand[] = [];
  let start = reader.pos;
  while (reader.pos < source.length) {
    const char = source[reader.pos] ?? '';
    if (closes(char)) {
      if (!closes(source[reader.pos + 1] ?? '')) break;
      chunks.push(source.slice(start, reader.pos + 1));
      reader.pos += 2;
      start = reader.pos;
    } else if (char === '`') {
      const next = source[reader.pos + 1] ?? '';
      chunks.push(source.slice(start, reader.pos), ESCAPES[next] ?? next);
      reader.pos += 2;
      start = reader.pos;
    } else if (char === '$' && /[\w({]/u.test(source[reader.pos + 1] ?? '')) {
      chunks.push(source.slice(start, reader.pos));
      const value = primary(reader);
      from.push(...value.from.slice(0, 8));
      chunks.push(value.text ?? value.list?.join(' ') ?? '$UNKNOWN');
      start = reader.pos;
    } else reader.pos++;
  }
  chunks.push(source.slice(start, reader.pos));
  reader.pos++;
  return { ...known(chunks.join('')), from: from.slice(0, 64) };
}
