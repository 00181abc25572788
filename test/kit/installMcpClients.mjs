// Clients that only the tests of rewritten configuration files start. Exact versions; see installAgents.mjs.
import { ensureInstalled, NPM_INSTALL, npm, say } from './installing.mjs';

const PACKAGES = ['@google/gemini-cli@0.61.0', '@github/copilot@1.0.102'];

/** @returns the folder whose `node_modules` holds the packages. */
export function ensureMcpClients() {
  return ensureInstalled('mcp-clients', `${PACKAGES.join(' ')} ${process.platform}-${process.arch}\n`, async (folder) => {
    say(`MCP clients: installing ${PACKAGES.join(', ')} (about ten seconds, 500 MB)`);
    await npm([...NPM_INSTALL, '--save-exact', ...PACKAGES], folder);
  });
}
