/**
 * Cline: `cline_mcp_settings.json` in the editor's storage of the extension, and under `.cline` for its command line.
 * An address without a type is SSE, for old times' sake; `transportType` is the older word (cline/cline,
 * src/services/mcp/schemas.ts).
 */
import { folderFrom, type McpFile, pathsOf, PLAIN_SHAPE } from '#node/clients/mcp/mcpFile.ts';
import { userFolders } from '#node/clients/mcp/vscode.ts';

export const CLINE: readonly McpFile[] = [
  {
    id: 'cline',
    name: 'Cline',
    scope: 'user',
    format: 'json',
    containers: [['mcpServers']],
    shape: { ...PLAIN_SHAPE, addresses: { url: 'sse' }, typeKeys: ['type', 'transportType'] },
    owns: /\/settings\/cline_mcp_settings\.json$/u,
    locate: (place) => {
      const { join } = pathsOf(place.platform);
      const file = ['settings', 'cline_mcp_settings.json'];
      const own = folderFrom(place.env, 'CLINE_DIR', join(place.home, '.cline'));
      return [
        ...userFolders(place).map((folder) => join(folder, 'globalStorage', 'saoudrizwan.claude-dev', ...file)),
        join(own, 'data', ...file),
      ];
    },
  },
];
