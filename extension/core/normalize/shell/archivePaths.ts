/** Which files archivers read and write. What unpacks writes under a folder: that is told as `folder/**`. Sources: their manual pages. */
import type { PathUse } from '#core/normalize/shell/operands.ts';

/** Anything below `folder` may be written. */
export function below(folder: string): string {
  let end = folder.length;
  while (folder[end - 1] === '/') end--;
  return `${folder.slice(0, end)}/**`;
}

const write = (text: string): PathUse => ({ text, access: 'write' });
const read = (text: string): PathUse => ({ text, access: 'read' });
const valueOf = (args: readonly string[], flags: readonly string[]): string | undefined => {
  for (const [index, arg] of args.entries()) {
    if (flags.includes(arg)) return args[index + 1];
    const joined = flags.find((flag) => arg.startsWith(flag.startsWith('--') ? `${flag}=` : flag) && arg.length > flag.length);
    if (joined !== undefined) return arg.slice(joined.length + (joined.startsWith('--') ? 1 : 0));
  }
  return undefined;
};

/** Paths of an archiver's command; null when the program is none. */
export function archivePaths(program: string, args: readonly string[], operands: readonly string[]): readonly PathUse[] | null {
  switch (program) {
    case 'tar':
    case 'gtar':
    case 'bsdtar':
      return tar(args, operands);
    case 'unzip': {
      const folder = valueOf(args, ['-d']);
      const [archive, ...members] = operands.filter((operand) => operand !== folder);
      const out = archive === undefined ? [] : [read(archive)];
      if (args.some((arg) => /^-[a-zA-Z]*[lptvzZ]/u.test(arg))) return out;
      return [
        ...out,
        ...unpacked(folder ?? '.', members.slice(0, Math.max(0, members.indexOf('-x') < 0 ? members.length : members.indexOf('-x')))),
      ];
    }
    case '7z':
    case '7za':
    case '7zz': {
      const [mode, archive, ...rest] = operands;
      if (archive === undefined) return [];
      if (mode !== 'x' && mode !== 'e') return mode === 'a' || mode === 'u' ? [write(archive), ...rest.map(read)] : [read(archive)];
      return [read(archive), ...unpacked(valueOf(args, ['-o']) ?? '.', rest)];
    }
    case 'unrar':
    case 'unar': {
      const [first, second, third] = operands;
      if (program === 'unar')
        return first === undefined ? [] : [read(first), write(below(valueOf(args, ['-o', '-output-directory']) ?? '.'))];
      return second === undefined ? [] : [read(second), ...(/^[xe]$/u.test(first ?? '') ? [write(below(third ?? '.'))] : [])];
    }
    case 'cpio': {
      const folder = valueOf(args, ['-D', '--directory']) ?? '.';
      if (args.some((arg) => /^-[a-z]*p/u.test(arg) || arg === '--pass-through')) return operands.map((operand) => write(below(operand)));
      if (args.some((arg) => /^-[a-zA-Z]*t/u.test(arg) || arg === '--list')) return [];
      return args.some((arg) => /^-[a-z]*i/u.test(arg) || arg === '--extract') ? [write(below(folder))] : [];
    }
    case 'ar':
      return operands.length > 1 && (operands[0] ?? '').includes('x') ? [read(operands[1] ?? ''), write('./**')] : null;
    case 'jar':
      return (operands[0] ?? '').includes('x') || args.some((arg) => /^-x|^--extract/u.test(arg))
        ? [write(below(valueOf(args, ['-C', '--dir']) ?? '.'))]
        : null;
    case 'dpkg':
    case 'dpkg-deb': {
      const at = args.findIndex((arg) => /^(?:-x|-X|--extract|--vextract)$/u.test(arg));
      return at < 0 ? null : [read(args[at + 1] ?? ''), write(below(args[at + 2] ?? '.'))];
    }
    case 'unsquashfs':
      return [...operands.slice(0, 1).map(read), write(below(valueOf(args, ['-d', '-dest']) ?? 'squashfs-root'))];
    case 'zip': {
      const [archive, ...files] = operands;
      const removes = args.some((arg) => /^-[a-zA-Z]*m/u.test(arg) || arg === '--move');
      const out = archive === undefined || archive === '-' ? [] : [write(archive)];
      return [...out, ...files.map(read), ...(removes ? files.map((text): PathUse => ({ text, access: 'delete' })) : [])];
    }
    default:
      return null;
  }
}

/** Named members are written where they are told to go, everything else anywhere below. */
function unpacked(folder: string, members: readonly string[]): readonly PathUse[] {
  const named = members.filter((member) => !member.startsWith('-') && !/[*?[]/u.test(member));
  if (named.length === 0) return [write(below(folder))];
  return named.slice(0, 64).map((member) => write(`${folder.replace(/\/$/u, '')}/${member}`));
}

/** `operands` are resolved in the folder that `-C` names: the caller does that. */
function tar(args: readonly string[], operands: readonly string[]): readonly PathUse[] {
  const first = args[0] ?? '';
  const bundled = /^[A-Za-z]{1,12}$/u.test(first);
  const letters = args.filter((arg, index) => /^-[A-Za-z]{1,12}$/u.test(arg) || (index === 0 && bundled)).join('');
  const extracts = /x/u.test(letters) || args.some((arg) => /^--(?:extract|get)$/u.test(arg));
  const creates = /[cru]/u.test(letters.replace(/C/gu, '')) || args.some((arg) => /^--(?:create|append|update|catenate)$/u.test(arg));
  const skipped = new Set<number>();
  let archive: string | undefined;
  for (const [index, arg] of args.entries()) {
    if (index === 0 && bundled) {
      skipped.add(0);
      if (arg.includes('f')) {
        archive = args[1];
        skipped.add(1);
      }
    } else if (/^-[A-Za-z]*f$/u.test(arg) || arg === '--file') {
      archive = args[index + 1];
      skipped.add(index + 1);
    } else if (arg.startsWith('--file=')) archive = arg.slice('--file='.length);
    else if (
      /^(?:-C|--directory|-I|--use-compress-program|-X|--exclude-from|-T|--files-from|--exclude|--transform|-s|-b|-g|--owner|--group|--mode)$/u.test(
        arg,
      )
    )
      skipped.add(index + 1);
  }
  const lists = args.flatMap((arg, index) => (/^(?:-T|--files-from|-X|--exclude-from)$/u.test(arg) ? [args[index + 1] ?? ''] : []));
  const members = args.filter((arg, index) => !skipped.has(index) && !arg.startsWith('-') && operands.includes(arg));
  const out: PathUse[] = lists.filter((text) => text !== '' && text !== '-').map(read);
  if (archive !== undefined && archive !== '-' && !/^[\w.-]+:/u.test(archive)) out.push(creates ? write(archive) : read(archive));
  if (creates) {
    out.push(...members.map(read));
    if (args.includes('--remove-files')) out.push(...members.map((text): PathUse => ({ text, access: 'delete' })));
  } else if (extracts && !/O/u.test(letters) && !args.some((arg) => /^--to-(?:stdout|command)/u.test(arg))) {
    const folder = valueOf(args, ['--one-top-level']);
    out.push(...unpacked(folder ?? '.', members));
    if (args.some((arg) => /^(?:-[a-zA-Z]*P|--absolute-names)$/u.test(arg))) out.push(write('/**'));
  }
  return out;
}
