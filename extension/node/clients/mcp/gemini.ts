/**
 * Gemini CLI: `mcpServers` in `.gemini/settings.json` of the home folder and of a trusted project. Comments are read,
 * trailing commas stop it. `$VAR`, `${VAR}` and `${VAR:-default}` are expanded in every value, env and headers alike;
 * `httpUrl` is Streamable HTTP, `url` is tried as that and then as SSE (seen with 0.61.0).
 */
import { inFolders, leaveWith, type McpFile, pathsOf, PLAIN_SHAPE } from '#node/clients/mcp/mcpFile.ts';

const shape = {
  ...PLAIN_SHAPE,
  addresses: { httpUrl: 'http', url: null },
  leave: leaveWith({
    authProviderType: 'Gemini CLI itself signs in to this server ("authProviderType"), which the relay cannot do for it',
    tcp: 'only http, https and WebSocket addresses can be relayed',
  }),
} as const satisfies McpFile['shape'];

const file = { format: 'jsonc', containers: [['mcpServers']], shape, owns: /\/\.gemini\/settings\.json$/u } as const;

export const GEMINI: readonly McpFile[] = [
  {
    ...file,
    id: 'geminiUser',
    name: 'Gemini CLI (settings.json)',
    scope: 'user',
    locate: ({ platform, home }) => [pathsOf(platform).join(home, '.gemini', 'settings.json')],
  },
  { ...file, id: 'geminiProject', name: '.gemini/settings.json', scope: 'project', locate: inFolders('.gemini', 'settings.json') },
];
