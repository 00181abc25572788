/** Cuts code into names, texts, numbers and signs; comments are left out. One pass; what cannot be told is a sign. */
import { spellingOf, type Language } from '#core/normalize/code/languages.ts';
import { quotedText, type Part } from '#core/normalize/code/quoted.ts';

export interface Token {
  readonly kind: 'text' | 'run' | 'name' | 'number' | 'sign' | 'line';
  readonly text: string;
  /** Of a text with holes: what stands around and in them. */
  readonly parts: readonly Part[] | null;
}

const NAME = /[$@]?[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*|\$[_0-9]?/uy;
const NUMBER = /(?:0[xob])?[\d][\w]*(?:\.\d+)?/uy;
const SIGN = /=>|={2,3}|!={1,2}|<=|>=|\+=|\.=|\|\||&&|\?\?|:=|\.{2,3}|<<|>>|<-|\|&|=~|::|->|\?\.|\*\*|[^]/uy;
const PY_PREFIX = /^(?:[rR]?[bBfFuU]|[bBfF]?[rR])$/u;
const QUOTE_WORDS = /^(?:q|qq|qx|qw|m|qr|s|tr|y)$/u;
const CLOSERS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '<': '>' };
/** After these a slash begins a pattern. */
const BEFORE_PATTERN = /^(?:[(,=:[!&|?{};~]|=~|&&|\|\||=>|return|if|unless|and|or|not|when|split|grep|match)$/u;

/** @returns the tokens, and whether `most` was not enough for all of them. */
export function tokensOf(source: string, language: Language, most: number): { readonly tokens: readonly Token[]; readonly cut: boolean } {
  const spelling = spellingOf(language);
  const tokens: Token[] = [];
  let pos = 0;
  const add = (kind: Token['kind'], text: string, parts: readonly Part[] | null = null): void => {
    tokens.push({ kind, text, parts });
  };
  const quoted = (quote: string, how: Parameters<typeof quotedText>[2], kind: 'text' | 'run' = 'text'): void => {
    const read = quotedText(source, pos, { ...how, close: quote });
    pos = read.end;
    add(kind, read.text, read.parts);
  };
  /** Perl's and Ruby's own quotes: `pos` stands at the opening sign. */
  const custom = (how: string): void => {
    const open = source[pos] ?? '';
    pos++;
    const close = CLOSERS[open] ?? open;
    const inner = quotedText(source, pos, {
      open: close === open ? '' : open,
      close,
      escapes: how === 'q' || how === 'w' ? 'few' : 'all',
      holes: how === 'q' || how === 'w' || how === 'm' ? 'none' : spelling.holes,
      lines: true,
    });
    pos = inner.end;
    if (how === 'w') {
      add('sign', '[');
      for (const word of inner.text
        .split(/\s+/u)
        .filter((one) => one !== '')
        .slice(0, 256)) {
        add('text', word);
        add('sign', ',');
      }
      add('sign', ']');
    } else if (how === 's') {
      // The replacement: behind the same sign, or in brackets of its own.
      if (close !== open) {
        while (/\s/u.test(source[pos] ?? '')) pos++;
        pos++;
      }
      pos = quotedText(source, pos, { open: '', close, escapes: 'few', holes: 'none', lines: true }).end;
      add('text', '');
    } else if (how === 'm') add('text', '');
    else add(how === 'x' ? 'run' : 'text', inner.text, inner.parts);
  };
  while (pos < source.length && tokens.length < most) {
    const char = source[pos] ?? '';
    if (char === '\n') {
      add('line', '\n');
      pos++;
      continue;
    }
    if (char === ' ' || char === '\t' || char === '\r') {
      pos++;
      continue;
    }
    if (char === '\\' && source[pos + 1] === '\n') {
      pos += 2;
      continue;
    }
    const comment =
      char === '#' || char === '/' || char === '-' ? spelling.comments.find((mark) => source.startsWith(mark, pos)) : undefined;
    if (comment !== undefined && !(comment === '#' && language === 'php' && source[pos + 1] === '[')) {
      if (language === 'lua' && source.startsWith('--[[', pos)) pos = after(source, ']]', pos);
      else if (comment === '/*') pos = after(source, '*/', pos + 2);
      else {
        const stop = source.indexOf('\n', pos);
        pos = stop < 0 ? source.length : stop;
      }
      continue;
    }
    if (char === '"' || char === "'") {
      const prefix = language === 'python' ? pythonPrefix(tokens, source, pos) : '';
      const triple = language === 'python' && source.startsWith(char.repeat(3), pos);
      pos += triple ? 3 : 1;
      quoted(triple ? char.repeat(3) : char, {
        open: '',
        close: '',
        escapes: /r/iu.test(prefix) ? 'none' : char === "'" && /^(?:perl|ruby|php)$/u.test(language) ? 'few' : 'all',
        holes: /f/iu.test(prefix) ? '{' : char === '"' ? spelling.holes : 'none',
        lines: triple || !/^(?:python|js|go|lua|awk)$/u.test(language),
      });
      continue;
    }
    if (char === '`' && spelling.backtick !== 'none') {
      pos++;
      const how = spelling.backtick;
      quoted(
        '`',
        {
          open: '',
          close: '',
          escapes: how === 'raw' ? 'none' : 'all',
          holes: how === 'template' ? '${' : how === 'raw' ? 'none' : spelling.holes,
          lines: true,
        },
        how === 'run' ? 'run' : 'text',
      );
      continue;
    }
    if (language === 'lua' && char === '[' && /^\[=*\[/u.test(source.slice(pos, pos + 8))) {
      const open = /^\[=*\[/u.exec(source.slice(pos, pos + 8))?.[0] ?? '[[';
      const stop = after(source, open.replaceAll('[', ']'), pos + open.length);
      add('text', source.slice(pos + open.length, stop - open.length));
      pos = stop;
      continue;
    }
    const last = tokens.at(-1);
    if (char === '/' && spelling.regexes && (last === undefined || last.kind === 'line' || BEFORE_PATTERN.test(last.text))) {
      const stop = /^\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.){0,400}\]){1,2000}\/[a-z]{0,8}/u.exec(source.slice(pos, pos + 2400));
      if (stop) {
        pos += stop[0].length;
        add('text', '');
        continue;
      }
    }
    if (
      language === 'ruby' &&
      char === '%' &&
      /^%[qQwWixr]?[([{<|!/]/u.test(source.slice(pos, pos + 3)) &&
      (last === undefined || last.kind !== 'number')
    ) {
      const kind = /[qQwWixr]/u.test(source[pos + 1] ?? '') ? (source[pos + 1] ?? '') : 'Q';
      pos += kind === 'Q' && source[pos + 1] !== 'Q' ? 1 : 2;
      custom(/[wWi]/u.test(kind) ? 'w' : kind === 'x' ? 'x' : kind === 'q' ? 'q' : kind === 'r' ? 'm' : 'qq');
      continue;
    }
    NAME.lastIndex = pos;
    const name = NAME.exec(source)?.[0];
    if (name !== undefined && !(name.startsWith('$') && name.length < 2 && language !== 'js')) {
      pos += name.length;
      if (language === 'python' && PY_PREFIX.test(name) && (source[pos] === '"' || source[pos] === "'")) {
        add('name', name);
        continue;
      }
      if (language === 'perl' && QUOTE_WORDS.test(name) && last?.text !== '.' && last?.text !== '$') {
        let open = pos;
        while (source[open] === ' ') open++;
        const sign = source[open] ?? '';
        if (/[^\w\s,;=)]/u.test(sign) && !(open > pos && /[=#]/u.test(sign)) && !source.startsWith('=>', open)) {
          pos = open;
          custom(
            name === 'qw'
              ? 'w'
              : name === 'qx'
                ? 'x'
                : name === 'q'
                  ? 'q'
                  : name === 'qq'
                    ? 'qq'
                    : name === 'm' || name === 'qr'
                      ? 'm'
                      : 's',
          );
          continue;
        }
      }
      add('name', name);
      continue;
    }
    NUMBER.lastIndex = pos;
    const number = NUMBER.exec(source)?.[0];
    if (number !== undefined) {
      pos += number.length;
      add('number', number);
      continue;
    }
    SIGN.lastIndex = pos;
    const sign = SIGN.exec(source)?.[0] ?? char;
    pos += sign.length;
    add('sign', meant(sign, language, spelling.dotJoins));
  }
  return { tokens, cut: pos < source.length };
}

/** Member signs of all languages are a full stop here, signs that join texts a plus. */
function meant(sign: string, language: Language, dotJoins: boolean): string {
  if (sign === '->' || sign === '::' || sign === '?.') return language === 'go' ? sign : '.';
  if (dotJoins && (sign === '.' || sign === '.=')) return sign === '.' ? '+' : '+=';
  if (language === 'lua') return sign === '..' ? '+' : sign === ':' ? '.' : sign;
  return sign;
}

/** Takes the prefix before a quote away from the names read so far. */
function pythonPrefix(tokens: Token[], source: string, pos: number): string {
  const last = tokens.at(-1);
  if (last?.kind !== 'name' || !PY_PREFIX.test(last.text) || !source.startsWith(last.text, pos - last.text.length)) return '';
  tokens.pop();
  return last.text;
}

function after(source: string, mark: string, from: number): number {
  const at = source.indexOf(mark, from);
  return at < 0 ? source.length : at + mark.length;
}
