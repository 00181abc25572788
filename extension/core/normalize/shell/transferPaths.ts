/** Which local files programs read and write that move files between this machine and others. Sources: their manual pages. */
import { below } from '#core/normalize/shell/archivePaths.ts';
import type { PathUse } from '#core/normalize/shell/operands.ts';

/** `scheme://…`, `host:path`, `user@host:path`, `pod:path`; a drive letter is none. */
export function isRemote(operand: string): boolean {
  return (
    /^[a-z][a-z0-9+.-]{1,30}:\/\//iu.test(operand) || /^(?:[^\s/:@]{1,100}@)?(?:[\w.-]{2,200}|\[[0-9a-f:.]{2,60}\]):(?!\\)/iu.test(operand)
  );
}

/** Programs of which some subcommand copies from the operands before the last to the last. */
const COPIES: ReadonlyMap<string, RegExp> = new Map([
  ['aws', /^s3 (?:cp|mv|sync)\b/u],
  ['gsutil', /^(?:cp|mv|rsync)\b/u],
  ['gcloud', /^(?:alpha |beta )?(?:storage (?:cp|mv|rsync)|compute scp)\b/u],
  ['rclone', /^(?:copy|copyto|move|moveto|sync|bisync)\b/u],
  ['kubectl', /^cp\b/u],
  ['oc', /^(?:cp|rsync)\b/u],
  ['docker', /^(?:container )?cp\b/u],
  ['podman', /^(?:container )?cp\b/u],
  ['nerdctl', /^cp\b/u],
  ['lxc', /^file (?:push|pull)\b/u],
  ['mc', /^(?:cp|mv|mirror)\b/u],
  ['azcopy', /^(?:copy|cp|sync)\b/u],
  ['s3cmd', /^(?:put|get|sync|cp|mv)\b/u],
  ['s5cmd', /^(?:cp|mv|sync)\b/u],
  ['b2', /^(?:sync|file (?:upload|download))\b/u],
  ['scp', /^/u],
  ['rcp', /^/u],
  ['pscp', /^/u],
  ['rsync', /^/u],
  ['sftp', /^/u],
]);
const WHOLE_FOLDERS = /^(?:-[a-zA-Z]*[raR][a-zA-Z]*|--(?:recursive|archive|mirror))$/u;
/** Flags of these programs that take a value of their own. */
const VALUED =
  /^(?:-[iFPlcSobJe]|--(?:exclude|include|exclude-from|include-from|filter|rsh|rsync-path|port|acl|profile|region|sse|endpoint-url|storage-class|content-type|metadata|cache-control|bwlimit|config|transfers|checkers|zone|project|container|namespace|chmod|chown|files-from|link-dest|backup-dir|log-file|password-file|account-name|account-key))$/u;

/** Paths of a transfer; null when the command is none. */
export function transferPaths(program: string, args: readonly string[], operands: readonly string[]): readonly PathUse[] | null {
  const copies = COPIES.get(program);
  const line = operands.slice(0, 4).join(' ');
  const subcommand = copies?.exec(line)?.[0];
  if (subcommand !== undefined) return copied(args, subcommand === '' ? 0 : subcommand.split(' ').length);
  return program === 'gh' || program === 'glab' ? hosted(args, line) : program === 'az' ? azure(args, line) : null;
}

function copied(args: readonly string[], skip: number): readonly PathUse[] {
  const files: string[] = [];
  const values = new Set<number>();
  for (const [index, arg] of args.entries()) {
    if (values.has(index)) continue;
    if (VALUED.test(arg)) values.add(index + 1);
    else if (!arg.startsWith('-')) files.push(arg);
  }
  const out: PathUse[] = [];
  const operands = files.slice(skip);
  const last = operands.length > 1 ? operands.at(-1) : undefined;
  const trees = args.some((arg) => WHOLE_FOLDERS.test(arg)) || args.some((arg) => /^(?:sync|mirror|copy|rsync|move)$/u.test(arg));
  for (const source of last === undefined ? operands : operands.slice(0, -1))
    if (!isRemote(source) && source !== '-') out.push({ text: source, access: 'read' });
  if (last !== undefined && !isRemote(last) && last !== '-') {
    out.push({ text: last, access: 'write' });
    if (trees || last.endsWith('/') || /^\.{1,2}$/u.test(last)) out.push({ text: below(last), access: 'write' });
  }
  return out;
}

function hosted(args: readonly string[], line: string): readonly PathUse[] | null {
  const after = /^(?:gist (?:create|edit)|release (?:upload|create)|snippet create)\b/u.exec(line)?.[0];
  if (after === undefined) return null;
  const skip = after.split(' ').length + (after.startsWith('release') ? 1 : 0);
  const files = args.filter(
    (arg, index) =>
      !arg.startsWith('-') && !/^(?:-[dtnFfR]|--(?:desc|title|notes|notes-file|filename|repo|target))$/u.test(args[index - 1] ?? ''),
  );
  return files.slice(skip).map((text) => ({ text: text.split('#', 1)[0] ?? text, access: 'read' }));
}

function azure(args: readonly string[], line: string): readonly PathUse[] | null {
  const moves = /\b(upload|upload-batch|download|download-batch|copy)\b/u.exec(line)?.[1];
  if (moves === undefined) return null;
  const up = moves.startsWith('upload');
  return args.flatMap((arg, index): PathUse[] => {
    const next = args[index + 1];
    if (next === undefined || !/^(?:-f|--file|-s|--source|-d|--destination|--source-path|--destination-path)$/u.test(arg) || isRemote(next))
      return [];
    if (up) return /^(?:-f|--file|-s|--source)/u.test(arg) ? [{ text: next, access: 'read' }] : [];
    return /^(?:-f|--file|-d|--destination)/u.test(arg) ? [{ text: moves.endsWith('batch') ? below(next) : next, access: 'write' }] : [];
  });
}
