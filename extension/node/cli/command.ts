import type { Readable, Writable } from 'node:stream';
import type { Layout } from '#home/layout.ts';

/** What a subcommand may use of the process it runs in. */
export interface CommandHost {
  readonly layout: Layout;
  /** The extension's version. */
  readonly version: string;
  /** The folder this bundle runs from: `rules.json` and `sql-wasm.wasm` lie beside it. */
  readonly bundleFolder: string;
  /** What `loadRules` takes as `checked`, of the rules this program was built with; absent: they are read whole and checked. */
  readonly checkedRules?: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** Gives the exit status: 0 done · 1 it found or met a problem, said on stderr · 2 the command line is wrong · others say so where they are given. */
export type Command = (args: readonly string[], host: CommandHost) => Promise<number>;

export const print = (stream: Writable, text: string): void => void stream.write(`${text}\n`);

/** Whoever reads us may stop (`callgate status | head`): then nothing more is said, and what was begun is finished. */
export function outliveReaders(...streams: readonly Writable[]): void {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** `process.cwd` throws when the folder was removed under us, as happens to an extension that is being uninstalled. */
export function currentFolder(cwd: () => string, fallback: string): string {
  try {
    return cwd();
  } catch {
    return fallback; // nothing is in a folder that is gone
  }
}
