/** How Codex sees our hook in a parsed config: which group it is, and whether Codex would run it. */
import { createHash } from 'node:crypto';
import { canonicalJson, type JsonObject } from '#core/model/json.ts';
import { HOOK_TIMEOUT_SECONDS } from '#home/settings.ts';
import { isOurs } from '#node/clients/adapter.ts';
import { asTable, type TomlTable } from '#node/clients/tomlEdit.ts';

export function codexHook(command: string): JsonObject {
  return { type: 'command', command, timeout: HOOK_TIMEOUT_SECONDS };
}

export function preToolUse(config: TomlTable): unknown {
  return asTable(config['hooks'])?.['PreToolUse'];
}

/** Positions of our hooks: trust in Codex is by position. */
export function ownHooks(config: TomlTable): readonly { readonly group: number; readonly hook: number; readonly command: string }[] {
  const groups = preToolUse(config);
  if (!Array.isArray(groups)) return [];
  return groups.flatMap((group: unknown, groupIndex) => {
    const hooks = asTable(group)?.['hooks'];
    if (!Array.isArray(hooks)) return [];
    return hooks.flatMap((hook: unknown, hookIndex) => {
      const command = asTable(hook)?.['command'];
      return typeof command === 'string' && isOurs(command) ? [{ group: groupIndex, hook: hookIndex, command }] : [];
    });
  });
}

/** The key under `hooks.state`, as Codex 0.169 forms it. */
export function trustKey(file: string, group: number, hook: number): string {
  return `${file}:pre_tool_use:${group}:${hook}`;
}

/** What Codex 0.169 calls `currentHash` of a command hook without matcher; used to tell, never to grant, trust. */
export function trustHash(command: string): string {
  const text = canonicalJson({
    event_name: 'pre_tool_use',
    hooks: [{ async: false, command, timeout: HOOK_TIMEOUT_SECONDS, type: 'command' }],
  });
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** What in a config of any scope turns user hooks off. */
export function codexSwitchedOff(config: TomlTable): readonly string[] {
  const features = asTable(config['features']);
  return [
    ...(features?.['hooks'] === false ? ['"features.hooks" is false: Codex calls no hook at all; remove it'] : []),
    ...(config['allow_managed_hooks_only'] === true
      ? ['"allow_managed_hooks_only" is true: your organisation lets only its own hooks run; ask it to add Callgate']
      : []),
  ];
}
