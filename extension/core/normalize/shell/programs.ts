/** What well-known programs do with their words. Sources: their manual pages. */

/** Programs that run another program given in their words. */
export interface Wrapper {
  /** Flags whose value is the next word. */
  readonly valued: readonly string[];
  /** Operands before the wrapped program: a duration, a folder, a host. */
  readonly skip: number;
  /** The wrapped words are joined and read by a shell again. */
  readonly shell: 'words' | 'joined';
}

const wrapper = (valued: string, skip = 0, shell: Wrapper['shell'] = 'words'): Wrapper => ({ valued: valued === '' ? [] : valued.split(' '), skip, shell });

export const WRAPPERS: ReadonlyMap<string, Wrapper> = new Map([
  ['sudo', wrapper('-u -g -h -p -C -T -U -D -R -r -t --user --group --host --prompt --chdir')], ['doas', wrapper('-u -C')], ['pkexec', wrapper('--user')],
  ['env', wrapper('-u -C --unset --chdir')], ['nohup', wrapper('')], ['setsid', wrapper('')], ['time', wrapper('-f -o')], ['builtin', wrapper('')], ['command', wrapper('')],
  ['exec', wrapper('-a')], ['nice', wrapper('-n')], ['ionice', wrapper('-c -n -p')], ['chrt', wrapper('', 1)], ['taskset', wrapper('-c', 1)], ['stdbuf', wrapper('-i -o -e')],
  ['timeout', wrapper('-k -s --signal --kill-after', 1)], ['gtimeout', wrapper('-k -s', 1)], ['xargs', wrapper('-I -n -P -L -d -a -E -s -i --max-args --max-procs --delimiter --arg-file --replace')],
  ['unbuffer', wrapper('')], ['caffeinate', wrapper('-t -w')], ['proxychains', wrapper('-f')], ['proxychains4', wrapper('-f')], ['torsocks', wrapper('')], ['torify', wrapper('')],
  ['strace', wrapper('-o -e -p -s -E -u')], ['ltrace', wrapper('-o -e -p -s')], ['watch', wrapper('-n -d --interval', 0, 'joined')], ['chroot', wrapper('', 1)],
  ['busybox', wrapper('')], ['toybox', wrapper('')], ['systemd-run', wrapper('-u -p --unit --property -M')], ['unshare', wrapper('')], ['nsenter', wrapper('-t --target')],
  ['flock', wrapper('-w -E --timeout', 1)], ['parallel', wrapper('-j -S --jobs', 0, 'joined')], ['setarch', wrapper('', 1)], ['faketime', wrapper('', 1)], ['dbus-run-session', wrapper('')],
  ['ssh', wrapper('-i -p -l -o -F -J -L -R -D -E -b -c -m -S -W', 1, 'joined')], ['sshpass', wrapper('-p -f -e')], ['fakeroot', wrapper('')], ['firejail', wrapper('')], ['then', wrapper('')], ['do', wrapper('')],
]);

export const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'zsh', 'dash', 'ksh', 'ash', 'fish', 'mksh', 'rbash', 'csh', 'tcsh']);

/** Interpreters of other languages, with the flags that take code. */
export const INTERPRETERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['python', ['c']], ['perl', ['e', 'E', 'ne', 'pe', 'le']], ['ruby', ['e', 'ne']], ['node', ['e', 'p', 'pe', 'eval', 'print']], ['nodejs', ['e', 'p']], ['php', ['r']],
  ['bun', ['e', 'eval']], ['deno', ['eval']], ['osascript', ['e']], ['lua', ['e']], ['awk', ['']], ['gawk', ['']], ['mawk', ['']],
]);

/** `python3.12` → `python`: versions do not change what a program is. */
export function interpreterName(program: string): string {
  return program.replace(/^(python|pypy|perl|ruby|node|php|lua|bash)w?[\d.]+$/u, '$1').replace(/^pypy$/u, 'python');
}

/** Words of these are never paths, or name files whose content is not touched. */
export const NO_PATHS: ReadonlySet<string> = new Set([
  'echo', 'printf', 'ls', 'll', 'exa', 'eza', 'stat', 'test', '[', '[[', 'file', 'basename', 'dirname', 'realpath', 'readlink', 'which', 'type', 'cd', 'pushd', 'popd', 'du', 'df',
  'chmod', 'chown', 'chgrp', 'chattr', 'export', 'local', 'declare', 'readonly', 'typeset', 'unset', 'alias', 'kill', 'pkill', 'killall', 'sleep', 'exit', 'return', 'set', 'shift', 'true', 'false', ':', 'man', 'tldr', 'date', 'ssh-keygen', 'ssh-add', 'ssh-agent', 'tree', 'crontab', 'umask', 'lsof', 'fuser',
]);
export const DELETERS: ReadonlySet<string> = new Set(['rm', 'unlink', 'shred', 'rmdir', 'srm', 'wipe', 'trash', 'del', 'erase', 'rd', 'remove-item', 'ri']);
export const WRITERS: ReadonlySet<string> = new Set(['tee', 'touch', 'truncate', 'mkfifo', 'ed', 'ex', 'vi', 'vim', 'nano', 'emacs', 'sponge', 'set-content', 'add-content', 'out-file', 'new-item']);
/** The last operand is written, the others are read. */
export const COPIERS: ReadonlySet<string> = new Set(['cp', 'mv', 'install', 'ln', 'rsync', 'scp', 'gcp', 'gmv', 'ditto', 'copy', 'move', 'copy-item', 'move-item', 'link']);
/** The first operand is a pattern or program text. */
export const PATTERN_FIRST: ReadonlySet<string> = new Set(['grep', 'egrep', 'fgrep', 'rg', 'ag', 'ack', 'sed', 'gsed', 'awk', 'gawk', 'mawk', 'jq', 'yq', 'perl', 'zgrep', 'ugrep', 'tr']);

/** Flags whose next word is a value and not an operand; only where leading operands matter. */
export const VALUED: ReadonlyMap<string, readonly string[]> = new Map([
  ['git', ['-C', '-c', '--git-dir', '--work-tree', '--namespace', '--exec-path', '-m', '--message', '-F', '--author']],
  ['docker', ['-H', '--host', '--context', '-c', '--config', '-l']], ['podman', ['-c', '--connection', '--root']],
  ['kubectl', ['-n', '--namespace', '--context', '--kubeconfig', '--cluster', '--user', '-s', '--server', '-l', '--selector']], ['helm', ['-n', '--namespace', '--kube-context', '--kubeconfig']],
  ['npm', ['--prefix', '-C', '--registry', '--workspace', '-w']], ['pnpm', ['-C', '--dir', '--filter', '-F']], ['yarn', ['--cwd']], ['aws', ['--profile', '--region', '--endpoint-url', '--output', '--query']],
  ['gcloud', ['--project', '--account', '--configuration', '--format', '--zone']], ['systemctl', ['-H', '-M', '-t', '-p']], ['cargo', ['--manifest-path', '-C', '--config']], ['gh', ['-R', '--repo', '--hostname']],
  ['vault', ['-address', '-namespace']], ['psql', ['-h', '-p', '-U', '-d']], ['mysql', ['-h', '-P', '-u', '-D']], ['redis-cli', ['-h', '-p', '-a', '-n', '-u']],
]);
