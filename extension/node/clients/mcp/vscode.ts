/**
 * VS Code and its relatives: `.vscode/mcp.json`, and `mcp.json` in the `User` folder, one more for each profile. In a
 * remote window the user's file of the remote lies under the server's folder. `${input:…}`, `${env:…}` and the like are
 * expanded in every value (code.visualstudio.com/docs/copilot/reference/mcp-configuration). An address is tried as
 * Streamable HTTP first and as SSE then, whatever `type` says; a sandboxed program must not run outside its sandbox.
 */
import {
  inFolders,
  leaveWith,
  LEAVE_COMMON,
  type McpFile,
  pathsOf,
  type Place,
  PLAIN_SHAPE,
  settingsFolder,
} from '#node/clients/mcp/mcpFile.ts';
import { isObject } from '#core/model/json.ts';

const shape = {
  ...PLAIN_SHAPE,
  variablesFile: 'envFile',
  types: { stdio: 'program', http: null, sse: 'sse' },
  leave: {
    ...LEAVE_COMMON,
    ...leaveWith({ sandboxEnabled: 'VS Code runs it in a sandbox, and behind the relay it would run outside of it' }),
    dev: (value) =>
      isObject(value) && value['debug'] !== undefined ? 'VS Code attaches a debugger to it, which needs to start it itself' : null,
  },
} as const satisfies McpFile['shape'];

const PROGRAMS = ['Code', 'Code - Insiders', 'VSCodium', 'VSCodium - Insiders', 'Cursor', 'Windsurf'];
const SERVERS = ['.vscode-server', '.vscode-server-insiders', '.vscodium-server', '.cursor-server', '.windsurf-server', '.vscode-remote'];

/** `User` folders that an editor may have on this machine. */
export function userFolders(place: Place): readonly string[] {
  const { join } = pathsOf(place.platform);
  const local = PROGRAMS.map((name) => join(settingsFolder(place), name, 'User'));
  const remote = SERVERS.map((name) => join(place.home, name, 'data', 'User'));
  return [...new Set([...(place.editorUserFolders ?? []), ...local, ...remote])];
}

export const VSCODE: readonly McpFile[] = [
  {
    id: 'vscodeProject',
    name: '.vscode/mcp.json',
    scope: 'project',
    format: 'jsonc',
    containers: [['servers']],
    shape,
    owns: /\/\.vscode\/mcp\.json$/u,
    locate: inFolders('.vscode', 'mcp.json'),
  },
  {
    id: 'vscodeUser',
    name: 'VS Code user profile (mcp.json)',
    scope: 'user',
    format: 'jsonc',
    containers: [['servers']],
    shape,
    owns: /\/User\/(?:profiles\/[^/]+\/)?mcp\.json$/u,
    locate: (place) => {
      const { join } = pathsOf(place.platform);
      return userFolders(place).flatMap((folder) => [
        join(folder, 'mcp.json'),
        ...place.foldersIn(join(folder, 'profiles')).map((profile) => join(folder, 'profiles', profile, 'mcp.json')),
      ]);
    },
  },
];
