/** Commands that give somebody more rights. Sources: the programs' manual pages. */
import type { CommandField } from '#core/normalize/fields.ts';

const AS_USER: ReadonlyMap<string, readonly string[]> = new Map([
  ['sudo', ['-u', '--user']],
  ['doas', ['-u']],
  ['pkexec', ['--user']],
  ['runuser', ['-u', '--user']],
  ['su', []],
  ['gosu', []],
  ['su-exec', []],
  ['runas', []],
]);

/** The user, capability or kind of isolation a command gives or takes away; empty when it gives none. */
export function escalations(command: CommandField): readonly string[] {
  const { program, words, operands, flags } = command;
  const args = words.slice(1);
  const userFlags = AS_USER.get(program);
  if (userFlags) {
    if (program === 'su' || program === 'gosu' || program === 'su-exec')
      return [
        args.find(
          (arg, index) => !arg.startsWith('-') && !/^-[a-z]{0,4}[csgGw]$|^--(?:command|shell|group)$/u.test(args[index - 1] ?? ''),
        ) ?? 'root',
      ];
    if (program === 'sudo' && args.every((arg) => /^-[lvkKV]$|^--(?:list|validate|version|reset-timestamp)$/u.test(arg))) return [];
    const at = args.findIndex((arg) => userFlags.includes(arg));
    const joined = args.map((arg) => /^--user=(.{1,100})$/u.exec(arg)?.[1]).find((user) => user !== undefined);
    return [joined ?? (at < 0 ? 'root' : (args[at + 1] ?? 'root'))];
  }
  switch (program) {
    case 'chmod':
      return /^(?:[ugoa]*[+=][rwxX]*s|0?[2467]\d{3})$/u.test(operands[0] ?? '') ||
        args.some((arg) => /^[ugoa]{0,4}[+=][rwxX]{0,3}s/u.test(arg))
        ? ['setuid']
        : [];
    case 'install':
      return args.some(
        (arg, index) =>
          (/^(?:-m|--mode)$/u.test(args[index - 1] ?? '') && /^0?[2467]\d{3}$|\+s/u.test(arg)) ||
          /^(?:-m|--mode=)0?[2467]\d{3}$/u.test(arg),
      )
        ? ['setuid']
        : [];
    case 'setcap':
      return [operands[0] ?? 'capability'];
    case 'nsenter':
    case 'unshare':
    case 'chroot':
    case 'machinectl':
      return program === 'machinectl' && operands[0] !== 'shell' ? [] : [program];
    case 'systemd-run':
      return flags.has('user') ? [] : ['root'];
    case 'docker':
    case 'podman':
    case 'nerdctl':
      return container(args);
    case 'usermod':
    case 'gpasswd':
    case 'adduser':
    case 'useradd': {
      const group = args
        .map((arg) => /(?:^|,)(root|sudo|wheel|admin|docker|lxd|libvirt|disk|shadow|adm)(?:,|$)/u.exec(arg)?.[1])
        .find((one) => one !== undefined);
      return group === undefined
        ? args.some((arg, index) => arg === '0' && /^-[uo]*u$/u.test(args[index - 1] ?? ''))
          ? ['root']
          : []
        : [`group ${group}`];
    }
    case 'kubectl':
    case 'oc': {
      const role = args.map((arg) => /^--(?:cluster)?role=(.{1,100})$/u.exec(arg)?.[1]).find((name) => name !== undefined);
      if (role !== undefined && operands[0] === 'create') return [`role ${role}`];
      return args.some((arg) => /"privileged":\s{0,3}true/u.test(arg)) ? ['privileged'] : [];
    }
    default:
      return [];
  }
}

/** Flags of `docker run` that take no value. Source: docs.docker.com/reference/cli/docker/container/run. */
const SWITCHES =
  /^(?:--(?:detach|init|interactive|no-healthcheck|oom-kill-disable|privileged|publish-all|quiet|read-only|rm|tty|replace|disable-content-trust)|-[ditPq]{1,5})$/u;
const SOCKET = /(?:docker|containerd|podman|crio|cri-dockerd)\.sock/u;

/** The image a container is made of, without its tag; empty when that cannot be told. */
function imageOf(args: readonly string[]): string {
  const at = args.findIndex((arg) => arg === 'run' || arg === 'create');
  if (at < 0) return '';
  for (let index = at + 1; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (!arg.startsWith('-'))
      return arg.replace(/@sha256:[0-9a-f]{1,64}$|:[\w.-]{1,128}$/u, '').replace(/^(?:docker\.io|index\.docker\.io)\//u, '');
    if (!arg.includes('=') && !SWITCHES.test(arg)) index++;
  }
  return '';
}

function container(args: readonly string[]): readonly string[] {
  const out: string[] = [];
  if (
    args.some((arg) => SOCKET.test(arg) || arg === '--privileged' || arg === '--privileged=true') &&
    args.some((arg) => /^(?:run|create|exec)$/u.test(arg))
  )
    out.push(`container ${imageOf(args)}`);
  for (const [index, arg] of args.entries()) {
    if (arg === '--privileged' || arg === '--privileged=true') out.push('privileged');
    const [name = '', joined] = arg.split('=', 2);
    const value = joined ?? args[index + 1] ?? '';
    if (name === '--cap-add') out.push(`capability ${value}`);
    else if (/^--(?:pid|ipc|uts|userns|cgroupns|net|network)$/u.test(name) && value === 'host' && name !== '--net' && name !== '--network')
      out.push(`host ${name.slice(2)}`);
    else if (name === '--security-opt' && /unconfined|disable/u.test(value)) out.push('unconfined');
    else if (name === '--device' && value.startsWith('/dev/')) out.push(`device ${value.split(':', 1)[0] ?? value}`);
  }
  return out;
}
