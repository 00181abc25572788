/** Runs `callgate audit export` in a process of its own, for the editor: its memory and its event loop stay what they were. */
import { spawn } from 'node:child_process';
import { readdirSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isObject } from '#core/model/json.ts';
import { errorText } from '#home/privateFile.ts';
import type { FileFormat } from '#node/audit/export/encoder.ts';
import type { ExportProgress } from '#node/audit/export/fileExport.ts';

export interface ExportJob {
  /** Starts the `callgate` command. */
  readonly program: { readonly runtime: string; readonly args: readonly string[] };
  readonly format: FileFormat;
  /** Words of the command line, such as `--since 7d`. */
  readonly filter: readonly string[];
  readonly file: string;
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExportProgress) => void;
}

export type ExportResult =
  /** `warning` is empty, or says what was passed over. */
  | { readonly kind: 'done'; readonly entries: number; readonly warning: string }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly message: string };

const PATIENCE_MS = 3000;
const MOST_WORDS = 4000;

/** Never rejects. What was not finished leaves nothing under the chosen name or beside it. */
export function runExport(job: ExportJob): Promise<ExportResult> {
  const { program, format, filter, file, cwd, signal, onProgress } = job;
  if (signal.aborted) return Promise.resolve({ kind: 'cancelled' });
  return new Promise((resolve) => {
    const words = ['audit', 'export', '--format', format, '--output', file, '--progress', 'json', ...filter];
    const child = spawn(program.runtime, [...program.args, ...words], {
      cwd,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    let entries = 0;
    let said = '';
    let told = '';
    let rest = '';
    const take = (line: string): void => {
      const progress = progressFrom(line);
      if (progress === null) said = `${said}${line}\n`.slice(-MOST_WORDS);
      else {
        entries = progress.entries;
        onProgress(progress);
      }
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (told = (told + text).slice(-MOST_WORDS)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(take);
    });
    let killing: NodeJS.Timeout | null = null;
    const stop = (): void => {
      child.kill('SIGTERM');
      killing = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    };
    signal.addEventListener('abort', stop, { once: true });
    const settle = (result: ExportResult): void => {
      signal.removeEventListener('abort', stop);
      if (killing !== null) clearTimeout(killing);
      // One that was killed, as cancelling does on Windows, had no time to do this itself.
      if (result.kind !== 'done') removeParts(file);
      resolve(result);
    };
    child.once('error', (error) => settle({ kind: 'failed', message: `it could not be started (${errorText(error)})` }));
    child.once('close', (code) => {
      if (rest !== '') take(rest);
      // Written to the end, although some lines of the journal were not sound.
      if (code === 0 || (code === 1 && told !== '')) settle({ kind: 'done', entries, warning: said.trim() });
      else if (signal.aborted) settle({ kind: 'cancelled' });
      else settle({ kind: 'failed', message: said.trim().replace(/^callgate: /, '') || `it ended with status ${code ?? 'none'}` });
    });
  });
}

/** Without what is meant for the editor's own processes, or could change what our program is. */
function environment(): Record<string, string> {
  const own = { ...process.env, ELECTRON_RUN_AS_NODE: '1' } as Record<string, string>;
  for (const name of Object.keys(own)) if (/^(?:NODE_|VSCODE_|ELECTRON_(?!RUN_AS_NODE$))/.test(name)) delete own[name];
  return own;
}

function progressFrom(line: string): ExportProgress | null {
  if (!line.startsWith('{"progress":')) return null;
  try {
    const value: unknown = JSON.parse(line);
    if (isObject(value) && typeof value['progress'] === 'number' && typeof value['entries'] === 'number')
      return { progress: value['progress'], entries: value['entries'] };
  } catch {
    return null; // a line that only looks like it is shown as what it says
  }
  return null;
}

function removeParts(file: string): void {
  const start = `.${basename(file)}.`;
  try {
    for (const name of readdirSync(dirname(file)))
      if (name.startsWith(start) && /^[0-9a-f]{12}\.part$/.test(name.slice(start.length))) unlinkSync(join(dirname(file), name));
  } catch {
    return; // the folder is gone or not ours to change; the failure itself is told
  }
}
