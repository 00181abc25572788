/** Which server a pin is of: its name in the configuration and what it is, so that another program under the same name is another server. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';

/** What of a server's entry says what it is. */
export type ServerSource = { readonly command: string; readonly args: readonly string[] } | { readonly url: string };

export interface ServerIdentity {
  /** Names the file of its pins. */
  readonly id: string;
  readonly server: string;
  /** For people: the program and its plain arguments, or the address; nothing that may be a secret. */
  readonly shown: string;
}

const SECRET_FLAG = /token|secret|passw|passphrase|credential|api[-_]?key|auth|bearer|cookie|(?:^|[-_])(?:key|pat|pwd)$/iu;
/** A plain word, path, package or number: what people write on a command line. */
const PLAIN_WORD = /^[\w@.,:/\\=+~^-]{1,200}$/u;
const LONG_RUN = /[A-Za-z0-9_+/=-]{32,}/u;
const MAX_SHOWN = 200;

export function serverIdentity(server: string, source: ServerSource): ServerIdentity {
  const words = 'command' in source ? [source.command, ...withoutSecrets(source.args)] : [plainAddress(source.url)];
  const id = createHash('sha256')
    .update(`callgate.server.v1\n${JSON.stringify([server, ...words])}`)
    .digest('hex')
    .slice(0, 32);
  const shown = 'command' in source ? [basename(source.command), ...words.slice(1)] : words;
  return {
    id,
    server,
    shown: shown
      .map((word) => (PLAIN_WORD.test(word) ? word : '…'))
      .join(' ')
      .slice(0, MAX_SHOWN),
  };
}

/** A token that was changed does not make another server, and does not belong on the disk. */
function withoutSecrets(args: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const [index, word] of args.entries()) {
    const before = args[index - 1] ?? '';
    const flag = /^(-{1,2}[\w-]+|[A-Z][A-Z0-9_]*)=/u.exec(word);
    if (/^-{1,2}[\w-]+$/u.test(before) && SECRET_FLAG.test(before) && !word.startsWith('-')) kept.push('…');
    else if (flag && SECRET_FLAG.test(flag[1] ?? '')) kept.push(`${flag[1] ?? ''}=…`);
    else if (/^[a-z][\w+.-]*:\/\//iu.test(word)) kept.push(plainAddress(word));
    // Paths have slashes and dots between shorter runs.
    else kept.push(word.split(/[/\\.]/u).some((part) => LONG_RUN.test(part)) ? '…' : word);
  }
  return kept;
}

/** Without user, password, query and fragment. */
function plainAddress(address: string): string {
  if (!URL.canParse(address)) return address.replace(/[?#].*$/su, '').replace(/\/\/[^/@]*@/u, '//');
  const url = new URL(address);
  const path = url.pathname.split('/').map((part) => (LONG_RUN.test(part) ? '…' : part));
  return `${url.protocol}//${url.host}${path.join('/')}`;
}
