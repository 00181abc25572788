/** Splits a command's words into flags and operands, and tells which of them are paths and what happens to those. */
import type { Access } from '#core/detect/rulePack.ts';
import { COPIERS, DELETERS, INTERPRETERS, interpreterName, NO_PATHS, PATTERN_FIRST, SHELLS, VALUED, WRAPPERS, WRITERS } from '#core/normalize/shell/programs.ts';

export interface Arguments {
  readonly flags: ReadonlySet<string>;
  readonly operands: readonly string[];
}

export function splitArguments(program: string, args: readonly string[]): Arguments {
  const flags = new Set<string>();
  const operands: string[] = [];
  const valued = VALUED.get(program) ?? [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg === '--') {
      operands.push(...args.slice(index + 1));
      break;
    }
    const long = /^--([^=]+)/u.exec(arg)?.[1];
    if (long !== undefined) flags.add(long);
    else if (/^-[^-\s]/u.test(arg)) {
      const name = arg.slice(1).split('=', 1)[0] ?? '';
      flags.add(name);
      if (name.length <= 12) for (const letter of name) flags.add(letter);
    } else operands.push(arg);
    if (valued.includes(arg)) index++;
  }
  return { flags, operands };
}

export interface PathUse {
  readonly text: string;
  readonly access: Access;
}

const LOOKS_LIKE_PATH = /^(?:~|\.{1,2}(?:\/|$)|\/|\$HOME|\$\{HOME|%USERPROFILE%|[a-z]:[\\/])|[^:]\/(?!\/)|^\.[a-z]/iu;
/** Names without a slash that are worth resolving in the working folder. */
const PLAIN_FILE = /^[\w][\w.@+-]{0,120}$/u;
/** Flags whose value is a file that is written. */
const OUTPUT_FLAGS: ReadonlyMap<string, readonly string[]> = new Map([['curl', ['-o', '--output', '-c', '--cookie-jar', '-D']], ['wget', ['-O', '--output-document', '-o', '-P']], ['sort', ['-o']], ['gcc', ['-o']], ['tar', []], ['dd', []], ['openssl', ['-out']], ['unzip', ['-d']]]);
/** Flags that name a key or config file the program uses without showing it. */
const USED_NOT_SHOWN = /^(?:-i|-F|--identity|--kubeconfig|--config|--cacert|--cert|--key|--env-file|-o|-c)$/u;
const USERS_OF_KEYS: ReadonlySet<string> = new Set(['ssh', 'scp', 'sftp', 'rsync', 'ssh-copy-id', 'kubectl', 'helm', 'docker', 'docker-compose', 'ansible', 'ansible-playbook', 'mosh', 'autossh', 'git']);

/** Paths among the words of a command. `words` includes the program. */
export function pathUses(program: string, words: readonly string[], operands: readonly string[]): readonly PathUse[] {
  const args = words.slice(1);
  const out: PathUse[] = [];
  const first = words[0] ?? '';
  if (/[\\/]/u.test(first) && !first.includes('$()')) out.push({ text: first, access: 'execute' });
  if (NO_PATHS.has(program)) return out;
  const name = interpreterName(program);
  if (WRAPPERS.has(program)) return out; // the wrapped command has its own
  const outputs = OUTPUT_FLAGS.get(program) ?? [];
  const inPlace = (name === 'sed' || name === 'gsed' || name === 'perl' || name === 'yq') && args.some((arg) => /^-[a-z]*i/u.test(arg) || arg === '--in-place');
  const skipValue = new Set<string>();
  for (const [index, arg] of args.entries()) {
    const next = args[index + 1];
    if (next !== undefined && outputs.includes(arg)) {
      out.push({ text: next, access: 'write' });
      skipValue.add(next);
    } else if (next !== undefined && USERS_OF_KEYS.has(program) && USED_NOT_SHOWN.test(arg)) skipValue.add(next);
    // `@file` (curl), `name=@file`, `--flag=file`, `if=file` and `of=file` (dd).
    const at = /^(?:[^@\s]{0,80}=)?@([^\s]{1,400})$/u.exec(arg)?.[1];
    if (at !== undefined && at !== '-' && /^(?:curl|http|https|xh|wget|gh|aws)$/u.test(program)) out.push({ text: at.split(';', 1)[0] ?? at, access: 'read' });
    const value = /^(?:--?[\w-]{1,40}|if|of)=(.{1,400})$/u.exec(arg)?.[1];
    if (value !== undefined && LOOKS_LIKE_PATH.test(value) && !value.includes('://')) {
      out.push({ text: value, access: arg.startsWith('of=') || /^--(?:output|out|outfile|output-document)=/u.test(arg) ? 'write' : 'read' });
    }
    if (value !== undefined && arg.startsWith('of=') && !LOOKS_LIKE_PATH.test(value)) out.push({ text: value, access: 'write' });
    if (/^-[A-Za-z][~/]/u.test(arg)) out.push({ text: arg.slice(2), access: outputs.includes(arg.slice(0, 2)) ? 'write' : 'read' });
    if ((arg === '-T' || arg === '--upload-file' || arg === '-K' || arg === '--post-file' || arg === '--body-file') && next !== undefined && (program === 'curl' || program === 'wget')) {
      out.push({ text: next, access: 'read' });
      skipValue.add(next);
    }
  }
  const files = operands.filter((operand) => !skipValue.has(operand));
  const candidates = PATTERN_FIRST.has(name) && !args.some((arg) => arg === '-e' || arg === '-f') ? files.slice(1) : files;
  for (const [index, operand] of candidates.entries()) {
    const access = accessOf(name, index, candidates.length, inPlace);
    if (operand.includes('://') && !operand.startsWith('file:')) continue;
    if (operand.length > 400 || /[\n]/u.test(operand) || operand.includes('{}') || operand.includes('$()')) continue;
    const known = DELETERS.has(name) || WRITERS.has(name) || COPIERS.has(name) || READERS.has(name) || (index === 0 && (SHELLS.has(program) || INTERPRETERS.has(name)));
    if (!LOOKS_LIKE_PATH.test(operand) && !(known && PLAIN_FILE.test(operand))) continue;
    if (!known && /\s/u.test(operand)) continue;
    out.push({ text: operand, access });
    if (name === 'mv' && access === 'read') out.push({ text: operand, access: 'delete' });
  }
  if (name === 'find' && (args.includes('-delete') || args.some((arg, index) => arg.startsWith('-exec') && DELETERS.has(args[index + 1] ?? '')))) {
    for (const use of out.slice()) if (use.access === 'read') out.push({ text: use.text, access: 'delete' });
  }
  return out;
}

const READERS: ReadonlySet<string> = new Set(['cat', 'tac', 'less', 'more', 'head', 'tail', 'nl', 'xxd', 'od', 'hexdump', 'strings', 'base64', 'base32', 'cut', 'sort', 'uniq', 'bat', 'grep', 'egrep', 'fgrep', 'rg', 'sed', 'awk', 'jq', 'zip', 'tar', 'gzip', 'source', '.', 'cmp', 'diff', 'wc', 'paste', 'fold', 'rev', 'type', 'get-content', 'gc', 'gpg', 'openssl', 'curl']);

function accessOf(program: string, index: number, count: number, inPlace: boolean): Access {
  if (DELETERS.has(program)) return 'delete';
  if (WRITERS.has(program) || inPlace) return 'write';
  if (COPIERS.has(program)) return index === count - 1 && count > 1 ? 'write' : 'read';
  if ((SHELLS.has(program) || INTERPRETERS.has(program) || program === 'source' || program === '.') && index === 0) return 'execute';
  return 'read';
}
