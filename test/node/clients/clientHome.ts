/** A home folder of its own for one test, and the context that points into it. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { layoutFor } from '#home/layout.ts';
import type { ClientContext } from '#node/clients/planChange.ts';

export interface ClientHome extends ClientContext {
  readonly workspace: string;
  readonly write: (path: string, text: string) => string;
}

export const HOOK = "'/home/u/.callgate/bin/callgate-hook' claude || exit 2";
export const RECORD = "{ /usr/bin/nc -N -U '/home/u/.callgate/run/claude.sock' || echo >>'/home/u/.callgate/unrecorded'; }; exit 0";
export const SHIM = '/home/u/.callgate/bin/callgate-mcp';

export function clientHome(): ClientHome {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'callgate-clients-')));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const workspace = join(home, 'project');
  mkdirSync(workspace);
  return {
    home,
    workspace,
    layout: layoutFor(home),
    platform: 'linux',
    env: { PATH: join(home, 'bin') },
    workspaceFolders: [workspace],
    launcher: { hookCommand: () => HOOK, mcpCommand: SHIM },
    write: (path, text) => {
      const file = join(home, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
  };
}
