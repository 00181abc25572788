/** What builtins leave behind in the shell: variables, positional parameters, aliases, the folder. */
import { MAX_EXPANSION } from '#core/normalize/limits.ts';
import { follow, type Here } from '#core/normalize/shell/folders.ts';
import { bodyOf, filtered } from '#core/normalize/shell/output.ts';
import type { Reader } from '#core/normalize/shell/reader.ts';
import type { ShellState, Simple } from '#core/normalize/shell/syntax.ts';

/** Most positional parameters that are kept. */
const MAX_POSITIONAL = 64;

export function setVariables(reader: Reader, simple: Simple): void {
  const { variables } = reader.state;
  if (simple.words.length === 0) {
    const separators = simple.assigns.find((assign) => assign.name === 'IFS')?.value;
    if (separators !== undefined) reader.state.separators = separators.replace(/[\s$(){}]/gu, '').slice(0, 8);
    return;
  }
  const words = simple.words.map((word) => word.text);
  const program = words[0];
  switch (program) {
    case 'read':
    case 'mapfile':
    case 'readarray':
      return readInto(reader, simple, words);
    case 'printf':
      return printInto(reader.state, words);
    case 'set': {
      const dashes = words.indexOf('--');
      if (dashes > 0) positional(reader.state, words.slice(dashes + 1));
      return;
    }
    case 'shift':
      return positional(reader.state, positionals(reader.state).slice(Number(words[1] ?? 1) || 1));
    case 'declare':
    case 'typeset':
    case 'local':
      if (words.some((word) => /^-[a-zA-Z]*n/u.test(word)))
        for (const assign of simple.assigns) reader.state.references.set(assign.name, assign.value);
      return;
    case 'alias':
      for (const assign of simple.assigns)
        if (reader.state.aliases.size < MAX_EXPANSION) reader.state.aliases.set(assign.name, assign.value);
      return;
    case 'hash':
      // `hash -p file name`: the name runs that file from then on.
      if (words[1] === '-p' && words.length === 4 && reader.state.aliases.size < MAX_EXPANSION)
        reader.state.aliases.set(words[3] ?? '', words[2] ?? '');
      return;
    case 'cd':
    case 'pushd': {
      const folder = variables.get('PWD');
      if (folder === undefined) return;
      const here: Here = { folder, back: [variables.get('OLDPWD') ?? folder] };
      const searchPath = simple.assigns.find((assign) => assign.name === 'CDPATH')?.value ?? variables.get('CDPATH');
      const operands = words.slice(1).filter((word) => !word.startsWith('-') || word === '-');
      reader.state.output -= follow(program, operands, here, variables.get('HOME') ?? '', searchPath);
      variables.set('PWD', here.folder).set('OLDPWD', folder);
      return;
    }
    default:
  }
}

/** Constant input goes to every name, as a loop would see the lines one after the other; `-a` makes an array of its words. */
function readInto(reader: Reader, simple: Simple, words: readonly string[]): void {
  const { state } = reader;
  const input = bodyOf(simple) ?? simple.redirects.findLast((redirect) => redirect.op === '<')?.target.prints ?? reader.input;
  if (input === null || input === undefined) {
    // Not what it is, but where it comes from, is known.
    const inner = simple.redirects.findLast((redirect) => redirect.target.inner.length > 0)?.target.inner;
    if (inner !== undefined)
      for (const name of words.slice(1).filter((word) => /^[A-Za-z_]\w*$/u.test(word)))
        state.origins.set(name, inner.slice(0, MAX_EXPANSION));
    return;
  }
  const lines = input.trim().split(/\n/u);
  const separators = simple.assigns.find((assign) => assign.name === 'IFS')?.value ?? state.separators;
  let text = input.trim();
  for (const char of separators.replace(/\s/gu, '').slice(0, 8)) text = text.replaceAll(char, ' ');
  const parts = text.split(/\s+/u).slice(0, MAX_EXPANSION);
  const names = words.slice(1).filter((word) => /^[A-Za-z_]\w*$/u.test(word));
  if (words[0] !== 'read' || words.some((word) => /^-[a-z]*a$/u.test(word))) {
    for (const name of names) {
      state.arrays.set(name, words[0] === 'read' ? parts : lines.slice(0, MAX_EXPANSION));
      state.variables.set(name, text.replaceAll('\n', ' '));
    }
    return;
  }
  // Several names over one line get a word each; over several lines, or one name, everything at once.
  for (const [index, name] of names.entries()) {
    const own = index === names.length - 1 ? parts.slice(index).join(' ') : (parts[index] ?? '');
    state.variables.set(name, names.length > 1 && lines.length === 1 ? own : input.replaceAll('\n', ' ').trim());
  }
}

function printInto(state: ShellState, words: readonly string[]): void {
  const name = words[1] === '-v' ? words[2] : undefined;
  if (name === undefined || !/^[A-Za-z_]\w*$/u.test(name)) return;
  const text = filtered(['printf', ...words.slice(3)], null, state);
  if (text !== null) state.variables.set(state.references.get(name) ?? name, text);
}

function positionals(state: ShellState): string[] {
  const out: string[] = [];
  for (let index = 1; index <= MAX_POSITIONAL; index++) {
    const value = state.variables.get(String(index));
    if (value === undefined) break;
    out.push(value);
  }
  return out;
}

function positional(state: ShellState, values: readonly string[]): void {
  for (let index = 1; index <= MAX_POSITIONAL; index++) state.variables.delete(String(index));
  state.variables.delete('@');
  for (const [index, value] of values.slice(0, MAX_POSITIONAL).entries()) state.variables.set(String(index + 1), value);
  if (values.length > 0) state.variables.set('@', values.join(' '));
}

/** Sets `$0` when it is given, `$1`, `$2` … and `$@`; what is returned puts back what they were. */
export function withPositional(state: ShellState, values: readonly string[], zero?: string): () => void {
  const before = positionals(state);
  const name = state.variables.get('0') ?? 'sh';
  positional(state, values);
  if (zero !== undefined) state.variables.set('0', zero);
  return () => {
    positional(state, before);
    state.variables.set('0', name);
  };
}
