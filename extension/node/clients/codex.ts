/**
 * Codex CLI: our hook goes inline into `config.toml`, not into `hooks.json`: one stray byte there drops every hook in
 * silence, while a broken config.toml stops Codex.
 */
import { posix, win32 } from 'node:path';
import { HOOK_TIMEOUT_SECONDS } from '#home/settings.ts';
import { type AgentAdapter, type EditResult, NO_LAUNCHER, type Protection, refuse } from '#node/clients/adapter.ts';
import { CODEX_GATE, type CodexEvent, codexHook, codexSwitchedOff, ownHooks, trustHash } from '#node/clients/codexHooks.ts';
import {
  groupPath,
  hookTables,
  inspectRecording,
  isInline,
  planRecording,
  trustState,
  updateCommand,
} from '#node/clients/codexRecording.ts';
import { gatePlace, HOOK_CLOSE, HOOK_OPEN, removeRecording, unplan } from '#node/clients/codexRemoval.ts';
import { planTerminal } from '#node/clients/codexTerminal.ts';
import { applySplices, type Splice } from '#node/clients/splices.ts';
import { lineEnding, placeOf, splitBom } from '#node/clients/textPlace.ts';
import { asTable, isUnder, parseTomlText, samePath, sameToml, type TomlTable } from '#node/clients/tomlEdit.ts';
import { scanToml } from '#node/clients/tomlScan.ts';

export const codex: AgentAdapter = {
  id: 'codex',
  name: 'Codex CLI',
  locate(platform, home, env) {
    const { join } = platform === 'win32' ? win32 : posix;
    const folder = env['CODEX_HOME'];
    return join(folder !== undefined && folder !== '' ? folder : join(home, '.codex'), 'config.toml');
  },
  plan,
  inspect,
  unplan,
};

function plan(text: string | null, command: string, record: string | null = null): EditResult {
  const { bom, body: before } = splitBom(text ?? '');
  const body = record === null ? removeRecording(before) : before;
  const parsed = parseTomlText(body);
  if ('problem' in parsed) return refuse('INVALID_FILE', parsed.problem);
  const statements = scanToml(body);
  const [first, second] = ownHooks(parsed.table, CODEX_GATE);
  if (second)
    return refuse('UNSUPPORTED_SHAPE', {
      ...gatePlace(body, statements, second.group),
      message: 'Callgate is there twice; delete this [[hooks.PreToolUse]] and try again',
    });

  const terminal = planTerminal(body, statements, parsed.table);
  if (terminal.kind === 'refused') return terminal;
  const splices: Splice[] = [...terminal.splices];
  const summary: string[] = [...(body === before ? [] : ['remove the hooks that only record']), ...terminal.summary];
  if (first) {
    const update = updateCommand(body, statements, first, command);
    splices.push(...update);
    if (update.length > 0) summary.push('bring the Callgate hook up to date; Codex will want to trust it again');
  } else {
    if (isInline(parsed.table, statements, CODEX_GATE)) {
      const at = statements.find((one) => isUnder(one.path, groupPath(CODEX_GATE)) || samePath(one.path, ['hooks']))?.start ?? 0;
      return refuse('UNSUPPORTED_SHAPE', {
        ...placeOf(body, at),
        message: 'hooks.PreToolUse is written as an inline value; write it as [[hooks.PreToolUse]] tables and try again',
      });
    }
    summary.push(`add a [[hooks.PreToolUse]] hook for every tool, ${HOOK_TIMEOUT_SECONDS} s, behind your own hooks`);
  }
  // Behind everything: Codex remembers trust by position, so a hook in front of the user's would un-trust theirs.
  const block = [...(first ? [] : hookBlock(command, terminal.header)), ...(first ? terminal.header : [])];
  const recording = planRecording(body, statements, parsed.table, record);
  splices.push(...recording.splices);
  summary.push(...recording.summary);
  const blocks = [block, recording.block].filter((lines) => lines.length > 0);
  if (blocks.length > 0)
    splices.push(
      appendBlock(
        body,
        blocks.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines])),
      ),
    );

  const after = applySplices(body, splices);
  const proof = parseTomlText(after);
  if ('problem' in proof || !sameToml(proof.table, wanted(parsed.table, command, recording.events, record))) {
    const at = 'problem' in proof ? proof.problem : { line: 1, column: 1, message: '' };
    return refuse('UNSUPPORTED_SHAPE', {
      ...at,
      message:
        'this file is written in a way the edit would not carry over safely; write [hooks] and [features] as ordinary tables and try again',
    });
  }
  return {
    kind: 'edited',
    text: bom + after,
    undo: {
      splices: body === before ? splices : [],
      notes: { terminal: terminal.notes, hadState: asTable(asTable(parsed.table['hooks'])?.['state']) !== undefined, trustKeys: [] },
    },
    summary,
    warnings: [...codexSwitchedOff(parsed.table), ...recording.warnings],
  };
}

