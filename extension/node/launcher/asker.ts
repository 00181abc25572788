/**
 * The small program that carries a hook's input to the broker: which ones this machine has, and whether they really
 * do what we need. Tried against a socket of our own rather than guessed from a version.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatReply, HEARTBEAT, REPLY_PASS, SILENCE_SECONDS } from '#contract/hookReply.ts';
import { quoteShell } from '#node/launcher/quoting.ts';

export type Asker =
  | { readonly kind: 'nc'; readonly program: string }
  | { readonly kind: 'perl'; readonly program: string; readonly script: string }
  | { readonly kind: 'none' };

/** The asker's command line. It exits 0 once connected, and anything else when nobody listens and its input is untouched. */
export function askerCommand(
  asker: Exclude<Asker, { kind: 'none' }>,
  socketPath: string,
  silenceSeconds: number = SILENCE_SECONDS,
): string {
  switch (asker.kind) {
    case 'nc':
      // -N: end of input is passed on; -w: ends when neither side says anything for so long.
      return `${quoteShell(asker.program)} -N -U -w ${silenceSeconds} ${quoteShell(socketPath)}`;
    case 'perl':
      // -T: no module or option from the environment.
      return `${quoteShell(asker.program)} -T ${quoteShell(asker.script)} ${quoteShell(socketPath)} ${silenceSeconds}`;
  }
}

export const PERL_ASKER = `# Callgate: sends standard input to the broker's socket and prints what it answers.
# Ends with 3, its input untouched, when nobody listens; with 0 in every other case, whether or not an answer came.
my ($path, $silence) = map { /\\A(.*)\\z/s } @ARGV;
$SIG{PIPE} = 'IGNORE';
$SIG{ALRM} = sub { exit 0 };
my $address = $^O =~ /darwin|bsd/ ? pack('CCa104', 106, 1, $path) : pack('Sa108', 1, $path);
my $socket;
socket($socket, 1, 1, 0) && connect($socket, $address) or exit 3;
my $bytes;
alarm $silence;
while (sysread STDIN, $bytes, 65536) {
  my $from = 0;
  while ($from < length $bytes) {
    my $sent = syswrite $socket, $bytes, length($bytes) - $from, $from;
    exit 0 unless $sent;
    $from += $sent;
    alarm $silence;
  }
}
shutdown $socket, 1;
while (sysread $socket, $bytes, 65536) {
  alarm $silence;
  syswrite STDOUT, $bytes;
}
exit 0;
`;

const NC_PLACES = ['/usr/bin/nc', '/bin/nc', '/usr/bin/nc.openbsd', '/bin/nc.openbsd', '/usr/local/bin/nc'];
const PERL_PLACES = ['/usr/bin/perl', '/usr/local/bin/perl'];

/** Askers whose program is there, fastest first. */
export function knownAskers(perlScript: string): readonly Exclude<Asker, { kind: 'none' }>[] {
  if (process.platform === 'win32') return [];
  return [
    ...NC_PLACES.filter(isExecutable).map((program) => ({ kind: 'nc', program }) as const),
    ...PERL_PLACES.filter(isExecutable).map((program) => ({ kind: 'perl', program, script: perlScript }) as const),
  ];
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // missing or not ours to run: the next candidate is tried
  }
}

/** The first of `candidates` that passes the test; `none` when no one does. */
export async function chooseAsker(candidates: readonly Exclude<Asker, { kind: 'none' }>[]): Promise<Asker> {
  const tried = new Set<string>();
  for (const asker of candidates) {
    // Several names of one program are tried once.
    const real = realpathSync(asker.program);
    if (!tried.has(real) && (await askerWorks(asker))) return asker;
    tried.add(real);
  }
  return { kind: 'none' };
}

const TEST_DEADLINE_MS = 6000;
/** More than one read and one socket buffer hold. */
const TEST_PAYLOAD = `{"text":"${'x'.repeat(300_000)}"}`;

/** It carries a long input whole, waits through heartbeats, notices a broker that has fallen silent, and says when there is none. */
export async function askerWorks(asker: Exclude<Asker, { kind: 'none' }>): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'callgate-ask-'));
  const path = join(folder, 's');
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const silent = connections++ > 0;
    let got = 0;
    let beat: NodeJS.Timeout | undefined;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => clearInterval(beat));
    socket.on('data', (chunk) => (got += chunk.length));
    socket.on('end', () => {
      if (silent) return;
      let beats = 0;
      beat = setInterval(() => {
        if (++beats < 5) socket.write(HEARTBEAT);
        else socket.end(got === TEST_PAYLOAD.length ? REPLY_PASS : formatReply({ kind: 'deny', reason: 'cut' }));
      }, 350);
    });
  });
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
    const command = askerCommand(asker, path, 1);
    const answered = await runAsker(command);
    if (answered.code !== 0 || answered.out.trim() !== REPLY_PASS) return false;
    const silent = await runAsker(command);
    if (silent.code !== 0 || silent.out !== '') return false;
    // The silent connection is still half open on our side.
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    const alone = await runAsker(askerCommand(asker, join(folder, 'nobody'), 1));
    return alone.code !== null && alone.code !== 0 && alone.out === '';
  } catch {
    return false; // an asker that cannot even be tried is not chosen
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function runAsker(command: string): Promise<{ code: number | null; out: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', `exec ${command}`], {
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: TEST_DEADLINE_MS,
      killSignal: 'SIGKILL',
    });
    let out = '';
    child.on('error', reject);
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    // An asker that finds nobody ends without reading.
    child.stdin.on('error', () => child.stdin.destroy());
    child.on('close', (code) => resolve({ code, out }));
    child.stdin.end(TEST_PAYLOAD);
  });
}
