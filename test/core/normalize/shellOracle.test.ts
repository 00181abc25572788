/**
 * Holds our own shell reader against tree-sitter's Bash grammar: every command the grammar names, ours has to name too.
 * The grammar itself is not shipped: loading it and reading a first line costs over 20 ms, ours a few microseconds.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalize } from '#core/normalize/normalize.ts';
import { programName } from '#core/normalize/shell/programNames.ts';
import { corporaFiles, readSampleFile } from '../../eval/samples.ts';
import { compiledRules, context } from '../gateKit.ts';
import { ORDINARY_SCRIPTS } from './shell/ordinaryScripts.ts';

interface SyntaxNode {
  readonly type: string;
  readonly text: string;
  readonly hasError: boolean;
  readonly namedChildren: readonly (SyntaxNode | null)[];
  descendantsOfType(type: string): readonly (SyntaxNode | null)[];
}
interface Tree {
  readonly rootNode: SyntaxNode;
  delete(): void;
}
interface TreeSitter {
  readonly Parser: {
    init(options: object): Promise<void>;
    new (): { setLanguage(language: unknown): void; parse(text: string): Tree | null };
  };
  readonly Language: { load(bytes: Uint8Array): Promise<unknown> };
}

const require = createRequire(import.meta.url);
const treeSitter = require('@vscode/tree-sitter-wasm') as TreeSitter;
const wasm = (name: string): string => require.resolve(`@vscode/tree-sitter-wasm/wasm/${name}`);
await treeSitter.Parser.init({ locateFile: () => wasm('tree-sitter.wasm') });
const grammar = new treeSitter.Parser();
grammar.setLanguage(await treeSitter.Language.load(new Uint8Array(readFileSync(wasm('tree-sitter-bash.wasm')))));

/** Programs the grammar names in plain letters; null when it could not read the line itself. */
function named(line: string): readonly string[] | null {
  const tree = grammar.parse(line);
  if (!tree) return null;
  const names = tree.rootNode.hasError
    ? null
    : tree.rootNode
        .descendantsOfType('command_name')
        .flatMap((node) => (node?.namedChildren[0]?.type === 'word' ? [node.text] : []))
        .filter((name) => /^[\w./+-]{1,60}$/u.test(name))
        .map(programName);
  tree.delete();
  return names;
}

function ours(line: string): ReadonlySet<string> {
  const call = {
    client: 'claude',
    agent: 'main',
    session: 's',
    useId: null,
    channel: 'shell',
    tool: 'Bash',
    server: null,
    args: { command: line },
    cwd: '/home/dev/app',
  } as const;
  return new Set(
    normalize(call, context).commands.flatMap((command) => [
      command.program,
      ...command.words.slice(0, command.program === 'help' ? 2 : 1).map(programName),
    ]),
  );
}

/** Names the grammar finds where no command runs, and why. */
const EXCEPTIONS: readonly { readonly line: RegExp; readonly name: RegExp; readonly why: string }[] = [
  { line: /(?:^|\s)\d\w{0,20}=/u, name: /./u, why: 'a name that begins with a digit cannot be assigned to: the word is the program' },
  {
    line: /./u,
    name: /^(?:time|coproc|do|done|then|fi|else|esac)$/u,
    why: 'a reserved word; the grammar takes it for a program where it is lenient',
  },
];

function missed(lines: Iterable<string>): readonly (readonly string[])[] {
  const out: string[][] = [];
  for (const line of lines) {
    const names = named(line);
    if (names === null || names.length === 0) continue;
    const found = ours(line);
    for (const name of names)
      if (!found.has(name) && !EXCEPTIONS.some((row) => row.line.test(line) && row.name.test(name))) out.push([name, line.slice(0, 400)]);
  }
  return out;
}

const LINES: readonly string[] = [
  'ls -la',
  'a && b || c; d & e',
  'a | b |& c',
  'if a; then b; elif c; then d; else e; fi',
  'while a; do b; done; until c; do d; done',
  'for x in 1 2; do a; done',
  'for ((i=0;i<3;i++)); do a; done',
  'case $x in a) b;; c|d) e;; *) f;; esac',
  'case $x in (a) b;; esac',
  'select x in a b; do c; done',
  '(a; b) | { c; d; }',
  'f() { a; }; f',
  'function f { a; }\nf',
  'function f() { a; }\nf',
  'f()\n{\n  a\n}\nf',
  'f() ( a; b )',
  'a $(b $(c) `d`)',
  'a "x $(b "y $(c)")"',
  'a <(b) >(c)',
  'a <<E\n$(b)\nE\nc',
  "a <<'E'\n$(b)\nE\nc",
  'a <<-E\n\t$(b)\n\tE\nc',
  'a <<E | b\nx\nE\nc',
  'a <<< "$(b)"; c',
  'x=$(a) y=`b` c',
  'x=(1 2 $(a)); b',
  '! a; time b; coproc c',
  '[[ -n $(a) && b == c ]] && d',
  '[[ a =~ ^(b|c)$ ]] || d',
  '(( x = 1 )) && a',
  'a ${x:-$(b)} ${y/$(c)/d}',
  'a \\\n  b\nc',
  'a # b\nc',
  'a;b&c\nd',
  'a 2>&1 >b <c; d',
  '>a b',
  '{ a; } > b; c',
  'if ! a; then :; fi',
  'while read -r l; do a "$l"; done < <(b)',
  'a && { b; } || { c; }',
  "a 'it'\\''s' && b",
  'a $((1 + $(b))) && c',
  'trap "a" EXIT; b',
  'a &&\n  b ||\n  c',
  'x=1; export y=$(a); b',
  'if [ -f x ]; then a; fi; b',
  'case x in \'a b\') c;; "d") e;; esac; f',
  'a() { case $1 in x) b;; esac; }; a x',
  'for f in *.c; do (a "$f" && b) & done; wait',
  'a $(case x in y) b;; esac); c',
  'a "$(cat <<E\nb\nE\n)"; c',
];

