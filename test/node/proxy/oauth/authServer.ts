/** An MCP server that wants a token, and the authorization server that gives them, each at an address of its own. */
import { createHash, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { json, methodOf, result, serve } from '../webHarness.ts';
import type { Seen } from '../webHarness.ts';

export interface AuthWorld {
  /** Of the MCP server. */
  readonly url: string;
  /** Of the authorization server. */
  readonly issuer: string;
  readonly seen: readonly Seen[];
  /** What the authorization server was asked. */
  readonly asked: readonly Seen[];
  readonly tokens: Set<string>;
  readonly refreshTokens: Set<string>;
  readonly clients: Set<string>;
  /** The authorization server that the MCP server names. */
  named: string;
  /** Put in the place of what the authorization server does at a path. */
  readonly at: Map<string, (seen: Seen, response: ServerResponse) => void>;
  /** Put in the place of what its metadata says. */
  readonly metadata: Record<string, unknown>;
  /** Put in the place of the MCP server's answer to a message with this token. */
  mcp: (seen: Seen, response: ServerResponse, token: string) => void;
  /** Where a code is sent, beside the code and the state. */
  readonly beside: Record<string, string>;
  /** How often the authorization server was asked at a path. */
  readonly times: (path: string) => number;
}

export async function authWorld(): Promise<AuthWorld> {
  const tokens = new Set<string>();
  const refreshTokens = new Set<string>();
  const clients = new Set<string>();
  const challenges = new Map<string, string>();
  const at: AuthWorld['at'] = new Map();
  const pathOf = (seen: Seen): string => new URL(seen.url, 'http://x').pathname;
  const give = (response: ServerResponse): void => {
    const token = { access_token: `access-${randomUUID()}`, refresh_token: `refresh-${randomUUID()}` };
    tokens.add(token.access_token);
    refreshTokens.add(token.refresh_token);
    json(response, 200, { ...token, token_type: 'Bearer', expires_in: 60 });
  };
  const metadata: Record<string, unknown> = {};
  const beside: Record<string, string> = {};

  const issuing = await serve((one, response) => {
    const path = pathOf(one);
    const other = at.get(path);
    if (other !== undefined) {
      other(one, response);
      return;
    }
    const form = new URLSearchParams(one.body);
    switch (path) {
      case '/.well-known/oauth-authorization-server':
        json(response, 200, {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          registration_endpoint: `${issuer}/register`,
          response_types_supported: ['code'],
          code_challenge_methods_supported: ['S256'],
          token_endpoint_auth_methods_supported: ['none'],
          ...metadata,
        });
        return;
      case '/register': {
        const client = `client-${clients.size + 1}-${randomUUID()}`;
        clients.add(client);
        json(response, 201, { ...(JSON.parse(one.body) as object), client_id: client });
        return;
      }
      case '/authorize': {
        const query = new URL(one.url, issuer).searchParams;
        if (!clients.has(query.get('client_id') ?? '')) {
          json(response, 400, { error: 'invalid_client' });
          return;
        }
        const code = `code-${randomUUID()}`;
        challenges.set(code, query.get('code_challenge') ?? '');
        const back = new URL(query.get('redirect_uri') ?? '');
        for (const [name, value] of Object.entries({ code, state: query.get('state') ?? '', ...beside }))
          back.searchParams.set(name, value);
        response.writeHead(302, { location: back.href }).end();
        return;
      }
      case '/token':
        if (!clients.has(form.get('client_id') ?? '')) json(response, 401, { error: 'invalid_client' });
        else if (form.get('grant_type') === 'refresh_token') {
          if (refreshTokens.delete(form.get('refresh_token') ?? '')) give(response);
          else json(response, 400, { error: 'invalid_grant' });
        } else if (
          createHash('sha256')
            .update(form.get('code_verifier') ?? '')
            .digest('base64url') === challenges.get(form.get('code') ?? '')
        )
          give(response);
        else json(response, 400, { error: 'invalid_grant' });
        return;
      default:
        response.writeHead(404).end();
    }
  });
  const issuer = new URL(issuing.url).origin;

  const guarded = await serve((one, response) => {
    const own = new URL(guarded.url).origin;
    if (pathOf(one) === '/.well-known/oauth-protected-resource/mcp') {
      json(response, 200, { resource: guarded.url, authorization_servers: [world.named] });
    } else if (pathOf(one) !== '/mcp') response.writeHead(404).end();
    else if (one.method !== 'POST') response.writeHead(405).end();
    else {
      const token = (one.headers.authorization ?? '').replace('Bearer ', '');
      if (tokens.has(token)) world.mcp(one, response, token);
      else
        response
          .writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${own}/.well-known/oauth-protected-resource/mcp"` })
          .end('{"error":"invalid_token"}');
    }
  });

  const world: AuthWorld = {
    url: guarded.url,
    issuer,
    seen: guarded.seen,
    asked: issuing.seen,
    named: issuer,
    tokens,
    refreshTokens,
    clients,
    at,
    metadata,
    beside,
    mcp: (one, response) => json(response, 200, result(one, { said: methodOf(one) })),
    times: (path) => issuing.seen.filter((one) => pathOf(one) === path).length,
  };
  return world;
}
