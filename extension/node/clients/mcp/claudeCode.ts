/**
 * Claude Code: `.mcp.json` of a project, and `.claude.json` with the user's servers and, per project, the local ones.
 * `${VAR}` and `${VAR:-default}` are expanded in command, args, env, url and headers alike
 * (code.claude.com/docs/en/mcp; scopes and strict JSON as measured with 2.1.329).
 */
import { folderFrom, inFolders, leaveWith, type McpFile, pathsOf, PLAIN_SHAPE } from '#node/clients/mcp/mcpFile.ts';

const shape = { ...PLAIN_SHAPE, types: { ...PLAIN_SHAPE.types, ws: 'websocket' }, leave: leaveWith({}) } as const;

export const CLAUDE_CODE: readonly McpFile[] = [
  {
    id: 'claudeProject',
    name: '.mcp.json',
    scope: 'project',
    format: 'json',
    containers: [['mcpServers']],
    shape,
    owns: /\/\.mcp\.json$/u,
    locate: inFolders('.mcp.json'),
  },
  {
    id: 'claudeUser',
    name: 'Claude Code (.claude.json)',
    scope: 'user',
    format: 'json',
    containers: [['mcpServers'], ['projects', '*', 'mcpServers']],
    shape,
    owns: /\/\.claude\.json$/u,
    lockFolder: true,
    // With CLAUDE_CONFIG_DIR the file lies inside that folder, without it beside `.claude`.
    locate: ({ platform, home, env }) => [pathsOf(platform).join(folderFrom(env, 'CLAUDE_CONFIG_DIR', home), '.claude.json')],
  },
];
