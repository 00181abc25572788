/** Finds what a command runs in turn: wrapped programs, `-c` scripts, code handed to interpreters. */
import { decodeBase64 } from '#core/normalize/decode.ts';
import { startedBy } from '#core/normalize/shell/finders.ts';
import { interpreterName, programName } from '#core/normalize/shell/programNames.ts';
import { INTERPRETERS, SHELLS, WRAPPERS } from '#core/normalize/shell/programs.ts';

export type Inner =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** `zero` and `args`: what `$0` and `$1`, `$2` … are in it. */
  | { readonly kind: 'script'; readonly text: string; readonly args?: readonly string[]; readonly zero?: string }
  /** `language`: the program that runs it. */
  | { readonly kind: 'code'; readonly text: string; readonly language: string }
  | { readonly kind: 'powershell' | 'cmd'; readonly text: string };

/** awk that hands what it reads to a shell. */
const AWK_RUNS_INPUT =
  /\bsystem\s{0,5}\([^)]{0,200}\$\d|\bprint[^|;}]{0,200}\|\s{0,5}"(?:\/bin\/)?(?:ba|da|z)?sh\b|\$\d\s{0,5}\|\s{0,5}getline/u;
/** Modules of Python that are programs of their own. */
const MODULES: ReadonlySet<string> = new Set('pip pipx uv poetry pdm pipenv pytest coverage conda'.split(' '));
/** The dynamic loader runs the program it is given. */
const LOADER = /^ld-(?:linux|musl|elf)[\w.-]{0,40}$|^ld\.so(?:\.\d)?$/u;

/** What `words` runs, given the constant text on its standard input. */
export function innerOf(words: readonly string[], stdin: readonly string[]): readonly Inner[] {
  const [first = '', ...args] = words;
  const program = interpreterName(programName(first));
  if (SHELLS.has(program)) return shell(args, stdin);
  if (program === 'python' && args[0] === '-m') return MODULES.has(args[1] ?? '') ? [{ kind: 'words', words: args.slice(1) }] : [];
  if (LOADER.test(program))
    return [{ kind: 'words', words: wrappedWords(args, ['--library-path', '--preload', '--argv0', '--inhibit-rpath', '--audit'], 0) }];
  const codeFlags = INTERPRETERS.get(program);
  if (/^[gm]?awk$/u.test(program) && args.some((arg) => AWK_RUNS_INPUT.test(arg)))
    return [...interpreter(program, args, [''], stdin), { kind: 'words', words: ['sh'] }];
  if (codeFlags) return interpreter(program, args, codeFlags, stdin);
  switch (program) {
    case 'source':
    case '.':
      return args.length === 0 || isStdin(args[0]) || args[0] === '$()' ? stdin.map((text) => ({ kind: 'script', text })) : [];
    case 'eval':
      return [{ kind: 'script', text: args.join(' ') }];
    case 'trap':
      return args.length > 1 ? [{ kind: 'script', text: (args[0] === '--' ? args[1] : args[0]) ?? '' }] : [];
    // What is left of the reserved word `time -p`.
    case '-p':
      return [{ kind: 'words', words: args }];
    case 'su':
    case 'runuser': {
      const at = args.findIndex((arg) => /^-[a-z]{0,4}c$|^--(?:session-)?command$/u.test(arg));
      if (at >= 0) return [{ kind: 'script', text: args[at + 1] ?? '' }];
      const joined = args.find((arg) => arg.startsWith('--command='));
      if (joined !== undefined) return [{ kind: 'script', text: joined.slice('--command='.length) }];
      return program === 'runuser' && args.includes('-u') ? [{ kind: 'words', words: wrappedWords(args, ['-u', '-g', '-G'], 0) }] : [];
    }
    case 'crontab':
      return stdin
        .flatMap((text) => text.split('\n', 256))
        .flatMap((line): readonly Inner[] => {
          const job = /^\s{0,20}(?:@\w{1,20}|(?:[\w*,/-]{1,80}\s{1,20}){5})\s{0,20}(\S.{0,4000})$/u.exec(line)?.[1];
          return job === undefined ? [] : [{ kind: 'script', text: job }];
        });
    case 'flock': {
      const at = args.findIndex((arg) => arg === '-c' || arg === '--command');
      if (at >= 0) return [{ kind: 'script', text: args[at + 1] ?? '' }];
      break;
    }
    case 'find':
    case 'fd':
    case 'fdfind':
      return startedBy(program, args).map((words) => ({ kind: 'words', words }));
    case 'docker':
    case 'podman':
    case 'kubectl':
    case 'nerdctl':
      return container(args);
    case 'sed':
    case 'gsed':
      return sedRuns(args, stdin);
    case 'cmd': {
      const at = args.findIndex((arg) => /^\/[ck]$/iu.test(arg));
      return at >= 0 ? [{ kind: 'cmd', text: args.slice(at + 1).join(' ') }] : stdin.map((text) => ({ kind: 'cmd', text }));
    }
    case 'powershell':
    case 'pwsh':
      return powershell(args, stdin);
    case 'at':
    case 'batch':
      return stdin.map((text) => ({ kind: 'script', text }));
    case 'command':
      if (args.some((arg) => arg === '-v' || arg === '-V')) return [];
      break;
    default:
  }
  const wrapper = WRAPPERS.get(program);
  if (!wrapper) return [];
  let rest = wrappedWords(args, wrapper.valued, wrapper.skip);
  if (program === 'env') {
    const at = args.findIndex((arg) => /^-[a-zA-Z]{0,4}S|^--split-string/u.test(arg));
    if (at >= 0)
      return [
        {
          kind: 'script',
          text: args
            .slice(at)
            .join(' ')
            .replace(/^(?:-[a-zA-Z]{0,4}?S|--split-string)[= ]?/u, ''),
        },
      ];
  }
  if (program === 'xargs') rest = withInput(args, rest, stdin);
  if (rest.length === 0) return [];
  return wrapper.shell === 'joined' ? [{ kind: 'script', text: rest.join(' ') }] : [{ kind: 'words', words: rest }];
}

