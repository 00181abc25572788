/**
 * Claude Desktop: `claude_desktop_config.json`. Programs only, nothing is expanded; remote servers are connectors of
 * the account and stand in no file (modelcontextprotocol.io/docs/develop/connect-local-servers).
 */
import { type McpFile, pathsOf, PLAIN_SHAPE, settingsFolder } from '#node/clients/mcp/mcpFile.ts';

export const CLAUDE_DESKTOP: readonly McpFile[] = [
  {
    id: 'claudeDesktop',
    name: 'Claude Desktop',
    scope: 'user',
    format: 'json',
    containers: [['mcpServers']],
    shape: { ...PLAIN_SHAPE, addresses: {} },
    owns: /\/Claude\/claude_desktop_config\.json$/u,
    locate: (place) => [pathsOf(place.platform).join(settingsFolder(place), 'Claude', 'claude_desktop_config.json')],
  },
];
