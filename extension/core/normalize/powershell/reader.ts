/**
 * Reads PowerShell: which commands run with which words, as far as that is written down.
 * Our own, since the engine starts anew for every call and loading a grammar costs more than the whole budget of one; and a
 * grammar gives a tree, not what `& ('i'+'ex')` calls. It is held against the grammar in a test. Source: the PowerShell
 * language specification 3.0, and about_Operators, about_Quoting_Rules, about_Splatting.
 */
import { expressionValue } from '#core/normalize/powershell/expression.ts';
import { cmdletName, parameterName, PRESET } from '#core/normalize/powershell/names.ts';
import {
  at,
  blanks,
  isQuote,
  space,
  type PsCommand,
  type PsReader,
  type PsState,
  type PsValue,
} from '#core/normalize/powershell/psText.ts';

const MAX_DEPTH = 60;
const MAX_COMMANDS = 2000;

export function newPsState(): PsState {
  return {
    variables: new Map(PRESET.map(([name, text]) => [name, { text, list: null, from: [] }])),
    commands: [],
    depth: 0,
    units: 512 * 1024,
    cut: false,
    read: { statements, text: readStatements },
  };
}

export function readStatements(source: string, state: PsState): PsValue {
  const empty: PsValue = { text: null, list: null, from: [] };
  state.units -= source.length;
  if (state.depth >= MAX_DEPTH || state.units < 0) {
    state.cut = true;
    return empty;
  }
  state.depth++;
  const reader: PsReader = { source, pos: 0, state };
  const value = statements(reader, '');
  state.depth--;
  return value;
}

/** Reads up to `closer` and past it; the value is that of the last pipeline. */
function statements(reader: PsReader, closer: string): PsValue {
  const { state } = reader;
  const all: PsValue[] = [];
  if (state.depth >= MAX_DEPTH) {
    state.cut = true;
    reader.pos = reader.source.length;
    return { text: null, list: null, from: [] };
  }
  state.depth++;
  while (reader.pos < reader.source.length) {
    space(reader);
    const char = at(reader);
    if (char === '') break;
    if (char === closer) {
      reader.pos++;
      break;
    }
    if (char === ';' || char === ')' || char === '}' || char === ']' || char === ',') {
      reader.pos++;
      continue;
    }
    const before = reader.pos;
    all.push(pipeline(reader));
    if (reader.pos === before) reader.pos++;
  }
  state.depth--;
  const [only] = all;
  if (all.length === 1 && only) return only;
  return { text: all.at(-1)?.text ?? null, list: all.at(-1)?.list ?? null, from: all.flatMap((one) => one.from).slice(0, 64) };
}

const KEYWORD =
  /^(?:if|elseif|else|while|for|foreach|do|until|switch|try|catch|finally|begin|process|end|return|throw|function|filter|param|in|trap|data|class|enum|using|exit|break|continue|workflow|configuration)(?![\w-])/iu;
const ASSIGN = /^(?:[-+*/%]|\?\?)?=(?!=)/u;
const NAME = /^[A-Za-z_?%][\w.:\\/?%+*~-]*/u;

function pipeline(reader: PsReader): PsValue {
  const { state } = reader;
  if (state.depth >= MAX_DEPTH) {
    state.cut = true;
    reader.pos = reader.source.length;
    return { text: null, list: null, from: [] };
  }
  state.depth++;
  const value = stages(reader);
  state.depth--;
  return value;
}

function stages(reader: PsReader): PsValue {
  let value = element(reader, null);
  for (;;) {
    blanks(reader);
    const two = reader.source.slice(reader.pos, reader.pos + 2);
    if (two === '||' || two === '&&') {
      reader.pos += 2;
      space(reader);
      value = element(reader, null);
    } else if (at(reader) === '|') {
      reader.pos++;
      space(reader);
      value = element(reader, value);
    } else if (at(reader) === '&') reader.pos++;
    else return value;
  }
}

