/** Every file of MCP servers we know of. */
import { CLAUDE_CODE } from '#node/clients/mcp/claudeCode.ts';
import { CLAUDE_DESKTOP } from '#node/clients/mcp/claudeDesktop.ts';
import { CLINE } from '#node/clients/mcp/cline.ts';
import { CODEX_SERVERS } from '#node/clients/mcp/codexServers.ts';
import { COPILOT } from '#node/clients/mcp/copilot.ts';
import { CURSOR } from '#node/clients/mcp/cursor.ts';
import { GEMINI } from '#node/clients/mcp/gemini.ts';
import type { McpFile } from '#node/clients/mcp/mcpFile.ts';
import { VSCODE } from '#node/clients/mcp/vscode.ts';
import { WINDSURF } from '#node/clients/mcp/windsurf.ts';
import { ZED } from '#node/clients/mcp/zed.ts';

export const MCP_FILES: readonly McpFile[] = [
  ...CLAUDE_CODE,
  ...VSCODE,
  ...CURSOR,
  ...CODEX_SERVERS,
  ...CLAUDE_DESKTOP,
  ...WINDSURF,
  ...CLINE,
  ...GEMINI,
  ...COPILOT,
  ...ZED,
];

/** The kind of file that a recorded path is; undefined for a path that none of them can have. */
export function mcpFileAt(path: string): McpFile | undefined {
  const name = path.replaceAll('\\', '/');
  return MCP_FILES.find(({ owns }) => owns.test(name));
}
