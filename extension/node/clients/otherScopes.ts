/** Settings outside the file we edit that decide whether a client calls the user's hooks at all. */
import { existsSync } from 'node:fs';
import { dirname, posix, win32 } from 'node:path';
import { readBounded } from '#home/privateFile.ts';
import { claudeSwitchedOff } from '#node/clients/claudeHooks.ts';
import { codex } from '#node/clients/codex.ts';
import { codexSwitchedOff } from '#node/clients/codexHooks.ts';
import { parseJson } from '#node/clients/jsonEdit.ts';
import { splitBom } from '#node/clients/textPlace.ts';
import { parseTomlText } from '#node/clients/tomlEdit.ts';

export interface ScopeContext {
  readonly home: string;
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workspaceFolders: readonly string[];
  /** Root of the system's own settings; a test's folder in tests. */
  readonly systemRoot?: string;
}

/** One sentence per obstacle, naming the file. */
export function otherScopes(id: string, context: ScopeContext): readonly string[] {
  if (id === 'claude') return claudeScopes(context);
  if (id === 'codex') return codexScopes(context);
  return [];
}

function claudeScopes({ platform, env, workspaceFolders, systemRoot = '/' }: ScopeContext): readonly string[] {
  const { join } = platform === 'win32' ? win32 : posix;
  const managed =
    platform === 'win32'
      ? 'C:\\Program Files\\ClaudeCode\\managed-settings.json'
      : platform === 'darwin'
        ? join(systemRoot, 'Library/Application Support/ClaudeCode/managed-settings.json')
        : join(systemRoot, 'etc/claude-code/managed-settings.json');
  const files = [
    managed,
    ...workspaceFolders.flatMap((folder) => ['settings.json', 'settings.local.json'].map((name) => join(folder, '.claude', name))),
  ];
  const off = files.flatMap((file) => {
    const text = readIfThere(file);
    if (text === null) return [];
    const parsed = parseJson(splitBom(text).body, 'json');
    return 'problem' in parsed ? [] : claudeSwitchedOff(parsed.value).map((reason) => `${file}: ${reason}`);
  });
  const elsewhere =
    (env['CLAUDE_CONFIG_DIR'] ?? '') === ''
      ? []
      : [
          `CLAUDE_CONFIG_DIR is set: only sessions that have it too read ${env['CLAUDE_CONFIG_DIR']}; others read ~/.claude and are not protected by this change`,
        ];
  const bare = ['CLAUDE_CODE_SIMPLE', 'CLAUDE_CODE_SAFE_MODE']
    .filter((name) => env[name] === '1')
    .map((name) => `${name}=1 is set: sessions started from here call no user hook; unset it`);
  return [...off, ...elsewhere, ...bare];
}

function codexScopes({ home, platform, env, workspaceFolders, systemRoot = '/' }: ScopeContext): readonly string[] {
  const { join } = platform === 'win32' ? win32 : posix;
  const system = platform === 'win32' ? [] : ['requirements.toml', 'config.toml'].map((name) => join(systemRoot, 'etc/codex', name));
  const files = [...system, ...workspaceFolders.map((folder) => join(folder, '.codex', 'config.toml'))];
  const off = files.flatMap((file) => {
    const text = readIfThere(file);
    if (text === null) return [];
    const parsed = parseTomlText(splitBom(text).body);
    return 'problem' in parsed ? [] : codexSwitchedOff(parsed.table).map((reason) => `${file}: ${reason}`);
  });
  const beside = join(dirname(codex.locate(platform, home, env)), 'hooks.json');
  const second = existsSync(beside) ? [`${beside} holds hooks too; Codex reads both files and says so when it starts`] : [];
  const elsewhere =
    (env['CODEX_HOME'] ?? '') === ''
      ? []
      : [
          `CODEX_HOME is set: only sessions that have it too read ${env['CODEX_HOME']}; others read ~/.codex and are not protected by this change`,
        ];
  return [...off, ...second, ...elsewhere];
}

/** No settings file is larger; a client would choke on it long before us. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Null too for what is no readable file of that size: a pipe or an endless device in a stranger's folder obstructs nothing we know of. */
function readIfThere(file: string): string | null {
  try {
    return readBounded(file, MAX_BYTES)?.toString('utf8') ?? null;
  } catch {
    return null; // no client reads it either
  }
}
