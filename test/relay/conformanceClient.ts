/**
 * The client that the official conformance suite starts with a server's address as its last argument. With `--relay PROGRAM` in front of it
 * it reaches the server through that program over stdio, as a client with a protected configuration does; without, by itself.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { ClientCredentialsProvider, PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const words = process.argv.slice(2);
const url = new URL(words.at(-1) ?? '');
const relay = words[0] === '--relay' ? words[1] : undefined;
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? '';
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Readonly<Record<string, string>>;

/** What the suite accepts as a client metadata document's address. */
const CLIENT_METADATA_URL = 'https://conformance-test.local/client-metadata.json';
const REDIRECT = 'http://127.0.0.1:3000/callback';

/** An OAuth client without a browser: it asks for the code itself. */
class Headless implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT;
  readonly clientMetadataUrl = CLIENT_METADATA_URL;
  readonly clientMetadata = {
    client_name: 'conformance-client',
    redirect_uris: [REDIRECT],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  };
  code = '';
  private information: OAuthClientInformationMixed | undefined =
    context['client_id'] === undefined
      ? undefined
      : {
          client_id: context['client_id'],
          ...(context['client_secret'] === undefined ? {} : { client_secret: context['client_secret'] }),
        };
  private kept: OAuthTokens | undefined;
  private verifier = '';

  clientInformation(): OAuthClientInformationMixed | undefined {
    return this.information;
  }
  saveClientInformation(information: OAuthClientInformationMixed): void {
    this.information = information;
  }
  tokens(): OAuthTokens | undefined {
    return this.kept;
  }
  saveTokens(tokens: OAuthTokens): void {
    this.kept = tokens;
  }
  saveCodeVerifier(verifier: string): void {
    this.verifier = verifier;
  }
  codeVerifier(): string {
    return this.verifier;
  }
  async redirectToAuthorization(page: URL): Promise<void> {
    const { headers } = await fetch(page, { redirect: 'manual' });
    this.code = new URL(headers.get('location') ?? '', page).searchParams.get('code') ?? '';
  }
}

function provider(): OAuthClientProvider | Headless {
  const {
    client_id: clientId = '',
    client_secret: clientSecret = '',
    private_key_pem: privateKey = '',
    signing_algorithm: algorithm = 'ES256',
  } = context;
  if (scenario === 'auth/client-credentials-basic') return new ClientCredentialsProvider({ clientId, clientSecret });
  if (scenario === 'auth/client-credentials-jwt') return new PrivateKeyJwtProvider({ clientId, privateKey, algorithm });
  return new Headless();
}

function newClient(): Client {
  const client = new Client(
    { name: 'conformance-client', version: '1.0.0' },
    { capabilities: { elicitation: { form: { applyDefaults: true } } } },
  );
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: {} }));
  return client;
}

/** Authorizes and tries again whenever the server asks for it, as an application does around the SDK. */
async function direct(work: (client: Client) => Promise<void>): Promise<void> {
  const auth = provider();
  for (let attempt = 0; ; attempt += 1) {
    const transport = new StreamableHTTPClientTransport(url, scenario.startsWith('auth/') ? { authProvider: auth } : {});
    const client = newClient();
    try {
      await client.connect(transport as Transport);
      await work(client);
      await client.close();
      return;
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || !(auth instanceof Headless) || attempt === 2) throw error;
      await transport.finishAuth(auth.code);
    }
  }
}

async function throughRelay(program: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = newClient();
  const env = Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const { client_id: id, client_secret: secret, private_key_pem: privateKey, signing_algorithm: algorithm } = context;
  const oauth = {
    CALLGATE_OAUTH_CLIENT_METADATA_URL: CLIENT_METADATA_URL,
    CALLGATE_OAUTH_CLIENT_ID: id,
    CALLGATE_OAUTH_CLIENT_SECRET: secret,
    CALLGATE_OAUTH_PRIVATE_KEY: privateKey,
    CALLGATE_OAUTH_KEY_ALGORITHM: algorithm,
    CALLGATE_OAUTH_GRANT: scenario.startsWith('auth/client-credentials') ? 'client_credentials' : undefined,
  };
  for (const [name, value] of Object.entries(oauth)) if (value !== undefined) env[name] = value;
  const args = ['--server', `conformance ${scenario}`, '--url', url.href];
  await client.connect(new StdioClientTransport({ command: program, args, env, stderr: 'inherit' }));
  await work(client);
  await client.close();
}

async function work(client: Client): Promise<void> {
  const { tools } = await client.listTools();
  for (const { name } of tools) await client.callTool({ name, arguments: name === 'add_numbers' ? { a: 5, b: 3 } : {} });
}

await (relay === undefined ? direct(work) : throughRelay(relay, work));
