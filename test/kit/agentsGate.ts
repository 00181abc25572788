/** Callgate in a sandbox: installed from `dist/` by the real installer, with or without a broker. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEntry } from '#contract/auditRecord.ts';
import { lastGoodRules } from '#home/ruleFile.ts';
import { applyPlan, revert } from '#node/clients/applyPlan.ts';
import { planProtect } from '#node/clients/planChange.ts';
import type { ClientContext } from '#node/clients/planChange.ts';
import { trustCodex } from '#node/clients/codexTrust.ts';
import { hookCommand, recordCommand } from '#node/launcher/hookCommand.ts';
import { installLauncher } from '#node/launcher/installLauncher.ts';
import { claudeBinary, codexBinary, repository } from '#kit/agents.ts';
import { openTestWindow } from '#kit/agentsWindow.ts';
import type { TestWindow } from '#kit/agentsWindow.ts';
import { launch, run, sandboxEnvironment, tail, waitFor } from '#kit/sandbox.ts';
import type { Ran, Sandbox } from '#kit/sandbox.ts';

export const dist = join(repository, 'dist');

function packageJson(): { readonly version: string } {
  return JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
}

export interface InstalledGate {
  /** The exact command that goes into the client's config. */
  readonly command: (client: 'claude' | 'codex') => string;
  /** A link in the sandbox to the Node that runs our bundles. */
  readonly runtime: string;
  readonly hookBundle: string;
  readonly hookScript: string;
  readonly rules: string;
  readonly goodRules: string;
}

export async function installGate(box: Sandbox): Promise<InstalledGate> {
  const folder = join(box.folder, 'runtime');
  const runtime = join(folder, 'node');
  mkdirSync(folder);
  symlinkSync(process.execPath, runtime);
  const { version } = packageJson();
  const paths = await installLauncher({ layout: box.layout, distFolder: dist, runtime, version, path: '/usr/bin:/bin' });
  return {
    command: (client) => hookCommand(box.layout, client),
    runtime,
    hookBundle: paths.hookBundle,
    hookScript: paths.hookScript,
    rules: paths.rulesFile,
    goodRules: lastGoodRules(box.layout),
  };
}

/** Callgate's own program as a person starts it, from its launcher. */
export function callgate(box: Sandbox, args: readonly string[]): Promise<Ran> {
  return run(join(box.layout.bin, 'callgate'), args, { cwd: box.work, env: sandboxEnvironment(box), deadlineMs: 60_000 });
}

export interface Served {
  readonly pid: number;
  readonly window: TestWindow;
  /** Signals the broker alone. */
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Resolves when the broker is gone. */
  readonly ended: Promise<Ran>;
  readonly stop: () => Promise<void>;
}

/** Only ends what a killed test left behind: longer than any test may take. */
const LIFETIME_MS = 590_000;

/** `callgate serve` with a window of ours. @throws with the broker's output when it does not come up. */
export async function serve(box: Sandbox, settings: { readonly holdSeconds?: number } = {}): Promise<Served> {
  const { version } = packageJson();
  // `exec` all the way: the process we start is the broker itself.
  const started = launch(join(box.layout.bin, 'callgate'), ['serve'], {
    cwd: box.home,
    env: sandboxEnvironment(box),
    deadlineMs: LIFETIME_MS,
  });
  const pid = started.child.pid;
  if (pid === undefined) throw new Error('callgate serve could not be started');
  let over: Ran | null = null;
  const ended = started.done.then((ran) => (over = ran));
  const window = await waitFor('the broker to listen', async () => {
    if (over !== null) throw new Error(`callgate serve ended at once: ${tail(over)}`);
    // Refused until the broker listens; that is what is waited for.
    return openTestWindow(box.layout, version).catch(() => null);
  });
  if (settings.holdSeconds !== undefined)
    await window.request('configure', { holdSeconds: settings.holdSeconds, onJournalFailure: 'deny', recordConversation: true });
  return {
    pid,
    window,
    ended,
    kill: (signal) => process.kill(pid, signal),
    stop: async () => {
      window.close();
      if (over === null) started.kill('SIGCONT');
      if (over === null) started.kill('SIGTERM');
      const gone = await Promise.race([
        ended.then(() => true),
        new Promise<false>((resolve) => setTimeout(() => resolve(false), 5000).unref()),
      ]);
      if (!gone) started.kill('SIGKILL');
      await ended;
    },
  };
}

/** Every line of the journal, in order; read from the files, not through anything that might mend them. */
export function journalEntries(box: Sandbox): readonly AuditEntry[] {
  const segments = readdirSync(box.layout.journal)
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
  const lines = segments.flatMap((name) => readFileSync(join(box.layout.journal, name), 'utf8').split('\n'));
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AuditEntry);
}

/** The decisions about calls, without those about what a tool answered or how it is described. */
export function callEntries(box: Sandbox): readonly AuditEntry[] {
  return journalEntries(box).filter((entry) => entry.kind === 'call' && entry.channel !== 'response' && entry.channel !== 'definition');
}

/** @throws with the verifier's report unless `callgate audit verify` finds the whole journal sound. */
export async function insistOnWholeJournal(box: Sandbox): Promise<void> {
  const ran = await callgate(box, ['audit', 'verify']);
  if (ran.code !== 0) throw new Error(`the journal does not verify: ${tail(ran)}`);
}

/** A folder for PATH in which the agents are found under their own names. */
export function agentsOnPath(box: Sandbox): string {
  const folder = join(box.folder, 'agents');
  mkdirSync(folder, { recursive: true });
  for (const [name, binary] of [
    ['claude', claudeBinary()],
    ['codex', codexBinary()],
  ] as const) {
    const link = join(folder, name);
    if (!existsSync(link)) symlinkSync(binary, link);
  }
  return folder;
}

function clientContext(box: Sandbox): ClientContext {
  const { bin } = box.layout;
  return {
    layout: box.layout,
    home: box.home,
    platform: process.platform,
    env: sandboxEnvironment(box, { PATH: `${agentsOnPath(box)}:/usr/bin:/bin` }),
    workspaceFolders: [box.work],
    launcher: {
      hookCommand: (client) => hookCommand(box.layout, client),
      recordCommand: (client) => recordCommand(box.layout, client),
      mcpCommand: join(bin, 'callgate-mcp'),
    },
  };
}

/** Protects an agent or the work folder's `.mcp.json` as the extension does: plan, apply, Codex' trust by its own route. */
export async function protect(box: Sandbox, what: 'claude' | 'codex' | 'mcp'): Promise<{ readonly undo: () => Promise<void> }> {
  const context = clientContext(box);
  const id = what === 'mcp' ? `mcp:${join(box.work, '.mcp.json')}` : what;
  applyPlan(planProtect(id, context), context);
  if (what === 'codex') await trustCodex(context, { program: codexBinary(), cwd: box.work, deadlineMs: 30_000 });
  return { undo: async () => void revert(id, context) };
}
