/** Flags whose value is a file or folder, and what the program does with it. Sources: the programs' manual pages. */
import type { Access } from '#core/detect/rulePack.ts';

export type FlagAccess = Access | 'tree';

const flags = (write: string, read = '', tree = '', execute = ''): ReadonlyMap<string, FlagAccess> => {
  const out = new Map<string, FlagAccess>();
  const add = (names: string, access: FlagAccess): void => {
    for (const name of names.split(' ')) if (name !== '') out.set(name, access);
  };
  add(write, 'write');
  add(read, 'read');
  add(tree, 'tree');
  add(execute, 'execute');
  return out;
};

const COMPILER = flags('-o -MF --output');
const VIM = flags('-w -W', '', '', '-S -s -u');
const SQL = flags('-o --output -L --log-file', '', '', '-f --file');

const TABLE: ReadonlyMap<string, ReadonlyMap<string, FlagAccess>> = new Map([
  [
    'curl',
    flags(
      '-o --output -c --cookie-jar -D --dump-header --trace --trace-ascii --stderr --etag-save',
      '-T --upload-file -K --config --netrc-file',
      '--output-dir',
    ),
  ],
  [
    'wget',
    flags(
      '-O --output-document -o --output-file -a --append-output --save-cookies',
      '-i --input-file --post-file --body-file --load-cookies',
      '-P --directory-prefix',
    ),
  ],
  ['aria2c', flags('-o --out', '-i --input-file', '-d --dir')],
  ['axel', flags('-o --output')],
  ['http', flags('-o --output')],
  ['xh', flags('-o --output')],
  ['sort', flags('-o --output')],
  ['gcc', COMPILER],
  ['g++', COMPILER],
  ['cc', COMPILER],
  ['clang', COMPILER],
  ['clang++', COMPILER],
  ['ld', COMPILER],
  ['rustc', COMPILER],
  ['go', flags('-o')],
  ['pandoc', flags('-o --output')],
  ['openssl', flags('-out -keyout -writerand', '-in -inkey -kfile -CAfile -infile')],
  ['gpg', flags('-o --output')],
  ['gpg2', flags('-o --output')],
  ['age', flags('-o --output', '-i --identity')],
  ['jq', flags('', '-f --from-file')],
  ['awk', flags('', '', '', '-f --file')],
  ['gawk', flags('', '', '', '-f --file')],
  ['sed', flags('', '', '', '-f --file')],
  ['make', flags('', '', '', '-f --file --makefile')],
  ['gmake', flags('', '', '', '-f --file --makefile')],
  ['node', flags('', '', '', '-r --require --import --loader --experimental-loader')],
  ['psql', SQL],
  ['mysql', flags('--tee')],
  ['sqlite3', flags('', '', '', '-init')],
  ['pg_dump', flags('-f --file')],
  ['mysqldump', flags('-r --result-file')],
  ['mongodump', flags('', '', '-o --out')],
  ['pip', flags('--log', '-r --requirement -c --constraint', '-t --target')],
  ['pip3', flags('--log', '-r --requirement -c --constraint', '-t --target')],
  ['terraform', flags('-out')],
  ['strace', flags('-o --output')],
  ['ltrace', flags('-o --output')],
  ['gdb', flags('', '-c --core', '', '-x --command')],
  ['tcpdump', flags('-w', '-r')],
  ['tshark', flags('-w', '-r')],
  ['vim', VIM],
  ['vi', VIM],
  ['nvim', VIM],
  ['patch', flags('-o --output -r --reject-file', '-i --input')],
  ['at', flags('', '', '', '-f')],
  ['mail', flags('', '-a -A --attach')],
  ['mailx', flags('', '-a')],
  ['mutt', flags('', '-a -i')],
  ['swaks', flags('', '--attach --body')],
  ['logger', flags('', '-f --file')],
  ['sftp', flags('', '', '', '-b')],
  ['date', flags('', '-r --reference')],
  ['iconv', flags('-o --output')],
  ['nmap', flags('-oN -oX -oG -oA', '-iL', '', '--script')],
  ['sqlmap', flags('', '-r', '--output-dir')],
  ['hashcat', flags('-o --outfile')],
  ['qrencode', flags('-o', '-r')],
  ['7z', flags('', '', '-o')],
  ['7za', flags('', '', '-o')],
  ['yt-dlp', flags('-o --output', '-a --batch-file')],
  ['screencapture', flags('')],
  ['script', flags('-O -I -B')],
  ['docker', flags('--iidfile --cidfile')],
  ['certutil', flags('')],
  ['zip', flags('-O')],
]);

export interface FlagFile {
  readonly text: string;
  readonly access: FlagAccess;
  /** The value stands in a word of its own. */
  readonly apart: boolean;
}

/** The files that the flags of a command name. */
export function flagFiles(program: string, args: readonly string[]): readonly FlagFile[] {
  const table = TABLE.get(program);
  if (!table) return [];
  const out: FlagFile[] = [];
  for (const [index, arg] of args.entries()) {
    if (!arg.startsWith('-') || arg.length < 2) continue;
    const next = args[index + 1];
    const whole = table.get(arg);
    if (whole !== undefined) {
      if (next !== undefined && next !== '-') out.push({ text: next, access: whole, apart: true });
      continue;
    }
    const equals = arg.indexOf('=');
    const named = equals > 0 ? table.get(arg.slice(0, equals)) : undefined;
    if (named !== undefined) out.push({ text: arg.slice(equals + 1), access: named, apart: false });
    else if (!arg.startsWith('--')) {
      const joined = table.get(arg.slice(0, 2));
      const last = /^-[A-Za-z]{2,8}$/u.test(arg) ? table.get(`-${arg.slice(-1)}`) : undefined;
      if (last !== undefined && next !== undefined && joined === undefined) out.push({ text: next, access: last, apart: true });
      else if (joined !== undefined && arg.length > 2) out.push({ text: arg.slice(2), access: joined, apart: false });
    }
  }
  return out.filter((file) => file.text !== '' && !/^(?:-|\/dev\/(?:null|stdout|stderr))$/u.test(file.text));
}
