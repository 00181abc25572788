/**
 * Zed: `context_servers` in its settings, the user's and a project's. Nothing is expanded; servers of extensions have
 * no command here (zed.dev/docs/ai/mcp).
 */
import { inFolders, leaveWith, LEAVE_COMMON, type McpFile, pathsOf, PLAIN_SHAPE, settingsFolder } from '#node/clients/mcp/mcpFile.ts';
import { isObject } from '#core/model/json.ts';

const shape = {
  ...PLAIN_SHAPE,
  typeKeys: [],
  leave: {
    ...LEAVE_COMMON,
    ...leaveWith({ remote: 'Zed starts it on the remote machine, where this launcher may not be' }),
    source: (value) => (value === 'extension' ? 'an extension of Zed starts it; its command does not stand in this file' : null),
    command: (value) => (isObject(value) ? 'it is written in an older form; Zed offers to bring its settings up to date' : null),
  },
} as const satisfies McpFile['shape'];

const file = { format: 'jsonc', containers: [['context_servers']], shape } as const;

export const ZED: readonly McpFile[] = [
  {
    ...file,
    id: 'zedUser',
    name: 'Zed (settings.json)',
    scope: 'user',
    owns: /\/zed\/settings\.json$/iu,
    locate: (place) => {
      const { join } = pathsOf(place.platform);
      const folder =
        place.platform === 'win32'
          ? join(settingsFolder(place), 'Zed')
          : join(place.platform === 'darwin' ? join(place.home, '.config') : settingsFolder(place), 'zed');
      return [join(folder, 'settings.json')];
    },
  },
  {
    ...file,
    id: 'zedProject',
    name: '.zed/settings.json',
    scope: 'project',
    owns: /\/\.zed\/settings\.json$/u,
    locate: inFolders('.zed', 'settings.json'),
  },
];
