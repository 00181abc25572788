/**
 * Copilot CLI: `mcp-config.json` in `~/.copilot` (or COPILOT_HOME), and `.github/mcp.json` of a project; `.mcp.json` it
 * shares with Claude Code. `$VAR`, `${VAR}` and `${VAR:-default}` are expanded in env, args and headers; in env, a value
 * that is nothing but the name of a variable is that variable, too (seen with 1.0.102).
 */
import { folderFrom, inFolders, leaveWith, type McpFile, pathsOf, PLAIN_SHAPE } from '#node/clients/mcp/mcpFile.ts';

const ownClient = 'Copilot itself signs in to this server with a client of its own, which the relay is not told';
const shape = {
  ...PLAIN_SHAPE,
  types: { ...PLAIN_SHAPE.types, local: 'program' },
  leave: leaveWith({ oauthClientId: ownClient, oauthPublicClient: ownClient, oauthGrantType: ownClient }),
} as const satisfies McpFile['shape'];

export const COPILOT: readonly McpFile[] = [
  {
    id: 'copilotUser',
    name: 'Copilot CLI (mcp-config.json)',
    scope: 'user',
    format: 'json',
    containers: [['mcpServers']],
    shape,
    owns: /\/mcp-config\.json$/u,
    locate: ({ platform, home, env }) => {
      const { join } = pathsOf(platform);
      return [join(folderFrom(env, 'COPILOT_HOME', join(home, '.copilot')), 'mcp-config.json')];
    },
  },
  {
    id: 'copilotProject',
    name: '.github/mcp.json',
    scope: 'project',
    format: 'json',
    containers: [['mcpServers']],
    shape,
    owns: /\/\.github\/mcp\.json$/u,
    locate: inFolders('.github', 'mcp.json'),
  },
];
