/** Who a command sends data to and fetches from. Sources: the programs' manual pages. */
import type { CommandField } from '#core/normalize/fields.ts';
import type { Effect } from '#core/normalize/shell/effects.ts';
import { isRemote } from '#core/normalize/shell/transferPaths.ts';

const CURL_SENDS =
  /^(?:-[a-zA-Z]*[dFT]|--(?:data|data-raw|data-binary|data-ascii|data-urlencode|json|form|form-string|upload-file|url-query))(?:=|$)|^-[dFT]\S/u;
const WGET_SENDS = /^--(?:post-data|post-file|body-data|body-file)(?:=|$)/u;
const METHODS = /^(?:POST|PUT|PATCH|DELETE)$/iu;
const send = (target: string): Effect => ({ effect: 'send', target });
const fetched = (target: string): Effect => ({ effect: 'fetch', target });

/** The host of `user@host:path`, `host:path`, `ssh://host/…`; null when it names none. */
export function hostOf(word: string): string | null {
  const url = /^[a-z][a-z0-9+.-]{1,30}:\/\/(?:[^@/\s]{0,200}@)?(\[[^\]]{1,60}\]|[^:/?#\s]{1,255})/iu.exec(word)?.[1];
  if (url !== undefined) return url.toLowerCase();
  return /^(?:[^\s@/:]{1,100}@)?([\w.-]{2,255}|\[[0-9a-f:.]{2,60}\]):(?!\\)/iu.exec(word)?.[1]?.toLowerCase() ?? null;
}

export function transfers(command: CommandField): readonly Effect[] {
  const { program, words, operands, urls } = command;
  const out: Effect[] = sockets(command);
  const args = words.slice(1);
  const hosts = urls.map((url) => url.host);
  switch (program) {
    case 'curl':
    case 'wget':
    case 'wget2': {
      const sends =
        args.some((arg) => (program === 'curl' ? CURL_SENDS : WGET_SENDS).test(arg)) ||
        args.some((arg, index) => METHODS.test(arg) && /^(?:-[a-zA-Z]*X|--request|--method)$/u.test(args[index - 1] ?? '')) ||
        args.some((arg) => /^(?:-X|--request=|--method=)(?:POST|PUT|PATCH|DELETE)$/iu.test(arg));
      return [...out, ...hosts.map(sends ? send : fetched)];
    }
    case 'http':
    case 'https':
    case 'xh':
    case 'xhs': {
      const sends =
        operands.some((word) => METHODS.test(word)) || operands.slice(1).some((word) => /^[\w.-]{1,80}(?::=@|:=|=@|=|@)/u.test(word));
      return [...out, ...hosts.map(sends ? send : fetched)];
    }
    case 'aria2c':
    case 'axel':
    case 'lynx':
    case 'w3m':
    case 'fetch':
    case 'lwp-download':
    case 'get':
    case 'yt-dlp':
    case 'certutil':
    case 'bitsadmin':
      return [...out, ...hosts.map(fetched)];
    case 'invoke-webrequest':
    case 'invoke-restmethod':
    case 'iwr':
    case 'irm': {
      const sends = args.some(
        (arg, index) => /^-(?:body|infile|form)$/iu.test(arg) || (/^-method$/iu.test(args[index - 1] ?? '') && METHODS.test(arg)),
      );
      return [...out, ...hosts.map(sends ? send : fetched)];
    }
    case 'nc':
    case 'ncat':
    case 'netcat':
    case 'nc.traditional':
    case 'telnet':
    case 'cryptcat':
      return args.some((arg) => /^-[a-zA-Z]*[lz]/u.test(arg) || arg === '--listen' || arg === '-U')
        ? out
        : [
            ...out,
            ...operands
              .filter((one) => !/^\d{1,5}$/u.test(one))
              .slice(0, 1)
              .map((host) => send(host.toLowerCase())),
          ];
    case 'socat':
      return [
        ...out,
        ...args.flatMap((arg) => {
          const host = /^(?:tcp[46]?|udp[46]?|openssl|ssl|sctp|socks4a?|proxy)(?:-connect)?:([^:,\s]{1,255}):/iu.exec(arg)?.[1];
          return host === undefined ? [] : [send(host.toLowerCase())];
        }),
      ];
    case 'openssl': {
      const at = args.indexOf('-connect');
      return at < 0 ? out : [...out, send((args[at + 1] ?? '').replace(/:\d{1,5}$/u, '').toLowerCase())];
    }
    case 'scp':
    case 'rcp':
    case 'pscp':
    case 'rsync':
      return [...out, ...between(operands)];
    case 'sftp':
    case 'ftp':
    case 'tftp':
    case 'lftp':
    case 'smbclient': {
      const host = operands[0] === undefined ? null : (hostOf(operands[0]) ?? operands[0].replace(/^.{0,100}@/u, '').toLowerCase());
      return host === null ? out : [...out, send(host), fetched(host)];
    }
    case 'git':
      return [...out, ...git(operands)];
    case 'aws':
    case 'gsutil':
    case 'gcloud':
    case 'rclone':
    case 'azcopy':
    case 's3cmd':
    case 's5cmd':
    case 'mc':
      return [...out, ...cloud(command)];
    case 'az':
      return /\bupload(?:-batch)?\b/u.test(operands.slice(0, 4).join(' ')) ? [...out, send('blob.core.windows.net')] : out;
    case 'gh':
      return /^gist create|^release upload|^issue create|^pr create/u.test(operands.join(' '))
        ? [...out, send(operands[0] === 'gist' ? 'gist.github.com' : 'github.com')]
        : out;
    case 'mail':
    case 'mailx':
    case 'mutt':
    case 'sendmail':
    case 'swaks':
    case 'msmtp':
    case 'ssmtp':
      return [
        ...out,
        ...words.slice(1).flatMap((word) => {
          const domain = /^(?:--?to[= ]?)?[^\s@]{1,100}@([\w.-]{1,255})$/u.exec(word)?.[1];
          return domain === undefined ? [] : [send(domain.toLowerCase())];
        }),
      ];
    case 'dig':
    case 'drill':
    case 'nslookup':
    case 'host':
    case 'ping':
    case 'resolvectl':
      // A name that is put together when it runs carries what it was put together from.
      return [
        ...out,
        ...operands
          .filter((one) => /\$/u.test(one) && one.includes('.'))
          .map((one) => send(one.replace(/^.*\$[({]?\w*[)}]?\.?/su, '').toLowerCase())),
      ];
    case 'docker':
    case 'podman':
      return operands[0] === 'push'
        ? [...out, send(registryOf(operands[1] ?? ''))]
        : operands[0] === 'pull'
          ? [...out, fetched(registryOf(operands[1] ?? ''))]
          : out;
    case 'npm':
    case 'pnpm':
    case 'yarn':
    case 'cargo':
    case 'gem':
    case 'poetry':
    case 'twine':
    case 'uv':
      return /^(?:publish|push|upload|npm publish)\b/u.test(operands.join(' ')) && !command.flags.has('dry-run')
        ? [...out, send(hosts[0] ?? REGISTRIES.get(program) ?? '')]
        : out;
    default:
      return out;
  }
}

const REGISTRIES: ReadonlyMap<string, string> = new Map([
  ['npm', 'registry.npmjs.org'],
  ['pnpm', 'registry.npmjs.org'],
  ['yarn', 'registry.npmjs.org'],
  ['cargo', 'crates.io'],
  ['gem', 'rubygems.org'],
  ['poetry', 'upload.pypi.org'],
  ['twine', 'upload.pypi.org'],
  ['uv', 'upload.pypi.org'],
]);

function registryOf(image: string): string {
  const first = image.split('/', 1)[0] ?? '';
  return image.includes('/') && /[.:]|^localhost$/u.test(first) ? first.toLowerCase() : 'docker.io';
}

/** bash's own sockets: `> /dev/tcp/host/port`. */
function sockets(command: CommandField): Effect[] {
  return command.redirects.flatMap((redirect) => {
    const host = /^\/dev\/(?:tcp|udp)\/([^/\s]{1,255})\//u.exec(redirect.target)?.[1]?.toLowerCase();
    if (host === undefined) return [];
    return redirect.op === '<' ? [fetched(host)] : redirect.op === '<>' ? [send(host), fetched(host)] : [send(host)];
  });
}

function between(operands: readonly string[]): readonly Effect[] {
  const out: Effect[] = [];
  for (const [index, operand] of operands.entries()) {
    const host = isRemote(operand) ? hostOf(operand) : null;
    if (host !== null) out.push(index === operands.length - 1 && operands.length > 1 ? send(host) : fetched(host));
  }
  return out;
}

function git(operands: readonly string[]): readonly Effect[] {
  const [sub, ...rest] = operands;
  const remote = rest.find((word) => isRemote(word));
  const host = remote === undefined ? null : hostOf(remote);
  if (host === null) return [];
  if (sub === 'push') return [send(host)];
  return /^(?:clone|fetch|pull|ls-remote|submodule|archive)$/u.test(sub ?? '') ? [fetched(host)] : [];
}

/** The bucket or remote as written; a copy between two of them sends and fetches. */
function cloud(command: CommandField): readonly Effect[] {
  const line = command.operands.slice(0, 3).join(' ');
  if (!/\b(?:cp|mv|sync|copy|copyto|move|moveto|rsync|mirror|put|get|put-object|scp)\b/u.test(line)) return [];
  const remotes = command.operands.filter((word) => isRemote(word));
  const last = command.operands.at(-1);
  if (remotes.length === 0) return /put-object/u.test(line) ? [send('s3')] : [];
  return remotes.map((word) => (word === last ? send : fetched)(word.slice(0, 200)));
}
