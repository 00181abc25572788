/** What a program is called whatever the path, version or ending it is written with. */
export function programName(word: string): string {
  const base = word.split(/[\\/]/u).at(-1) ?? word;
  return base.toLowerCase().replace(/\.(?:exe|cmd|com)$/u, '');
}

const VERSIONED = /^(python|pypy|perl|ruby|node|php|lua|bash)w?[\d.]+$/u;

/** `python3.12` → `python`: versions do not change what a program is. */
export function interpreterName(program: string): string {
  const name = /[\d.]$/u.test(program) ? program.replace(VERSIONED, '$1') : program;
  return name === 'pypy' || name === 'pythonw' ? 'python' : name;
}
