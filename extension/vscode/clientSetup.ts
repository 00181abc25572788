/** Agents and MCP files, as the protect flow uses them. Knows nothing of the editor's windows. */
import type { Protectable } from '#contract/panel.ts';
import { applyPlan, revert } from '#node/clients/applyPlan.ts';
import { runCanary } from '#node/clients/canary.ts';
import { trustCodex } from '#node/clients/codexTrust.ts';
import { discover, type Discovered } from '#node/clients/discover.ts';
import { fileServers, type FileServers } from '#node/clients/fileServers.ts';
import { type ClientContext, planProtect } from '#node/clients/planChange.ts';

export interface PlannedChange {
  readonly name: string;
  readonly file: string;
  readonly before: string | null;
  readonly after: string;
  readonly summary: readonly string[];
  readonly warnings: readonly string[];
  /** A sentence the person agrees to together with the change; null if there is none. */
  readonly consent: string | null;
  /** Writes the file and does what was consented to. */
  readonly apply: () => Promise<void>;
}

/** tried: the client really asked the gate · untried: nothing to run it with · failed: it did not ask the gate. */
export interface CanaryOutcome {
  readonly kind: 'tried' | 'untried' | 'failed';
  readonly message: string;
}

export interface ClientSetup {
  readonly discover: () => Promise<readonly Protectable[]>;
  /** The servers of every MCP file, those that do not exist yet included. */
  readonly servers: () => Promise<readonly FileServers[]>;
  /** `servers`: only these of an MCP file. */
  readonly plan: (id: string, servers?: readonly string[]) => Promise<PlannedChange>;
  readonly canary: (id: string) => Promise<CanaryOutcome>;
  /** One sentence about what was restored. */
  readonly revert: (id: string) => Promise<string>;
}

const TRUST_DEADLINE_MS = 20_000;
const CANARY_DEADLINE_MS = 60_000;

/** `context` is asked for anew each time: folders and trust change. It rejects while the launcher is not installed. */
export function clientSetup(context: () => Promise<ClientContext>): ClientSetup {
  const folderOf = ({ workspaceFolders, home }: ClientContext): string => workspaceFolders[0] ?? home;
  const find = (id: string, from: ClientContext): Discovered | undefined => discover(from).find((item) => item.id === id);
  const labelOf = (item: Discovered): string => (item.kind === 'mcp' ? `MCP servers in ${item.name}` : item.name);

  return {
    discover: async () =>
      discover(await context()).map(({ id, kind, name, file, state, detail, warnings }) => ({
        id,
        kind,
        name,
        file,
        state,
        detail: [detail, ...warnings.filter((warning) => !detail.startsWith(warning))].join(' '),
      })),
    servers: async () => fileServers(await context()),
    plan: async (id, servers) => {
      const from = await context();
      const plan = planProtect(id, from, servers === undefined ? {} : { servers });
      const item = find(id, from);
      const program = item?.program ?? null;
      const { after } = plan;
      if (after === null) throw new Error(`${plan.file} would be deleted by protecting it; nothing was changed`);
      return {
        name: item ? labelOf(item) : id,
        file: plan.file,
        before: plan.before,
        after,
        summary: plan.summary,
        warnings:
          plan.needsConsent !== null && program === null
            ? [...plan.warnings, 'Codex itself was not found on PATH, so you will have to trust the hook in Codex under /hooks']
            : plan.warnings,
        consent: program === null ? null : plan.needsConsent,
        apply: async () => {
          applyPlan(plan, from);
          if (plan.needsConsent !== null && program !== null)
            await trustCodex(from, { program, cwd: folderOf(from), deadlineMs: TRUST_DEADLINE_MS });
        },
      };
    },
    canary: async (id) => {
      const from = await context();
      if (id !== 'claude' && id !== 'codex')
        return { kind: 'untried', message: 'Restart its servers in the client so that they run through the shim.' };
      const program = find(id, from)?.program ?? null;
      if (program === null) return { kind: 'untried', message: 'Its program was not found on PATH, so it was not tried.' };
      const { home, platform, env } = from;
      const report = await runCanary(id, { program, home, platform, env, cwd: folderOf(from), deadlineMs: CANARY_DEADLINE_MS });
      return report.ok
        ? { kind: 'tried', message: 'A canary call was refused as it should be.' }
        : { kind: 'failed', message: `${report.seen} ${report.toDo}` };
    },
    revert: async (id) => {
      const from = await context();
      const applied = revert(id, from);
      return applied.changed === 'changed' ? `${applied.file} is as it was.` : `Nothing of Callgate was left in ${applied.file}.`;
    },
  };
}
