/**
 * Approvals that outlive the call they were given for: one 0600 file a grant, named by what it approves.
 * A grant binds exactly one call's fingerprint (tool, arguments, folder), whichever client makes it.
 * A once-grant is used up by removing its file, which only one of several racing processes can do.
 */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Grant, GrantScope } from '#contract/ipc.ts';
import type { ToolCall } from '#core/model/call.ts';
import { isObject } from '#core/model/json.ts';
import { fingerprint } from '#core/policy/fingerprint.ts';
import { ensurePrivateFolder, type Layout } from '#home/layout.ts';
import { errorCode, errorText, readBounded, removeIfThere, writePrivate } from '#home/privateFile.ts';

/** How long a late approval waits for the call to be tried again, in milliseconds. */
export const ONCE_GRANT_MS = 15 * 60_000;
export const SESSION_GRANT_MS = 24 * 60 * 60_000;
const LASTS: Readonly<Record<GrantScope, number | null>> = { once: ONCE_GRANT_MS, session: SESSION_GRANT_MS, always: null };
/** A clock set back by more than this would make a grant last longer than it was given for. */
const MAX_SKEW_MS = 60_000;
const MAX_SUMMARY = 200;
const MAX_GRANT_BYTES = 16 * 1024;
const GRANT_ID = /^[0-9a-f]{64}\.(?:once|always|session\.[0-9a-f]{16})$/;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What a grant file is named by. The fingerprint itself may hold secrets and is never written. */
export function grantKey(call: ToolCall): string {
  return sha256(`callgate.grant.v1\n${fingerprint(call)}`);
}

/** `summary` is without secrets already. */
export interface NewGrant extends Omit<Grant, 'id' | 'created' | 'expires'> {
  /** See `grantKey`. */
  readonly key: string;
}

export interface GrantStore {
  /** @throws Error when the grant cannot be written. */
  readonly add: (grant: NewGrant) => Grant;
  /** The grant that covers this call, used up if it was for once; null when a person has to be asked. */
  readonly take: (call: ToolCall) => Grant | null;
  readonly list: () => readonly Grant[];
  /** False when there was no such grant. */
  readonly revoke: (id: string) => boolean;
}

/** `warn` hears of files that are ignored: a corrupt one approves nothing. */
export function openGrants(layout: Layout, now: () => number, warn: (message: string) => void): GrantStore {
  const fileOf = (id: string): string => join(layout.grants, `${id}.json`);

  const read = (id: string): Grant | null => {
    try {
      const bytes = readBounded(fileOf(id), MAX_GRANT_BYTES);
      if (bytes === null) return null;
      const grant = parseGrant(JSON.parse(bytes.toString('utf8')), id);
      if (grant === null) warn(`${fileOf(id)} is not a valid grant and is ignored; remove it`);
      return grant;
    } catch (error) {
      warn(`${fileOf(id)} cannot be read and is ignored: ${errorText(error)}`);
      return null;
    }
  };
  /** Null when it has run out (or its time cannot be told), and then its file is gone too. */
  const current = (id: string): Grant | null => {
    const grant = read(id);
    if (grant === null || grant.expires === null || (grant.expires > now() && grant.created <= now() + MAX_SKEW_MS)) return grant;
    removeIfThere(fileOf(id));
    return null;
  };

  return {
    add: (grant) => {
      ensurePrivateFolder(layout.grants);
      const id = idOf(grant.key, grant.scope, grant.session);
      const created = now();
      const lasts = LASTS[grant.scope];
      const { scope, tool, server, cwd, session } = grant;
      const written: Grant = {
        id,
        scope,
        tool,
        server,
        cwd,
        session,
        summary: grant.summary.slice(0, MAX_SUMMARY),
        created,
        expires: lasts === null ? null : created + lasts,
      };
      writePrivate(fileOf(id), `${JSON.stringify({ v: 1, ...written })}\n`);
      return written;
    },
    take: (call) => {
      const key = grantKey(call);
      const standing = current(idOf(key, 'always', '')) ?? (call.session === '' ? null : current(idOf(key, 'session', call.session)));
      if (standing) return standing;
      const once = current(idOf(key, 'once', ''));
      // Removing it is what grants: whoever comes second finds nothing to remove.
      return once && removeIfThere(fileOf(once.id)) ? once : null;
    },
    list: () => {
      let names: string[];
      try {
        names = readdirSync(layout.grants);
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') warn(`${layout.grants} cannot be read: ${errorText(error)}`);
        return [];
      }
      const grants: Grant[] = [];
      for (const name of names.sort()) {
        if (name.endsWith('.tmp')) continue; // being written
        const id = name.replace(/\.json$/, '');
        if (!GRANT_ID.test(id)) warn(`${join(layout.grants, name)} is not a grant and is ignored; remove it`);
        else {
          const grant = current(id);
          if (grant) grants.push(grant);
        }
      }
      return grants;
    },
    revoke: (id) => GRANT_ID.test(id) && removeIfThere(fileOf(id)),
  };
}

function idOf(key: string, scope: GrantScope, session: string): string {
  return scope === 'session' ? `${key}.session.${sha256(session).slice(0, 16)}` : `${key}.${scope}`;
}

function parseGrant(value: unknown, id: string): Grant | null {
  if (!isObject(value) || value['v'] !== 1 || value['id'] !== id) return null;
  const { scope, tool, server, cwd, session, summary, created, expires } = value;
  if (scope !== 'once' && scope !== 'session' && scope !== 'always') return null;
  if (
    typeof tool !== 'string' ||
    typeof cwd !== 'string' ||
    typeof session !== 'string' ||
    typeof summary !== 'string' ||
    typeof created !== 'number'
  )
    return null;
  if (server !== null && typeof server !== 'string') return null;
  // Only `always` may lack an end; anything else without one was tampered with.
  const lasts = LASTS[scope];
  if (lasts === null ? expires !== null : typeof expires !== 'number' || expires > created + lasts) return null;
  if (id !== idOf(id.slice(0, 64), scope, session)) return null;
  return { id, scope, tool, server: server ?? null, cwd, session, summary, created, expires: typeof expires === 'number' ? expires : null };
}