function element(reader: PsReader, before: PsValue | null): PsValue {
  const { source } = reader;
  let char = at(reader);
  const keyword = KEYWORD.exec(source.slice(reader.pos, reader.pos + 20))?.[0];
  if (keyword !== undefined && !(before !== null && /^foreach$/iu.test(keyword))) {
    reader.pos += keyword.length;
    if (/^(?:function|filter|workflow|class|enum)$/iu.test(keyword)) {
      blanks(reader);
      reader.pos += NAME.exec(source.slice(reader.pos, reader.pos + 200))?.[0].length ?? 0;
    }
    return { text: null, list: null, from: [] };
  }
  if ((char === '&' || char === '.') && /^[&.](?:\s|["'$({])/u.test(source.slice(reader.pos, reader.pos + 2))) {
    reader.pos++;
    blanks(reader);
    char = at(reader);
    if (char === '{') {
      const block = expressionValue(reader);
      return commandWords(reader, '&', block.from, before);
    }
    const callee = isQuote(char) || char === '$' || char === '(' ? expressionValue(reader) : null;
    if (callee) return commandWords(reader, callee.text ?? callee.list?.join('') ?? '$UNKNOWN', callee.from, before);
  }
  if (isQuote(char) || /[$([@{\d!+-]/u.test(char)) {
    const start = reader.pos;
    const value = expressionValue(reader);
    blanks(reader);
    const assign = ASSIGN.exec(source.slice(reader.pos, reader.pos + 3))?.[0];
    if (assign !== undefined) {
      reader.pos += assign.length;
      space(reader);
      const given = pipeline(reader);
      const name = /^(?:\[[^\]]{1,80}\]\s{0,4})?\$\{?(?:script:|global:|local:|private:|env:)?([\w]{1,80})\}?$/iu.exec(
        source.slice(start, start + 200).split(/\s{0,9}(?:[-+*/%]|\?\?)?=/u)[0] ?? '',
      )?.[1];
      if (name !== undefined && reader.state.variables.size < 2000) {
        const old = assign === '+=' ? reader.state.variables.get(name.toLowerCase()) : undefined;
        const text = old?.text !== undefined && old.text !== null && given.text !== null ? old.text + given.text : given.text;
        reader.state.variables.set(name.toLowerCase(), {
          text: text !== null && text.length > 65_536 ? null : text,
          list: given.list,
          from: [...(old?.from ?? []), ...given.from].slice(0, 64),
        });
      }
      return given;
    }
    return value;
  }
  // In a table, a name and a sign stand before what may be a command.
  const key = /^[\w-]{1,80}\s{0,20}=(?!=)\s{0,20}/u.exec(source.slice(reader.pos, reader.pos + 130))?.[0];
  if (key !== undefined && before === null) {
    reader.pos += key.length;
    return pipeline(reader);
  }
  const name = bareWord(reader);
  return name === '' ? { text: null, list: null, from: [] } : commandWords(reader, name, [], before);
}

/** A word without quotes: backticks escape, variables and quoted parts in it are read. */
export function bareWord(reader: PsReader): string {
  const { source } = reader;
  const parts: string[] = [];
  while (reader.pos < source.length) {
    const char = at(reader);
    if (/[\s;|(){},]/u.test(char) || (char === '&' && parts.length > 0) || (char === '>' && !/^\d$/u.test(parts.join('')))) break;
    if (char === '`') {
      parts.push(source[reader.pos + 1] ?? '');
      reader.pos += 2;
    } else if (isQuote(char) || (char === '$' && /[\w({?^$]/u.test(source[reader.pos + 1] ?? ''))) {
      const value = expressionValue(reader, 'a part');
      parts.push(value.text ?? value.list?.join(' ') ?? '$UNKNOWN');
    } else {
      parts.push(char);
      reader.pos++;
    }
  }
  return parts.join('');
}

const HANDS_ON = /^(?:foreach|where|select|sort)-object$/iu;

/** The words after a command's name, up to the end of its stage. */
function commandWords(reader: PsReader, written: string, callee: readonly PsCommand[], before: PsValue | null): PsValue {
  const { source, state } = reader;
  const name = cmdletName(written);
  const command: PsCommand = { name, words: [name], redirects: [], input: [], from: [...callee] };
  if (before !== null) {
    command.from.push(...before.from);
    // What only picks or walks through hands on what it gets; a row of such stages hands on what went into the first of them.
    for (const early of before.from)
      if (HANDS_ON.test(early.name))
        for (const source of early.from)
          if (!HANDS_ON.test(source.name) && command.from.length < 64 && !command.from.includes(source)) command.from.push(source);
    const text = before.text ?? before.list?.join('\n') ?? null;
    if (text !== null) command.input.push(text);
  }
  if (state.commands.length >= MAX_COMMANDS) state.cut = true;
  else state.commands.push(command);
  while (reader.pos < source.length && command.words.length < 512) {
    blanks(reader);
    const char = at(reader);
    if (char === '' || /[\n;|)}]/u.test(char) || (char === '&' && source[reader.pos + 1] !== "'")) break;
    const redirect = /^[1-6*]?(>>?)(?:&[12]|\s{0,9})/u.exec(source.slice(reader.pos, reader.pos + 14));
    if (redirect) {
      reader.pos += redirect[0].length;
      if (!redirect[0].includes('&')) command.redirects.push({ op: redirect[1] ?? '>', target: bareWord(reader) });
      continue;
    }
    if (char === ',') {
      reader.pos++;
      space(reader);
      continue;
    }
    const option = /^[-\u2013\u2014\u2015]{1}[A-Za-z?][\w?-]{0,60}(:?)/u.exec(source.slice(reader.pos, reader.pos + 64));
    if (
      option &&
      /^(?:$|[\s:;|)},=])/u.test(source.slice(reader.pos + option[0].length, reader.pos + option[0].length + 1)) &&
      /^[A-Z?%]/iu.test(name) &&
      isCmdlet(name)
    ) {
      reader.pos += option[0].length;
      command.words.push(parameterName(name, `-${option[0].slice(1).replace(/:$/u, '')}`));
      continue;
    }
    if (isQuote(char) || char === '(' || char === '@' || char === '{' || char === '$' || (char === '[' && isCmdlet(name))) {
      const start = reader.pos;
      const value = expressionValue(reader, 'an argument');
      command.from.push(...value.from.slice(0, 64));
      const rest = char === '@' || char === '{' || char === '(' ? '' : tail(reader);
      if (value.list !== null && value.text === null) command.words.push(...value.list.slice(0, 256));
      else
        command.words.push(
          (value.text ?? (char === '{' ? source.slice(start + 1, Math.max(start + 1, reader.pos - 1)) : '$UNKNOWN')) + rest,
        );
      if (reader.pos === start) reader.pos++;
      continue;
    }
    const start = reader.pos;
    const word = bareWord(reader);
    if (word !== '') command.words.push(word);
    if (reader.pos === start) reader.pos++;
  }
  return { text: echoed(command), list: null, from: [command] };
}

/** What follows an expression without a blank belongs to its word. */
function tail(reader: PsReader): string {
  return /[\s;|(){},&>]/u.test(at(reader)) || at(reader) === '' ? '' : bareWord(reader);
}

export const isCmdlet = (name: string): boolean =>
  /^[A-Za-z]{2,20}-[A-Za-z]\w{1,60}$/u.test(name) || /^(?:powershell|pwsh)(?:\.exe)?$/iu.test(name);

/** What a command hands on that is known. */
function echoed(command: PsCommand): string | null {
  switch (command.name.toLowerCase()) {
    case 'write-output':
    case 'write-host':
    case 'get-variable':
      return command.words.length > 1
        ? command.words
            .slice(1)
            .filter((word) => !/^-[A-Z]/u.test(word))
            .join(' ')
        : null;
    case 'out-string':
    case 'foreach-object':
      return command.words.length === 1 ? (command.input[0] ?? null) : null;
    case 'get-command':
      return command.words[1] ?? null;
    default:
      return null;
  }
}
