/**
 * Windsurf: `mcp_config.json` under `.codeium` in the home folder. `${env:…}` and `${file:…}` are expanded in command,
 * args, env, serverUrl, url and headers (docs.windsurf.com/windsurf/cascade/mcp).
 */
import { type McpFile, pathsOf, PLAIN_SHAPE } from '#node/clients/mcp/mcpFile.ts';

export const WINDSURF: readonly McpFile[] = [
  {
    id: 'windsurf',
    name: 'Windsurf',
    scope: 'user',
    format: 'jsonc',
    containers: [['mcpServers']],
    shape: { ...PLAIN_SHAPE, addresses: { serverUrl: null, url: null }, types: { ...PLAIN_SHAPE.types, http: null } },
    owns: /\/\.codeium\/(?:windsurf(?:-next)?\/)?mcp_config\.json$/u,
    // Its plugins for other editors read the second one.
    locate: ({ platform, home }) =>
      [['windsurf'], ['windsurf-next'], []].map((parts) => pathsOf(platform).join(home, '.codeium', ...parts, 'mcp_config.json')),
  },
];
