/**
 * Tells Codex to trust our hook, through Codex itself: it computes the hash and writes its own file. Only with the
 * user's consent, because it skips the review Codex would ask for.
 */
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { noteRewritten } from '#node/clients/applyPlan.ts';
import { openCodexAppServer } from '#node/clients/codexAppServer.ts';
import { codex } from '#node/clients/codex.ts';
import { ConfigError } from '#node/clients/configError.ts';
import { recordCommandOf, type ClientContext } from '#node/clients/planChange.ts';

export interface TrustOptions {
  /** Absolute path of the Codex program. */
  readonly program: string;
  /** An existing folder. */
  readonly cwd: string;
  readonly deadlineMs: number;
}

/**
 * Call only after the person has agreed to `Plan.needsConsent`.
 * @throws ConfigError CLIENT_FAILED when Codex does not list exactly our command, or does not trust it afterwards.
 */
export async function trustCodex(context: ClientContext, { program, cwd, deadlineMs }: TrustOptions): Promise<void> {
  const { platform, home, env } = context;
  const file = codex.locate(platform, home, env);
  const command = context.launcher.hookCommand('codex');
  const record = recordCommandOf(context.launcher, 'codex');
  const server = await openCodexAppServer({ program, cwd, deadlineMs, env: { ...env, HOME: home } });
  try {
    const hooks = await find(server.call, cwd, command, record);
    if (!hooks.some((hook) => hook.command === command))
      throw new ConfigError(
        'CLIENT_FAILED',
        `Codex does not see the Callgate hook in ${file}; look for features.hooks = false there or in a requirements file, then protect again`,
      );
    const keys = hooks.map(({ key }) => key);
    await server.call('config/batchWrite', {
      edits: [
        {
          keyPath: 'hooks.state',
          value: Object.fromEntries(hooks.map(({ key, hash }) => [key, { trusted_hash: hash }])),
          mergeStrategy: 'upsert',
        },
      ],
    });
    noteRewritten('codex', file, keys, context);
    const again = await find(server.call, cwd, command, record);
    if (!keys.every((key) => again.some((hook) => hook.key === key && hook.trusted === 'trusted')))
      throw new ConfigError(
        'CLIENT_FAILED',
        'Codex took the trust for the Callgate hooks but does not honour it; trust them in Codex under /hooks',
      );
  } finally {
    await server.close();
  }
}

interface ListedHook {
  readonly command: string;
  readonly key: string;
  readonly hash: string;
  readonly trusted: string;
}

/** Ours among the user's hooks: the one that gates, and those that run `record`. */
async function find(
  call: (method: string, params: JsonValue) => Promise<JsonValue>,
  cwd: string,
  command: string,
  record: string | null,
): Promise<readonly ListedHook[]> {
  const result = await call('hooks/list', { cwds: [cwd] });
  const hooks = objects(isObject(result) ? result['data'] : null).flatMap((entry) => objects(entry['hooks']));
  return hooks.flatMap((hook) => {
    const { key, currentHash, trustStatus, eventName } = hook;
    const wanted = eventName === 'preToolUse' ? command : record;
    if (wanted === null || hook['command'] !== wanted || hook['source'] !== 'user') return [];
    if (typeof key !== 'string' || typeof currentHash !== 'string') return [];
    return [{ command: wanted, key, hash: currentHash, trusted: String(trustStatus) }];
  });
}

function objects(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