function hookBlock(command: string, header: readonly string[]): readonly string[] {
  return [HOOK_OPEN, ...header, ...hookTables(command, CODEX_GATE), HOOK_CLOSE];
}

function appendBlock(body: string, lines: readonly string[]): Splice {
  const eol = lineEnding(body);
  const lead = body === '' ? '' : body.endsWith('\n') ? eol : eol + eol;
  return { at: body.length, removed: '', inserted: lead + lines.join(eol) + eol };
}

/** What the edited file has to mean. */
function wanted(config: TomlTable, command: string, recorded: readonly CodexEvent[], record: string | null): TomlTable {
  const hooks = asTable(config['hooks']) ?? {};
  const withOurs = (event: CodexEvent, text: string): readonly unknown[] => {
    const groups: readonly unknown[] = Array.isArray(hooks[event]) ? hooks[event] : [];
    const at = ownHooks(config, event)[0]?.group;
    const ours = { hooks: [codexHook(text, event)] };
    return at === undefined ? [...groups, ours] : groups.map((group, index) => (index === at ? ours : group));
  };
  return {
    ...config,
    features: { ...asTable(config['features']), unified_exec_tty: false },
    hooks: {
      ...hooks,
      [CODEX_GATE]: withOurs(CODEX_GATE, command),
      ...(record === null ? {} : Object.fromEntries(recorded.map((event) => [event, withOurs(event, record)]))),
    },
  };
}

function inspect(text: string | null, command: string | null, file: string, record: string | null = null): Protection {
  const parsed = parseTomlText(splitBom(text ?? '').body);
  if ('problem' in parsed) {
    const { line, column, message } = parsed.problem;
    return { state: 'broken', detail: `Line ${line}, column ${column}: ${message}. Codex does not start with it; mend it first.` };
  }
  const { table } = parsed;
  const own = ownHooks(table, CODEX_GATE)[0];
  if (!own) return { state: 'unprotected', detail: 'Adds a hook that Codex asks before every tool call.' };
  const off = codexSwitchedOff(table)[0];
  if (off !== undefined) return { state: 'broken', detail: `${off}.` };
  if (command === null) return { state: 'broken', detail: NO_LAUNCHER };
  if (!sameToml(table, wanted(table, command, [], null)))
    return {
      state: 'broken',
      detail: 'The Callgate hook there is incomplete or from another version; protect again to bring it up to date.',
    };
  const state = trustState(table, file, own);
  if (state?.['enabled'] === false)
    return { state: 'broken', detail: 'The Callgate hook is switched off in Codex (/hooks); switch it on there.' };
  if (state?.['trusted_hash'] !== trustHash(command))
    return {
      state: 'broken',
      detail: 'Codex skips the Callgate hook until you trust it; protect again, or trust it in Codex under /hooks.',
    };
  return inspectRecording(table, scanToml(splitBom(text ?? '').body), file, record);
}
