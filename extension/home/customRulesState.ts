/** Keeps what `customRules` loads fresh for a process that judges many calls: files are looked at again at most twice a second. */
import type { RulePack } from '#core/detect/rulePack.ts';
import type { Finding } from '#core/model/finding.ts';
import { NO_POLICY, type Policy, type PolicyFile } from '#core/policy/policy.ts';
import {
  loadCustom,
  problemText,
  standingFindings,
  userPlace,
  workspacePlace,
  type CustomSet,
  type CustomTools,
} from '#home/customRules.ts';
import { findCustomFiles, type CustomPlace } from '#home/customRulesFiles.ts';
import type { Layout } from '#home/layout.ts';
import { workspaceOf } from '#home/workspace.ts';

const REFRESH_MS = 500;
const MAX_WORKSPACES = 50;

/** What beside the shipped rules counts for one call. */
export interface CustomContext {
  readonly custom: readonly RulePack[];
  readonly borrowed: readonly RulePack[];
  readonly policy: Policy;
  readonly standing: readonly Finding[];
}

export interface CustomState {
  /** Never fails. */
  readonly forFolder: (cwd: string) => CustomContext;
  /** Of the user's own files and of every workspace seen so far, one line each. */
  readonly problems: () => readonly string[];
  /** How many rules of the user's own are in force. */
  readonly rules: () => number;
}

interface Held {
  readonly place: CustomPlace;
  set: CustomSet;
  looked: number;
  /** What was made of the set: its policy with home folders written out, its standing findings. */
  policy: PolicyFile | null;
  standing: readonly Finding[];
}

/** `own`: where the user's files are, unless in the data folder. `now`: milliseconds on any clock that never goes back. */
export function openCustomState(
  layout: Layout,
  tools: CustomTools,
  own: CustomPlace = userPlace(layout),
  now = (): number => performance.now(),
): CustomState {
  const user = fresh(own);
  const workspaces = new Map<string, Held>();

  function fresh(place: CustomPlace): Held {
    return {
      place,
      set: { pack: null, policy: null, problems: [], signature: '' },
      looked: Number.NEGATIVE_INFINITY,
      policy: null,
      standing: [],
    };
  }
  function refresh(held: Held): Held {
    const at = now();
    if (at - held.looked < REFRESH_MS) return held;
    held.looked = at;
    const files = findCustomFiles(held.place);
    if (files.signature === held.set.signature) return held;
    held.set = loadCustom(held.place, tools, files);
    held.policy = held.set.policy === null ? null : homeWritten(held.set.policy.file, layout.home);
    held.standing = standingFindings(held.set.problems, held.place.policy);
    return held;
  }
  function workspaceAt(cwd: string): { held: Held | null; folder: string } {
    const folder = workspaceOf(cwd);
    // In the home directory itself the workspace's folder would be the user's own.
    if (folder === '' || folder === layout.home) return { held: null, folder };
    let held = workspaces.get(folder);
    if (held === undefined) {
      if (workspaces.size >= MAX_WORKSPACES) workspaces.delete(workspaces.keys().next().value as string);
      held = fresh(workspacePlace(folder));
      workspaces.set(folder, held);
    }
    return { held: refresh(held), folder };
  }

  return {
    forFolder: (cwd) => {
      refresh(user);
      const { held, folder } = workspaceAt(cwd);
      const hashes = [user.set.policy?.hash, held?.set.policy?.hash].filter((hash) => hash !== undefined);
      return {
        custom: user.set.pack === null ? [] : [user.set.pack],
        borrowed: held?.set.pack ? [held.set.pack] : [],
        policy: hashes.length === 0 ? NO_POLICY : { hash: hashes.join('+'), user: user.policy, workspace: held?.policy ?? null, folder },
        standing: held === null ? user.standing : [...user.standing, ...held.standing],
      };
    },
    problems: () => [refresh(user), ...[...workspaces.values()].map(refresh)].flatMap((held) => held.set.problems.map(problemText)),
    rules: () => refresh(user).set.pack?.size ?? 0,
  };
}

function homeWritten(file: PolicyFile, home: string): PolicyFile {
  return {
    ...file,
    rules: file.rules.map((entry) => ({
      ...entry,
      workspaces: entry.workspaces.map((folder) => (folder.startsWith('~/') ? home + folder.slice(1) : folder)),
    })),
  };
}
