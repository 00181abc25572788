/** Commands that stand in options, settings and variables of other programs. Sources: the manual pages of those programs. */
import type { Inner } from '#core/normalize/shell/wrapped.ts';

/** Where a program takes a command line from: the rest of an argument that matches, or the argument after one that matches. */
interface Carrier {
  readonly joined?: RegExp;
  readonly next?: RegExp;
}

/** Settings of git whose value git runs. */
const GIT_RUNS =
  '(?:alias\\.[\\w-]+=!|core\\.(?:pager|editor|sshcommand|fsmonitor|hookspath|gitproxy|askpass)=!?|pager\\.[\\w-]+=|sequence\\.editor=|diff\\.external=|credential\\.helper=!|(?:diff|merge|filter)\\.[\\w.-]+\\.(?:command|textconv|driver|clean|smudge|process|cmd)=|(?:diff|merge)tool\\.[\\w.-]+\\.cmd=|gpg\\.program=|ssh\\.variant=|uploadpack\\.packobjectshook=)';

const CARRIERS: ReadonlyMap<string, readonly Carrier[]> = new Map([
  [
    'git',
    [
      { joined: new RegExp(`^${GIT_RUNS}`, 'iu') },
      { joined: /^(?:--upload-pack|--receive-pack|--exec|--extcmd)=/u },
      { next: /^(?:--exec|-x|--extcmd|--tree-filter|--index-filter|--msg-filter|--env-filter|--upload-pack)$/u },
      { joined: /^(?:-O|--open-files-in-pager=)(?=\S)/u },
      // `git config alias.x '!…'`: the value is the next word.
      { next: new RegExp(`^${GIT_RUNS.replace(/=/gu, '').replace(/!\?|!/gu, '')}$`, 'iu') },
      { joined: /^!(?=\S)/u },
      { joined: /^ext::/u },
    ],
  ],
  [
    'tar',
    [
      { joined: /^--(?:checkpoint-action=exec|to-command|use-compress-program|rsh-command|info-script|new-volume-script)=/u },
      { next: /^(?:-I|--to-command|--use-compress-program|-F)$/u },
    ],
  ],
  ['rsync', [{ joined: /^--(?:rsh|rsync-path)=/u }, { next: /^(?:-e|--rsh|--rsync-path)$/u }]],
  ['ssh', [{ joined: /^(?:-o)?(?:ProxyCommand|LocalCommand|KnownHostsCommand)[= ]/iu }]],
  ['sftp', [{ next: /^-S$/u }]],
  ['make', [{ next: /^(?:-E|--eval)$/u }, { joined: /^--eval=(?:.{0,200}?(?:\$\(shell |;|:\s*\n\t))?/su }]],
  ['dc', [{ joined: /^!/u }]],
  ['scp', [{ joined: /^(?:-o)?(?:ProxyCommand|LocalCommand|KnownHostsCommand)[= ]/iu }, { next: /^-S$/u }]],
  ['sqlite3', [{ joined: /^\s*\.(?:shell|system)\s+/u }]],
  ['psql', [{ joined: /^\s*\\!\s*/u }, { joined: /^\\copy\b.{0,400}\bprogram\s+'/iu }]],
  ['mysql', [{ joined: /^(?:-e)?\s*(?:\\!|system)\s+/u }]],
  ['script', [{ next: /^-[a-z]*c$/u }, { joined: /^--command=/u }]],
  ['npm', [{ next: /^(?:-c|--call)$/u }, { joined: /^--call=/u }]],
  ['npx', [{ next: /^(?:-c|--call)$/u }, { joined: /^--call=/u }]],
  ['nodemon', [{ next: /^(?:-x|--exec)$/u }]],
  ['nix-shell', [{ next: /^(?:--run|--command)$/u }]],
  ['nix', [{ next: /^(?:-c|--command)$/u }]],
  ['expect', [{ joined: /^(?:.{0,200};)?\s*(?:spawn|exec|system)\s+/su }]],
  ['zip', [{ next: /^(?:-TT|--unzip-command)$/u }]],
  ['man', [{ next: /^-P$/u }]],
  ['less', [{ joined: /^\+!/u }]],
  ['wget', [{ joined: /^--use-askpass=/u }]],
  ['ed', [{ joined: /^\s{0,9}(?:\d{0,6}|\$|%)?[rw]?\s{0,3}!/u }]],
  [
    'gdb',
    [
      { joined: /^\s{0,9}(?:shell|!|make)\s{0,9}/u },
      { joined: /^\s{0,9}(?:call|print|p)\s{1,9}(?:\([^)]{0,40}\)\s{0,3})?system\s{0,3}\(["']/u },
      { joined: /^\s{0,9}python\s{1,9}import os;?\s{0,9}os\.system\(["']/u },
    ],
  ],
  ['lldb', [{ joined: /^\s{0,9}(?:platform shell|shell)\s{1,9}/u }]],
  ['tclsh', [{ joined: /^\s{0,9}exec\s{1,9}/u }]],
  ['nmap', [{ joined: /^\s{0,9}!/u }]],
  ['ftp', [{ joined: /^\s{0,9}!/u }]],
  ['sftp', [{ joined: /^\s{0,9}!/u }]],
  ['lftp', [{ joined: /^\s{0,9}!/u }, { joined: /^.{0,200}(?:;|^)\s{0,9}(?:!|shell\s)/u }]],
  ['mail', [{ joined: /^\s{0,9}~!/u }]],
  ['mailx', [{ joined: /^\s{0,9}~!/u }]],
  ['irb', [{ joined: /^\s{0,9}(?:system|exec)\s{0,3}\(?["']/u }]],
  ['docker', [{ next: /^--health-cmd$/u }, { joined: /^--health-cmd=/u }]],
  ['make', [{ joined: /^(?:\.?SHELL(?:FLAGS)?|CC|CXX|LD)=/u }]],
  ['gmake', [{ joined: /^(?:\.?SHELL(?:FLAGS)?|CC|CXX|LD)=/u }]],
  ['start-stop-daemon', [{ next: /^(?:--exec|--startas|-x|-a)$/u }]],
  ...['vim', 'vi', 'nvim', 'ex', 'gvim', 'view'].map((name): [string, readonly Carrier[]] => [
    name,
    [{ joined: /^(?:\+|--cmd=)?:?\s*(?:silent!?\s+)?(?:!|(?:call\s+)?system\(["'])/u }],
  ]),
  ...['sed', 'gsed'].map((name): [string, readonly Carrier[]] => [name, [{ joined: /^(?:\d{1,6}|\$)?\s*e\s+/u }]]),
]);

/** Programs that run the words after a subcommand, or after `--`. */
const RUNNERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['npm', ['exec', 'x']],
  ['pnpm', ['exec', 'dlx']],
  ['yarn', ['exec', 'dlx', 'run']],
  ['bun', ['x', 'exec']],
  ['uv', ['run']],
  ['poetry', ['run']],
  ['pipenv', ['run']],
  ['pdm', ['run']],
  ['rye', ['run']],
  ['hatch', ['run']],
  ['conda', ['run']],
  ['bundle', ['exec']],
  ['mise', ['exec', 'x']],
  ['asdf', ['exec']],
  ['direnv', ['exec']],
  ['aws-vault', ['exec']],
  ['nix', ['-c', '--command']],
  ['git', ['run', 'foreach']],
  ['capsh', ['--']],
  ['ssh-agent', []],
  ['gpg-agent', []],
  ['proot', []],
  ['tmux', ['new', 'new-session', 'new-window', 'neww', 'split-window', 'splitw', 'send-keys', 'send', 'run-shell', 'run']],
  ['op', ['run']],
  ['doppler', ['run']],
  ['vagrant', ['ssh']],
  ['npx', []],
  ['pnpx', []],
  ['bunx', []],
  ['uvx', []],
  ['dotenv', []],
  ['entr', []],
  ['hyperfine', []],
  ['nodemon', []],
  ['watchexec', []],
  ['concurrently', []],
  ['screen', []],
  ['start-stop-daemon', []],
  ['corepack', []],
]);

/** Variables whose value some program runs. */
const RUN_VARIABLES =
  /^(?:GIT_CONFIG_VALUE_\d{1,3}=!|GIT_CONFIG_PARAMETERS='[^'=]{1,80}'?='?!|(?:GIT_(?:SSH_COMMAND|SSH|EDITOR|SEQUENCE_EDITOR|PAGER|EXTERNAL_DIFF|ASKPASS|PROXY_COMMAND)|(?:MAN)?PAGER|VISUAL|EDITOR|FCEDIT|PROMPT_COMMAND|BROWSER|SSH_ASKPASS|LESSOPEN|LESSCLOSE|RSYNC_RSH|CVS_RSH|TAR_OPTIONS|PS4)=)(.{1,4000})$/su;

/** Programs whose standard input is read as commands of their own, some of which start others. */
const READS_COMMANDS: ReadonlySet<string> = new Set(
  'sqlite3 psql mysql mariadb vim vi nvim ex ed gdb lldb expect tclsh nmap ftp sftp lftp less mail mailx mongosh irb'.split(' '),
);

/** What `words` runs because an option, an operand or a variable says so. */
export function carriedBy(
  program: string,
  given: readonly string[],
  assigns: readonly string[],
  stdin: readonly string[],
): readonly Inner[] {
  const out: Inner[] = [];
  const script = (text: string | undefined): void => {
    if (text !== undefined && text.trim() !== '') out.push({ kind: 'script', text });
  };
  // Some programs read from their input what they also take as options.
  const args = stdin.length > 0 && READS_COMMANDS.has(program) ? [...given, ...stdin.flatMap((text) => text.split('\n', 256))] : given;
  for (const assign of assigns) script(RUN_VARIABLES.exec(assign)?.[1]?.replace(/^.*--checkpoint-action=exec=/u, ''));
  for (const carrier of CARRIERS.get(program) ?? []) {
    for (const [index, arg] of args.entries()) {
      const start = carrier.joined?.exec(arg)?.[0];
      if (start !== undefined) script(arg.slice(start.length).replace(/["']\)?\s*$/u, ''));
      if (carrier.next?.test(arg) === true) script(args[index + 1]);
    }
  }
  const subcommands = RUNNERS.get(program);
  if (subcommands) {
    const at = subcommands.length === 0 ? 0 : args.findIndex((arg) => subcommands.includes(arg)) + 1;
    if (at > 0 || subcommands.length === 0) for (const rest of runnerForms(args.slice(at))) out.push(rest);
  }
  return out;
}

/** A runner's own flags may take values we do not know, so both readings count: with and without a value after the last flag. */
function runnerForms(args: readonly string[]): readonly Inner[] {
  const dashes = args.indexOf('--');
  if (dashes >= 0) return [{ kind: 'words', words: args.slice(dashes + 1) }];
  let first = 0;
  while (first < args.length && (args[first] ?? '').startsWith('-')) first++;
  const out: Inner[] = [];
  for (const start of first === 0 ? [0] : [first, first + 1]) {
    const words = args.slice(start);
    if (words.length === 0) continue;
    // A command line given as one argument is read by a shell.
    out.push(/\s/u.test(words[0] ?? '') ? { kind: 'script', text: words.join(' ') } : { kind: 'words', words });
  }
  return out;
}
