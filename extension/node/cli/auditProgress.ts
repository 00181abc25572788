/** How far an export is, on stderr: one line that replaces itself on a terminal, or JSON lines for a program that asked. */
import type { Writable } from 'node:stream';
import type { ExportProgress } from '#node/audit/export/fileExport.ts';

/** Often enough to be seen moving. */
const EVERY_MS = 100;

export interface ProgressLine {
  readonly show: (progress: ExportProgress) => void;
  /** Takes the line away again. */
  readonly end: () => void;
}

export function progressLine(stderr: Writable, to: 'terminal' | 'json'): ProgressLine {
  const onTerminal = 'isTTY' in stderr && stderr.isTTY === true;
  let shownAt = Number.NEGATIVE_INFINITY;
  let latest: ExportProgress | null = null;
  let shown = false;
  const write = (): void => {
    if (latest === null) return;
    const { progress, entries } = latest;
    if (to === 'json') stderr.write(`${JSON.stringify({ progress: Math.round(progress * 1000) / 1000, entries })}\n`);
    else stderr.write(`\r\u001b[K${Math.floor(progress * 100)} %  ${entries} entries`);
    shown = true;
    latest = null;
  };
  return {
    show(progress) {
      if (to === 'terminal' && !onTerminal) return;
      latest = progress;
      const now = performance.now();
      if (now - shownAt < EVERY_MS) return;
      shownAt = now;
      write();
    },
    end() {
      if (to === 'json') write();
      else if (shown) stderr.write('\r\u001b[K');
    },
  };
}