/** The words left when flags, their values, assignments and leading operands are taken away. */
function wrappedWords(args: readonly string[], valued: readonly string[], skip: number): readonly string[] {
  let index = 0;
  let toSkip = skip;
  while (index < args.length) {
    const arg = args[index] ?? '';
    if (arg === '--') index++;
    else if (arg.startsWith('-') && arg !== '-') index += valued.includes(arg) ? 2 : 1;
    else if (/^[A-Za-z_][A-Za-z0-9_]*=/u.test(arg)) index++;
    else if (toSkip > 0) {
      toSkip--;
      index++;
    } else break;
  }
  return args.slice(index);
}

/** xargs adds the words of its input to the command, or puts them where the replacement string stands. */
function withInput(args: readonly string[], rest: readonly string[], stdin: readonly string[]): readonly string[] {
  if (rest.length === 0 || stdin.length === 0) return rest;
  const input = stdin
    .join('\n')
    .split(/\s+/u)
    .filter((word) => word !== '')
    .slice(0, 256);
  const at = args.findIndex((arg) => /^-[Ii]/u.test(arg));
  const mark = at < 0 ? null : (args[at] ?? '').slice(2) || args[at + 1] || '{}';
  return mark === null
    ? [...rest, ...input]
    : rest.map((word) => (word.includes(mark) ? word.replaceAll(mark, () => input.join(' ')) : word));
}

const isStdin = (word: string | undefined): boolean =>
  word !== undefined && /^(?:-|\/dev\/(?:stdin|fd\/\d{1,3})|\/proc\/self\/fd\/\d{1,3})$/u.test(word);

/** Whether `words` start a program that runs what it reads from its standard input. */
export function runsStdin(words: readonly string[]): boolean {
  return (
    RUNS_STDIN.test(words.join(' ').slice(0, 2000)) &&
    innerOf(words, [MARK]).some((inner) => (inner.kind === 'words' ? runsStdin(inner.words) : inner.text === MARK))
  );
}

/** `s/…/…/e` runs the line it made. */
function sedRuns(args: readonly string[], stdin: readonly string[]): readonly Inner[] {
  const hit = args
    .map((arg) => /^(?:[^s\n]{0,40};\s{0,5})?s(.)((?:(?!\1).){0,400})\1((?:(?!\1).){0,2000})\1[gIiMm0-9]{0,4}e/su.exec(arg))
    .find((found) => found !== null);
  if (!hit) return [];
  const made = (hit[3] ?? '').replace(/\\([^\d])/gu, '$1');
  return [made, ...stdin.map((text) => made + text)].filter((text) => text.trim() !== '').map((text) => ({ kind: 'script', text }));
}

const MARK = '\u0000';
/** Words without any of these run nothing from their input; asking closer costs more. */
const RUNS_STDIN = /(?:sh|python|perl|ruby|node|php|lua|bun|deno|osascript|source|\.|at|batch|eval|xargs|parallel|redis-cli|psql|mysql)/u;