/** Command lines of any shape. */
const line = fc.letrec<{ line: string; simple: string; compound: string; word: string }>((tie) => ({
  word: fc.oneof(
    { maxDepth: 2, depthSize: 'xsmall' },
    fc.constantFrom('x', '-f', "'q; r'", '"s | t"', '$v', '${v:-w}', '*.c', 'a\\ b', '{m,n}', 'o#n', '1', '~', '--k=v'),
    tie('line').map((inner) => `$(${inner})`),
    tie('line').map((inner) => `"$(${inner})"`),
    tie('simple').map((inner) => `<(${inner})`),
  ),
  simple: fc
    .tuple(
      fc.constantFrom('', 'V=1 ', 'V="a b" '),
      fc.constantFrom('alpha', 'beta', './gamma', '/bin/delta', 'eps-1'),
      fc.array(tie('word'), { maxLength: 3 }),
      fc.constantFrom('', ' > o', ' 2>&1', ' <<< y', ' < i'),
    )
    .map(([assign, name, words, redirect]) => `${assign}${[name, ...words].join(' ')}${redirect}`),
  compound: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    tie('simple'),
    tie('line').map((inner) => `( ${inner} )`),
    tie('line').map((inner) => `{ ${inner}; }`),
    fc.tuple(tie('simple'), tie('line')).map(([test, body]) => `if ${test}; then ${body}; fi`),
    fc.tuple(tie('simple'), tie('line')).map(([test, body]) => `while ${test}; do ${body}; done`),
    tie('line').map((body) => `for i in 1 2; do ${body}; done`),
    tie('line').map((body) => `case $v in a|b) ${body};; *) zeta;; esac`),
    tie('line').map((body) => `g() { ${body}; }`),
  ),
  line: fc
    .tuple(
      tie('compound'),
      fc.array(fc.tuple(fc.constantFrom(' && ', ' || ', '; ', ' | ', '\n', ' & ', ' |\n', ' &&\n'), tie('compound')), { maxLength: 3 }),
    )
    .map(([first, rest]) => first + rest.map(([joint, next]) => joint + next).join('')),
})).line;

describe('every command the Bash grammar names, our reader names', () => {
  it('in lines made for it', () => {
    expect(LINES.filter((text) => named(text) === null)).toEqual([]);
    expect(missed(LINES)).toEqual([]);
  });
  it('in the examples of the rules', () => {
    // Examples of other channels are prose, pages and files; a rule of Windows shows lines of shells that are not Bash.
    const texts = [...compiledRules.examples]
      .filter(([rule]) => !rule.startsWith('windows.'))
      .flatMap(([, one]) => [...one.match, ...one.noMatch])
      .filter((example) => example.channel === 'shell')
      .map((example) => example.text);
    expect(texts.filter((text) => (named(text) ?? []).length > 0).length).toBeGreaterThan(100);
    expect(missed(texts)).toEqual([]);
  });
  it('in ordinary scripts', () => {
    expect(missed(ORDINARY_SCRIPTS.filter((row) => row.file.endsWith('.sh')).map((row) => row.text))).toEqual([]);
  });
  for (const file of corporaFiles().filter((name) => name.includes('bash'))) {
    it(`in ${file}`, { timeout: 60_000 }, () => {
      const lines = readSampleFile(file).flatMap((sample) =>
        Object.values(sample.call.args as Record<string, unknown>).filter((value) => typeof value === 'string'),
      );
      expect(missed(lines)).toEqual([]);
    });
  }
  it('in generated lines', { timeout: 60_000 }, () => {
    let read = 0;
    fc.assert(
      fc.property(line, (text) => {
        if (text.length > 2000) return;
        if (named(text) !== null) read++;
        expect(missed([text])).toEqual([]);
      }),
      { numRuns: 2000, seed: 7 },
    );
    expect(read).toBeGreaterThan(500);
  });
});
