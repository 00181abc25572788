/** Programs that run others, and interpreters. Sources: their manual pages. */

/** Programs that run another program given in their words. */
export interface Wrapper {
  /** Flags whose value is the next word. */
  readonly valued: readonly string[];
  /** Operands before the wrapped program: a duration, a folder, a host. */
  readonly skip: number;
  /** The wrapped words are joined and read by a shell again. */
  readonly shell: 'words' | 'joined';
}

const wrapper = (valued: string, skip = 0, shell: Wrapper['shell'] = 'words'): Wrapper => ({
  valued: valued === '' ? [] : valued.split(' '),
  skip,
  shell,
});

export const WRAPPERS: ReadonlyMap<string, Wrapper> = new Map([
  ['sudo', wrapper('-u -g -h -p -C -T -U -D -R -r -t --user --group --host --prompt --chdir')],
  ['doas', wrapper('-u -C')],
  ['pkexec', wrapper('--user')],
  ['env', wrapper('-u -C --unset --chdir')],
  ['nohup', wrapper('')],
  ['setsid', wrapper('')],
  ['time', wrapper('-f -o')],
  ['builtin', wrapper('')],
  ['command', wrapper('')],
  ['exec', wrapper('-a')],
  ['nice', wrapper('-n')],
  ['ionice', wrapper('-c -n -p')],
  ['chrt', wrapper('', 1)],
  ['taskset', wrapper('-c', 1)],
  ['stdbuf', wrapper('-i -o -e')],
  ['timeout', wrapper('-k -s --signal --kill-after', 1)],
  ['gtimeout', wrapper('-k -s', 1)],
  ['xargs', wrapper('-I -n -P -L -d -a -E -s -i --max-args --max-procs --delimiter --arg-file --replace')],
  ['unbuffer', wrapper('')],
  ['caffeinate', wrapper('-t -w')],
  ['proxychains', wrapper('-f')],
  ['proxychains4', wrapper('-f')],
  ['torsocks', wrapper('')],
  ['torify', wrapper('')],
  ['strace', wrapper('-o -e -p -s -E -u')],
  ['ltrace', wrapper('-o -e -p -s')],
  ['watch', wrapper('-n -d --interval', 0, 'joined')],
  ['chroot', wrapper('', 1)],
  ['busybox', wrapper('')],
  ['toybox', wrapper('')],
  ['systemd-run', wrapper('-u -p --unit --property -M')],
  ['unshare', wrapper('')],
  ['nsenter', wrapper('-t --target')],
  ['flock', wrapper('-w -E --timeout', 1)],
  ['parallel', wrapper('-j -S --jobs', 0, 'joined')],
  ['setarch', wrapper('', 1)],
  ['faketime', wrapper('', 1)],
  ['dbus-run-session', wrapper('')],
  ['ssh', wrapper('-i -p -l -o -F -J -L -R -D -E -b -c -m -S -W', 1, 'joined')],
  ['sshpass', wrapper('-p -f -e')],
  ['fakeroot', wrapper('')],
  ['firejail', wrapper('')],
  ['gosu', wrapper('', 1)],
  ['su-exec', wrapper('', 1)],
  ['setpriv', wrapper('--reuid --regid --groups --inh-caps --bounding-set')],
  ['capsh', wrapper('')],
  ['numactl', wrapper('-m -C -N --membind --cpunodebind')],
  ['catchsegv', wrapper('')],
  ['valgrind', wrapper('')],
  ['perf', wrapper('-e -o -F', 1)],
  ['xvfb-run', wrapper('-s -n -e --server-args')],
  ['with-contenv', wrapper('')],
  ['cgexec', wrapper('-g')],
  ['chpst', wrapper('-u -e')],
  ['then', wrapper('')],
  ['do', wrapper('')],
]);

export const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'zsh', 'dash', 'ksh', 'ash', 'fish', 'mksh', 'rbash', 'csh', 'tcsh']);

/** Interpreters of other languages, with the flags that take code. */
export const INTERPRETERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['python', ['c']],
  ['perl', ['e', 'E', 'ne', 'pe', 'le']],
  ['ruby', ['e', 'ne']],
  ['node', ['e', 'p', 'pe', 'eval', 'print']],
  ['nodejs', ['e', 'p']],
  ['php', ['r']],
  ['bun', ['e', 'eval']],
  ['deno', ['eval']],
  ['osascript', ['e']],
  ['lua', ['e']],
  ['rscript', ['e']],
  ['julia', ['e', 'eval']],
  ['awk', ['']],
  ['gawk', ['']],
  ['mawk', ['']],
]);

/** Flags whose next word is a value and not an operand; only where leading operands matter. */
export const VALUED: ReadonlyMap<string, readonly string[]> = new Map([
  ['git', ['-C', '-c', '--git-dir', '--work-tree', '--namespace', '--exec-path', '-m', '--message', '-F', '--author']],
  ['docker', ['-H', '--host', '--context', '-c', '--config', '-l']],
  ['podman', ['-c', '--connection', '--root']],
  ['kubectl', ['-n', '--namespace', '--context', '--kubeconfig', '--cluster', '--user', '-s', '--server', '-l', '--selector']],
  ['helm', ['-n', '--namespace', '--kube-context', '--kubeconfig']],
  ['npm', ['--prefix', '-C', '--registry', '--workspace', '-w']],
  ['pnpm', ['-C', '--dir', '--filter', '-F']],
  ['yarn', ['--cwd']],
  ['aws', ['--profile', '--region', '--endpoint-url', '--output', '--query']],
  ['gcloud', ['--project', '--account', '--configuration', '--format', '--zone']],
  ['systemctl', ['-H', '-M', '-t', '-p']],
  ['cargo', ['--manifest-path', '-C', '--config']],
  ['gh', ['-R', '--repo', '--hostname']],
  ['vault', ['-address', '-namespace']],
  ['psql', ['-h', '-p', '-U', '-d']],
  ['mysql', ['-h', '-P', '-u', '-D']],
  ['redis-cli', ['-h', '-p', '-a', '-n', '-u']],
]);
