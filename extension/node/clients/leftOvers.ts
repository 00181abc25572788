/** Files that name our launcher although no change of ours is in force there: copies, other branches, lost records. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { isObject } from '#core/model/json.ts';
import { ConfigError } from '#node/clients/configError.ts';
import { readConfig } from '#node/clients/configFile.ts';
import { listServers } from '#node/clients/mcpServers.ts';
import { type ClientContext, type Subject, subjects } from '#node/clients/planChange.ts';

/** More projects than this are not looked into. */
const MOST_FOLDERS = 1000;

/** Folders of projects that we changed files in, or that Claude Code was used in. */
export function projectFolders(context: Pick<ClientContext, 'home' | 'env'>, changed: readonly string[]): readonly string[] {
  const near = changed.flatMap((file) => [dirname(file), dirname(dirname(file))]);
  return [...new Set([...near, ...claudeProjects(context)])].filter((folder) => existsSync(folder)).slice(0, MOST_FOLDERS);
}

function claudeProjects({ home, env }: Pick<ClientContext, 'home' | 'env'>): readonly string[] {
  const folder = env['CLAUDE_CONFIG_DIR'];
  try {
    const value: unknown = JSON.parse(readConfig(join(folder !== undefined && folder !== '' ? folder : home, '.claude.json')).text ?? '{}');
    const projects = isObject(value) ? value['projects'] : undefined;
    return isObject(projects) ? Object.keys(projects).filter((path) => isAbsolute(path)) : [];
  } catch (error) {
    if (error instanceof ConfigError || error instanceof SyntaxError) return []; // then Claude cannot read it either
    throw error;
  }
}

export type LeftOver = Extract<Subject, { kind: 'mcp' }> & {
  /** wrapped: entries that can be given back · unreadable: the launcher is named in a text that we cannot edit */
  readonly how: 'wrapped' | 'unreadable';
};

export function leftOvers(context: ClientContext): readonly LeftOver[] {
  const { mcpCommand } = context.launcher;
  return subjects(context).flatMap((subject): LeftOver[] => {
    if (subject.kind !== 'mcp') return [];
    const text = textOf(subject.file);
    if (text === null || !(text.includes(mcpCommand) || text.includes(JSON.stringify(mcpCommand).slice(1, -1)))) return [];
    const listed = listServers(subject.adapter, text, mcpCommand);
    if ('kind' in listed) return [{ ...subject, how: 'unreadable' }];
    return listed.some(({ state }) => state === 'wrapped') ? [{ ...subject, how: 'wrapped' }] : [];
  });
}

function textOf(file: string): string | null {
  try {
    return readConfig(file).text;
  } catch (error) {
    if (error instanceof ConfigError) return null; // no client starts anything from what cannot be read
    throw error;
  }
}
