// MCP servers as people use them, and the official conformance suite: what the relay is tried with. Versions are exact.
import { ensureInstalled, NPM_INSTALL, npm, say } from './installing.mjs';

const PACKAGES = [
  '@modelcontextprotocol/conformance@0.1.16',
  '@modelcontextprotocol/server-everything@2026.8.31',
  '@modelcontextprotocol/server-filesystem@2026.8.31',
  '@modelcontextprotocol/server-memory@2026.8.31',
  '@modelcontextprotocol/server-sequential-thinking@2026.8.31',
  '@modelcontextprotocol/server-pdf@2.0.4',
  '@modelcontextprotocol/server-brave-search@0.6.2',
  '@modelcontextprotocol/server-everart@0.6.2',
  '@modelcontextprotocol/server-gdrive@2025.1.14',
  '@modelcontextprotocol/server-github@2025.4.8',
  '@modelcontextprotocol/server-gitlab@2025.4.25',
  '@modelcontextprotocol/server-google-maps@0.6.2',
  '@modelcontextprotocol/server-postgres@0.6.2',
  '@modelcontextprotocol/server-puppeteer@2025.5.12',
  '@modelcontextprotocol/server-redis@2025.4.25',
  '@modelcontextprotocol/server-slack@2025.4.25',
  '@playwright/mcp@0.0.83',
  '@upstash/context7-mcp@4.1.1',
  'firecrawl-mcp@3.26.0',
  '@notionhq/notion-mcp-server@2.5.2',
  'exa-mcp-server@3.4.1',
  'tavily-mcp@0.2.22',
  '@wonderwhy-er/desktop-commander@0.2.52',
  'chrome-devtools-mcp@1.11.0',
  'figma-developer-mcp@0.13.2',
  '@eslint/mcp@0.3.13',
  '@mui/mcp@0.1.6',
  '@cyanheads/git-mcp-server@2.15.3',
  'mcp-obsidian@1.0.0',
  'mcp-proxy@6.7.19',
];

/** @returns the folder whose `node_modules` holds the packages. */
export function ensureServers() {
  return ensureInstalled('servers', `${PACKAGES.join(' ')} ${process.platform}-${process.arch}\n`, async (folder) => {
    say(`servers: installing ${PACKAGES.length} MCP servers (a minute or two, 700 MB)`);
    await npm([...NPM_INSTALL, '--save-exact', '--omit=optional', '--legacy-peer-deps', ...PACKAGES], folder);
  });
}
