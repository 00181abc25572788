/** Which files other programs read, write and delete whose operands are not simply files. Sources: their manual pages. */
import { below } from '#core/normalize/shell/archivePaths.ts';
import type { PathUse } from '#core/normalize/shell/operands.ts';

const uses = (texts: readonly (string | undefined)[], access: PathUse['access']): readonly PathUse[] =>
  texts.flatMap((text) => (text === undefined || text === '' || text === '-' ? [] : [{ text, access }]));
const afterDashes = (args: readonly string[]): readonly string[] => {
  const at = args.indexOf('--');
  return at < 0 ? [] : args.slice(at + 1);
};

/** Paths of such a program, beside what its operands look like. */
export function toolPaths(
  program: string,
  args: readonly string[],
  operands: readonly string[],
  stdin: readonly string[],
): readonly PathUse[] {
  switch (program) {
    case 'git':
      return git(args, operands);
    case 'docker':
    case 'podman':
    case 'nerdctl':
      return mounts(args);
    case 'sed':
    case 'gsed':
      return args.flatMap(sedScript);
    case 'awk':
    case 'gawk':
    case 'mawk':
      return args.flatMap(awkScript);
    case 'vim':
    case 'vi':
    case 'nvim':
    case 'ex':
    case 'view':
      return [...args, ...stdin.flatMap((text) => text.split('\n', 64))].flatMap(viCommand);
    case 'ed':
      return stdin.flatMap((text) => text.split('\n', 64)).flatMap(viCommand);
    case 'gzip':
    case 'gunzip':
    case 'bzip2':
    case 'bunzip2':
    case 'xz':
    case 'unxz':
    case 'zstd':
      return args.some((arg) => /^-[a-z]*[ctlk]|^--(?:stdout|to-stdout|test|list|keep)$/u.test(arg)) || program === 'zstd'
        ? []
        : uses(operands, 'write');
    case 'split':
    case 'csplit':
      return uses([operands[1] === undefined ? undefined : `${operands[1]}aa`], 'write');
    case 'uniq':
    case 'xxd':
      return uses([operands[1]], 'write');
    case 'ffmpeg':
    case 'convert':
    case 'magick':
      return operands.length > 1 || program === 'ffmpeg' ? uses([operands.at(-1)], 'write') : [];
    case 'script':
      return uses([operands[0]], 'write');
    case 'debugfs':
      return args.flatMap((arg) => uses([/\bdump\s{1,5}(?:-p\s{1,5})?\S{1,400}\s{1,5}(\S{1,400})/u.exec(arg)?.[1]], 'write'));
    case 'python':
      return args[0] === '-m' && /^(?:zipfile|tarfile)$/u.test(args[1] ?? '') && /^(?:-e|--extract)$/u.test(args[2] ?? '')
        ? [...uses([args[3]], 'read'), ...uses([below(args[4] ?? '.')], 'write')]
        : [];
    case 'sqlite3':
      return [
        ...uses([operands[0]], 'read'),
        ...[...args, ...stdin.flatMap((text) => text.split('\n', 64))].flatMap((text) => {
          const hit = /^\s{0,9}\.(output|once|backup|save|dump|read|import|open)\s{1,9}['"]?([^\s'"]{1,400})/u.exec(text);
          return hit ? uses([hit[2]], /^(?:read|import)$/u.test(hit[1] ?? '') ? 'read' : 'write') : [];
        }),
      ];
    case 'psql':
      return [...args, ...stdin].flatMap((text) => {
        const hit = /\\?\bcopy\b[^;]{1,400}?\b(to|from)\s{1,9}'([^']{1,400})'|\\(?:o|out|w)\s{1,9}(\S{1,400})/iu.exec(text);
        return hit ? uses([hit[2] ?? hit[3]], hit[1]?.toLowerCase() === 'from' ? 'read' : 'write') : [];
      });
    default:
      return [];
  }
}

