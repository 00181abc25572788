// The real agents and MCP servers that the tests and the demo drive. Versions are exact: on Node 20 an unpinned
// Claude Code silently becomes an older one. Their binaries are native, in a package for each platform, and need no
// install script.
import { ensureInstalled, NPM_INSTALL, npm, say } from './installing.mjs';

const PACKAGES = [
  '@anthropic-ai/claude-code@2.1.329',
  '@openai/codex@0.169.0',
  '@modelcontextprotocol/server-everything@2026.8.31',
  '@modelcontextprotocol/server-filesystem@2026.8.31',
];

/** @returns the folder whose `node_modules` holds the packages. */
export function ensureAgents() {
  return ensureInstalled('agents', `${PACKAGES.join(' ')} ${process.platform}-${process.arch}\n`, async (folder) => {
    say(`agents: installing ${PACKAGES.join(', ')} (about half a minute, 800 MB)`);
    await npm([...NPM_INSTALL, '--save-exact', ...PACKAGES], folder);
  });
}
