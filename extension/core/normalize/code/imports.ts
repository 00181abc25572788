/** Imports of all languages: which name stands for which module or member. */
import { moduleName } from '#core/normalize/code/pure.ts';
import { named, type Value } from '#core/normalize/code/value.ts';
import { isSign, peek, skipLines, type Walk } from '#core/normalize/code/walk.ts';

/** Reads an import, or names taken out of a module, at the position; false when there is none. */
export function readImport(walk: Walk): boolean {
  const word = peek(walk)?.text;
  const next = peek(walk, 1);
  if (word === 'from' && walk.language === 'python' && next?.kind === 'name') return pythonFrom(walk);
  if (word === 'import' && walk.language === 'python') return pythonImport(walk);
  if (word === 'import' && walk.language === 'js' && !isSign(next, '(') && !isSign(next, '.')) return jsImport(walk);
  if (walk.language === 'js' && (word === 'const' || word === 'let' || word === 'var') && isSign(next, '{')) return taken(walk);
  return false;
}

const set = (walk: Walk, name: string, value: Value): void => {
  if (walk.variables.size < 4000) walk.variables.set(name, value);
};

function dotted(walk: Walk): string {
  const parts: string[] = [];
  while (peek(walk)?.kind === 'name' && parts.length < 12) {
    parts.push(peek(walk)?.text ?? '');
    walk.pos++;
    if (!isSign(peek(walk), '.')) break;
    walk.pos++;
  }
  return parts.join('.');
}

function pythonImport(walk: Walk): boolean {
  walk.pos++;
  for (let count = 0; count < 64; count++) {
    const name = dotted(walk);
    if (name === '') return true;
    if (peek(walk)?.text === 'as') {
      set(walk, peek(walk, 1)?.text ?? '', named(name));
      walk.pos += 2;
    }
    if (!isSign(peek(walk), ',')) return true;
    walk.pos++;
  }
  return true;
}

function pythonFrom(walk: Walk): boolean {
  const start = walk.pos;
  walk.pos++;
  const module = dotted(walk);
  if (peek(walk)?.text !== 'import') {
    walk.pos = start;
    return false;
  }
  walk.pos++;
  const parenthesis = isSign(peek(walk), '(');
  if (parenthesis) walk.pos++;
  for (let count = 0; count < 128; count++) {
    if (parenthesis) skipLines(walk);
    const token = peek(walk);
    if (token?.kind !== 'name') {
      // All of a module: those whose names say what they do.
      if (isSign(token, '*')) for (const name of STARRED[module] ?? []) set(walk, name, named(`${module}.${name}`));
      walk.pos++;
      return true;
    }
    walk.pos++;
    const renamed = peek(walk)?.text === 'as' ? peek(walk, 1)?.text : undefined;
    if (renamed !== undefined) walk.pos += 2;
    set(walk, renamed ?? token.text, named(`${module}.${token.text}`));
    if (parenthesis) skipLines(walk);
    if (!isSign(peek(walk), ',')) {
      if (parenthesis && isSign(peek(walk), ')')) walk.pos++;
      return true;
    }
    walk.pos++;
  }
  return true;
}

const STARRED: Readonly<Record<string, readonly string[]>> = {
  os: ['system', 'popen', 'remove', 'unlink', 'environ', 'execvp', 'execl', 'rmdir'],
  subprocess: ['run', 'call', 'Popen', 'check_output', 'check_call', 'getoutput'],
  shutil: ['rmtree', 'copy', 'move'],
  socket: ['socket', 'create_connection'],
};

function jsImport(walk: Walk): boolean {
  walk.pos++;
  const names: (readonly [string, string])[] = [];
  for (let count = 0; count < 200; count++) {
    const token = peek(walk);
    if (token === undefined) return true;
    walk.pos++;
    if (token.kind === 'text') {
      const module = moduleName(token.text);
      for (const [local, member] of names) set(walk, local, named(member === '' ? module : `${module}.${member}`));
      return true;
    }
    if (isSign(token, '*') && peek(walk)?.text === 'as') {
      names.push([peek(walk, 1)?.text ?? '', '']);
      walk.pos += 2;
    } else if (isSign(token, '{')) readNames(walk, names, 'as');
    else if (token.kind === 'name' && token.text !== 'from' && token.text !== 'type') names.push([token.text, '']);
    else if (isSign(token, ';')) return true;
  }
  return true;
}

/** `{ a, b as c }` or `{ a, b: c }` after its brace: local names and what they are members of. */
function readNames(walk: Walk, names: (readonly [string, string])[], renames: 'as' | ':'): void {
  for (let count = 0; count < 400; count++) {
    const token = peek(walk);
    if (token === undefined) return;
    walk.pos++;
    if (isSign(token, '}')) return;
    if (token.kind !== 'name') continue;
    const renamed = peek(walk)?.text === renames && peek(walk, 1)?.kind === 'name' ? peek(walk, 1)?.text : undefined;
    if (renamed !== undefined) walk.pos += 2;
    names.push([renamed ?? token.text, token.text]);
  }
}

/** `const { exec } = require('child_process')`. */
function taken(walk: Walk): boolean {
  walk.pos += 2;
  const names: (readonly [string, string])[] = [];
  readNames(walk, names, ':');
  if (!isSign(peek(walk), '=')) return true;
  walk.pos++;
  const value = walk.read.expression(walk);
  for (const [local, member] of names) {
    const own = value.keys?.get(member);
    if (own !== undefined) set(walk, local, own);
    else if (value.name !== '') set(walk, local, named(`${value.name}.${member}`));
  }
  return true;
}