function git(args: readonly string[], operands: readonly string[]): readonly PathUse[] {
  const [sub, ...rest] = operands;
  switch (sub) {
    case 'clone': {
      const [source, folder] = rest;
      const name = (source ?? '')
        .replace(/\/+$/u, '')
        .split(/[/:]/u)
        .at(-1)
        ?.replace(/\.git$/u, '');
      return [...uses([folder ?? name], 'write'), ...uses([folder === undefined ? undefined : below(folder)], 'write')];
    }
    case 'init':
      return uses([below(rest[0] ?? '.')], 'write');
    case 'worktree':
      return rest[0] === 'add' ? uses([rest[1] === undefined ? undefined : below(rest[1])], 'write') : [];
    case 'checkout':
      return uses(afterDashes(args), 'write');
    case 'restore':
      return args.includes('--staged') && !args.includes('--worktree') ? [] : uses(rest, 'write');
    case 'rm':
      return args.includes('--cached') ? [] : uses(rest, 'delete');
    case 'mv':
      return [...uses(rest.slice(0, -1), 'delete'), ...uses(rest.slice(-1), 'write')];
    case 'clean':
      return args.some((arg) => /^(?:-[a-zA-Z]*n|--dry-run)/u.test(arg)) ? [] : uses(rest.length === 0 ? ['./**'] : rest, 'delete');
    case 'apply':
    case 'am':
      return uses(rest, 'read');
    case 'archive':
    case 'format-patch':
    case 'bundle':
      return uses(
        args.flatMap((arg, index) =>
          arg === '-o' || arg === '--output' || arg === '--output-directory'
            ? [args[index + 1]]
            : [/^--output=(.{1,400})$/u.exec(arg)?.[1]],
        ),
        'write',
      );
    default:
      return [];
  }
}

/** `-v here:there`, `--mount type=bind,src=here,…`: the container may do anything with it, unless it is mounted to be read. */
function mounts(args: readonly string[]): readonly PathUse[] {
  const out: PathUse[] = [];
  for (const [index, arg] of args.entries()) {
    const value = /^(?:-v|--volume|--mount)$/u.test(arg)
      ? args[index + 1]
      : (/^(?:--volume|--mount)=(.{1,4000})$/u.exec(arg)?.[1] ?? /^-v([~/.$].{0,4000})$/u.exec(arg)?.[1]);
    if (value === undefined) continue;
    const source =
      /(?:^|,)(?:src|source)=([^,]{1,2000})/u.exec(value)?.[1] ?? (/^[^,=]{1,2000}?:/u.exec(value)?.[0].slice(0, -1) || undefined);
    const reads = /:ro\b|(?:^|,)(?:ro|readonly)(?:,|$|=true)/u.test(value);
    if (source !== undefined && /^[~/.$]|^[A-Za-z]:[\\/]/u.test(source)) out.push({ text: source, access: reads ? 'read' : 'use' });
  }
  return out;
}

/** `w file` and `r file` as commands, `w file` as a flag of `s`. */
function sedScript(arg: string): readonly PathUse[] {
  const out: PathUse[] = [];
  for (const hit of arg.matchAll(/(?:^|[;{}\n/$\d!])\s{0,5}([rRwW])\s{1,5}([^\n;}]{1,400})/gu))
    if (/^[~/.]|^\S{1,100}$/u.test(hit[2] ?? ''))
      out.push({ text: (hit[2] ?? '').trim(), access: /w/iu.test(hit[1] ?? '') ? 'write' : 'read' });
  return out;
}

/** `print > "file"`, `getline < "file"`. */
function awkScript(arg: string): readonly PathUse[] {
  return [...arg.matchAll(/(>{1,2}|\bgetline\b[^;}\n]{0,80}<)\s{0,9}"([^"\n]{1,400})"/gu)].map((hit) => ({
    text: hit[2] ?? '',
    access: hit[1]?.startsWith('>') === true ? 'write' : 'read',
  }));
}

/** `:w file`, `:r file`, `:e file`, after `-c` or `+` or on standard input. */
function viCommand(arg: string): readonly PathUse[] {
  const hit =
    /^(?:\+|--cmd=)?:?(?:\d{0,6}|%|\$)(?:,\$)?\s{0,5}(w|wq|write|sav|saveas|x|r|read|e|edit)!?\s{1,5}([^\s!|][^\s|]{0,400})/u.exec(arg);
  return hit ? [{ text: hit[2] ?? '', access: /^(?:r|read|e|edit)$/u.test(hit[1] ?? '') ? 'read' : 'write' }] : [];
}
