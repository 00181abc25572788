/**
 * Codex: `[mcp_servers.NAME]` in `config.toml`, the user's and a trusted project's. Nothing is expanded; secrets are
 * named by variable (`env_vars`, `bearer_token_env_var`, `env_http_headers`), and Codex hands a program only the
 * variables that are named (openai/codex, codex-rs/config/src/mcp_types.rs, and 0.169.0 itself).
 */
import { folderFrom, inFolders, leaveWith, type McpFile, pathsOf, PLAIN_SHAPE } from '#node/clients/mcp/mcpFile.ts';

const shape = {
  ...PLAIN_SHAPE,
  typeKeys: [],
  headerKey: 'http_headers',
  leave: leaveWith({
    oauth: 'Codex itself signs in to this server as this entry says ("oauth"), which the relay is not told',
    oauth_resource: 'Codex itself signs in to this server ("oauth_resource"), which the relay is not told',
    bearer_token: 'Codex refuses a token in this file ("bearer_token"); name a variable with bearer_token_env_var',
    experimental_environment: 'Codex starts it in another environment, where Callgate is not installed',
  }),
} as const satisfies McpFile['shape'];

export const CODEX_SERVERS: readonly McpFile[] = [
  {
    id: 'codexUser',
    name: 'Codex CLI (config.toml)',
    scope: 'user',
    format: 'toml',
    containers: [['mcp_servers']],
    shape,
    owns: /\/config\.toml$/u,
    locate: ({ platform, home, env }) => {
      const { join } = pathsOf(platform);
      return [join(folderFrom(env, 'CODEX_HOME', join(home, '.codex')), 'config.toml')];
    },
  },
  {
    id: 'codexProject',
    name: '.codex/config.toml',
    scope: 'project',
    format: 'toml',
    containers: [['mcp_servers']],
    shape,
    owns: /\/\.codex\/config\.toml$/u,
    locate: inFolders('.codex', 'config.toml'),
  },
];
