/** Which language a code text is written in, and what of its spelling the lexer has to know. Sources: the languages' own references. */

export type Language = 'python' | 'js' | 'perl' | 'ruby' | 'php' | 'lua' | 'go' | 'r' | 'julia' | 'awk' | 'applescript';

export interface Spelling {
  readonly comments: readonly ('#' | '//' | '/*' | '--')[];
  /** What stands between backticks: a text with holes, a text as it is, or a command that is run. */
  readonly backtick: 'template' | 'raw' | 'run' | 'none';
  /** How a text in double quotes names values. */
  readonly holes: 'none' | '#{' | '$';
  /** Calls may go without parentheses. */
  readonly bareCalls: boolean;
  /** A full stop joins texts; members follow `->` or `::`. */
  readonly dotJoins: boolean;
  readonly regexes: boolean;
}

const SPELLINGS: Readonly<Record<Language, Spelling>> = {
  python: { comments: ['#'], backtick: 'none', holes: 'none', bareCalls: false, dotJoins: false, regexes: false },
  js: { comments: ['//', '/*'], backtick: 'template', holes: 'none', bareCalls: false, dotJoins: false, regexes: true },
  perl: { comments: ['#'], backtick: 'run', holes: '$', bareCalls: true, dotJoins: true, regexes: true },
  ruby: { comments: ['#'], backtick: 'run', holes: '#{', bareCalls: true, dotJoins: false, regexes: true },
  php: { comments: ['#', '//', '/*'], backtick: 'run', holes: '$', bareCalls: true, dotJoins: true, regexes: false },
  lua: { comments: ['--'], backtick: 'none', holes: 'none', bareCalls: true, dotJoins: false, regexes: false },
  go: { comments: ['//', '/*'], backtick: 'raw', holes: 'none', bareCalls: false, dotJoins: false, regexes: false },
  r: { comments: ['#'], backtick: 'none', holes: 'none', bareCalls: false, dotJoins: false, regexes: false },
  julia: { comments: ['#'], backtick: 'run', holes: '$', bareCalls: false, dotJoins: false, regexes: false },
  awk: { comments: ['#'], backtick: 'none', holes: 'none', bareCalls: true, dotJoins: false, regexes: true },
  applescript: { comments: ['--', '#'], backtick: 'none', holes: 'none', bareCalls: true, dotJoins: false, regexes: false },
};

export const spellingOf = (language: Language): Spelling => SPELLINGS[language];

const BY_NAME: readonly (readonly [RegExp, Language])[] = [
  [/^(?:python|pypy|ipython|jupyter|uwsgi|pytest)|\.pyw?$/iu, 'python'],
  [/^(?:node|nodejs|bun|deno|tsx|ts-node|jiti|zx|babel-node|esno|js|javascript|typescript|playwright|puppeteer)$|\.[mc]?[jt]sx?$/iu, 'js'],
  [/^perl|\.p[lm]$/iu, 'perl'],
  [/^(?:ruby|irb)|\.rb$/iu, 'ruby'],
  [/^php|\.php$/iu, 'php'],
  [/^lua|\.lua$/iu, 'lua'],
  [/^go$|\.go$/iu, 'go'],
  [/^(?:rscript|r)$|\.r$/iu, 'r'],
  [/^julia$|\.jl$/iu, 'julia'],
  [/^[gm]?awk$|\.awk$/iu, 'awk'],
  [/^osascript$|\.(?:scpt|applescript)$/iu, 'applescript'],
];

/** `hint`: the interpreter's name or the file's; the text itself tells when that does not. */
export function languageOf(hint: string, text: string): Language {
  const first = /^#![^\n]{0,200}/u.exec(text)?.[0];
  if (first !== undefined)
    for (const word of first.split(/[\s/]/u).reverse()) {
      const found = BY_NAME.find(([name]) => word !== '' && name.test(word));
      if (found) return found[1];
    }
  const named = BY_NAME.find(([name]) => name.test(hint));
  if (named) return named[1];
  const head = text.slice(0, 4000);
  if (/<\?php/u.test(head)) return 'php';
  if (
    /\b(?:const|let|var)\s{1,5}[\w${[]|=>|\brequire\(|\bconsole\.|\bfunction\s{0,5}\w{0,40}\(|;\s{0,5}$/mu.test(head) &&
    !/^\s{0,8}(?:def|import)\s[^'"{]{1,80}$/mu.test(head)
  )
    return 'js';
  return 'python';
}