function shell(args: readonly string[], stdin: readonly string[]): readonly Inner[] {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (/^-[a-z]*c[a-z]*$/iu.test(arg) && !arg.startsWith('--')) {
      // Options may stand between `-c` and the text: `bash -c -e 'text'`.
      const at = args.findIndex((word, after) => after > index && !/^[-+][a-z]+$/iu.test(word));
      const text = args[at];
      if (at < 0 || text === undefined) return [];
      const zero = args[at + 1];
      return [zero === undefined ? { kind: 'script', text } : { kind: 'script', text, zero, args: args.slice(at + 2) }];
    }
    if (arg === '-s' || arg === '-') break;
    if (arg === '-o' || arg === '-O' || ((arg === '--rcfile' || arg === '--init-file') && args[index + 1] !== '$()')) index++;
    else if (isStdin(arg) || arg === '$()') break;
    else if (!arg.startsWith('-') && !arg.startsWith('+')) return [];
  }
  return stdin.map((text) => ({ kind: 'script', text }));
}

function interpreter(program: string, args: readonly string[], codeFlags: readonly string[], stdin: readonly string[]): readonly Inner[] {
  if (codeFlags.includes('')) {
    const text = args.find((arg) => !arg.startsWith('-'));
    return text === undefined ? [] : [{ kind: 'code', text, language: program }];
  }
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    const name = arg.replace(/^--?/u, '');
    if (
      (arg.startsWith('-') || program === 'deno' || program === 'bun') &&
      (codeFlags.includes(name) || (/^-[a-z]{1,5}$/iu.test(arg) && codeFlags.includes(arg.slice(-1))))
    ) {
      const text = args[index + 1];
      return text === undefined ? [] : [{ kind: 'code', text, language: program }];
    }
    if (arg === '-') break;
    if (!arg.startsWith('-')) return [];
  }
  return stdin.map((text) => ({ kind: 'code', text, language: program }));
}

/** `docker exec [flags] name cmd …`, `docker run [flags] image cmd …`, `kubectl exec name -- cmd …`. */
function container(args: readonly string[]): readonly Inner[] {
  const at = args.findIndex((arg) => arg === 'exec' || arg === 'run');
  if (at < 0) return [];
  const dashes = args.indexOf('--', at);
  if (dashes >= 0) return [{ kind: 'words', words: args.slice(dashes + 1) }];
  const shellAt = args.findIndex((arg, index) => index > at && SHELLS.has(programName(arg)));
  return shellAt < 0 ? [] : [{ kind: 'words', words: args.slice(shellAt) }];
}

/** Parameters of the program may be cut short; what follows `-Command`, or stands where a file might, is the text. */
function powershell(args: readonly string[], stdin: readonly string[]): readonly Inner[] {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    const name = /^[-/\u2013\u2014\u2015]{1,2}([A-Za-z]{1,20})$/u.exec(arg)?.[1]?.toLowerCase();
    if (name === undefined)
      return /^[^\s]{1,400}\.ps[md]?1$/iu.test(arg) ? [] : [{ kind: 'powershell', text: args.slice(index).join(' ') }];
    if (name === 'e' || name === 'ec' || ('encodedcommand'.startsWith(name) && name.startsWith('en'))) {
      const text = wideText(args[index + 1] ?? '');
      return text === '' ? [] : [{ kind: 'powershell', text }];
    }
    if ('command'.startsWith(name) || name === 'commandwithargs' || name === 'cwa') {
      const text = args.slice(index + 1).join(' ');
      return text === '-' ? stdin.map((one) => ({ kind: 'powershell', text: one })) : [{ kind: 'powershell', text }];
    }
    if ('file'.startsWith(name)) return args[index + 1] === '-' ? stdin.map((text) => ({ kind: 'powershell', text })) : [];
    if (POWERSHELL_VALUED.test(name)) index++;
  }
  return stdin.map((text) => ({ kind: 'powershell', text }));
}

const POWERSHELL_VALUED =
  /^(?:ex\w{0,20}|ep|w\w{0,20}|v\w{0,20}|ps\w{0,20}|in\w{0,20}|if|o\w{0,20}|config\w{0,20}|settings\w{0,20}|wd|workingdirectory)$/u;

/** Base64 of UTF-16LE, as `-EncodedCommand` takes it. */
function wideText(written: string): string {
  const bytes = decodeBase64(written.replace(/[^\w+/=-]/gu, '')) ?? [];
  let text = '';
  for (let at = 0; at + 1 < bytes.length; at += 2) text += String.fromCharCode((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));
  return text;
}
