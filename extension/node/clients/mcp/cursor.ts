/**
 * Cursor: `.cursor/mcp.json` of a project and of the home folder. `${env:…}`, `${workspaceFolder}`, `${userHome}` are
 * expanded in command, args, env, url and headers (cursor.com/docs/mcp). An address without `type` is tried as
 * Streamable HTTP and then as SSE.
 */
import { inFolders, type McpFile, PLAIN_SHAPE } from '#node/clients/mcp/mcpFile.ts';

export const CURSOR: readonly McpFile[] = [
  {
    id: 'cursor',
    name: '.cursor/mcp.json',
    scope: 'project',
    format: 'jsonc',
    containers: [['mcpServers']],
    shape: { ...PLAIN_SHAPE, variablesFile: 'envFile', types: { ...PLAIN_SHAPE.types, http: null } },
    owns: /\/\.cursor\/mcp\.json$/u,
    locate: (place) =>
      inFolders('.cursor', 'mcp.json')({ ...place, workspaceFolders: [...new Set([...place.workspaceFolders, place.home])] }),
  },
];
