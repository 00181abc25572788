/** What `find` and `fd` find, as far as their words tell, and what they start on it. Sources: their manual pages. */

/** The words of every command that `find -exec` and its like start, with what they are started on. */
export function startedBy(program: string, args: readonly string[]): readonly (readonly string[])[] {
  const out: (readonly string[])[] = [];
  const found = program === 'find' ? foundNames(args) : fdNames(args);
  for (let index = 0; index < args.length; index++) {
    if (!/^(?:-exec|-execdir|-ok|-okdir|-x|-X|--exec|--exec-batch)$/u.test(args[index] ?? '')) continue;
    const stop = args.findIndex((arg, at) => at > index && (arg === ';' || arg === '+'));
    const end = stop < 0 ? args.length : stop;
    const words = args.slice(index + 1, end);
    const whole = program !== 'find' && !words.includes('{}') ? [...words, '{}'] : words;
    out.push(whole.flatMap((word) => (word === '{}' ? found : [word.replaceAll('{}', () => found[0] ?? '{}')])));
    index = end;
  }
  return out;
}

/** What makes `find` do more with files than name them. */
export const HANDLES_FILES = /^-(?:exec|execdir|ok|okdir|delete|fprint|fprint0|fprintf|fls)$/u;

/** What `find` finds, as far as its words tell: its starting points, each with every name it asks for. */
export function foundNames(args: readonly string[]): readonly string[] {
  const first = args.findIndex((arg) => /^(?:-(?![HLP]$|O\d)|[(!])/u.test(arg));
  const starts = (first < 0 ? args : args.slice(0, first)).filter((arg) => !/^-(?:[HLP]|O\d)$/u.test(arg));
  const names: string[] = [];
  for (const [index, arg] of args.entries()) if (/^-i?(?:name|wholename|path)$/u.test(arg)) names.push(args[index + 1] ?? '');
  return pairs(starts.length === 0 ? ['.'] : starts, names);
}

function fdNames(args: readonly string[]): readonly string[] {
  const [name, ...starts] = args
    .slice(
      0,
      args.findIndex((arg) => /^(?:-x|-X|--exec|--exec-batch)$/u.test(arg)),
    )
    .filter((arg) => !arg.startsWith('-'));
  return pairs(starts.length === 0 ? ['.'] : starts, name === undefined ? [] : [name]);
}

const MAX_FOUND = 64;
function pairs(starts: readonly string[], names: readonly string[]): readonly string[] {
  if (names.length === 0) return starts.slice(0, MAX_FOUND);
  return starts
    .flatMap((start) =>
      names
        .slice(0, MAX_FOUND)
        .map((name) =>
          name.startsWith('/') || name.startsWith('~') ? name : `${start.replace(/\/$/u, '')}/${name.replace(/^\*\//u, '')}`,
        ),
    )
    .slice(0, MAX_FOUND);
}
