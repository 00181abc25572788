/** Claude Code: our hooks out of the settings again, by the record of the edit if that still fits, else piece by piece; either way proved. */
import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { type EditResult, refuse, type UndoInfo } from '#node/clients/adapter.ts';
import { CLAUDE_EVENTS, ownGroup, ownGroups, ownHook, RECORD_EVENTS } from '#node/clients/claudeHooks.ts';
import { memberOf, nodeValue, parseJson, removeChild } from '#node/clients/jsonEdit.ts';
import { undoSplices } from '#node/clients/splices.ts';
import { splitBom } from '#node/clients/textPlace.ts';

export function unplan(text: string, undo: UndoInfo | null): EditResult {
  const { bom, body } = splitBom(text);
  const parsed = parseJson(body, 'json');
  if ('problem' in parsed) return refuse('INVALID_FILE', parsed.problem);
  const wanted = withoutOurs(parsed.value);
  if (isDeepStrictEqual(wanted, withoutEmpty(parsed.value)))
    return refuse('NO_RECORD', { line: 1, column: 1, message: 'no Callgate hook is in this file' });
  const created = createdBy(undo);
  for (const candidate of [undo ? undoSplices(body, undo.splices) : null, removeStructurally(body, created)]) {
    if (candidate === null) continue;
    const again = parseJson(candidate, 'json');
    if (!('problem' in again) && isDeepStrictEqual(withoutEmpty(again.value), wanted)) {
      return {
        kind: 'edited',
        text: bom + candidate,
        undo: { splices: [], notes: null },
        summary: ['remove the Callgate hooks'],
        warnings: [],
      };
    }
  }
  return refuse('CANNOT_UNDO', {
    line: 1,
    column: 1,
    message: 'the Callgate hooks were mixed with others; delete the hooks whose command holds ".callgate/bin" by hand',
  });
}

function createdBy(undo: UndoInfo | null): readonly JsonValue[] {
  const notes = undo?.notes;
  return isObject(notes) && Array.isArray(notes['created']) ? notes['created'] : [];
}

/** The text without the hooks that only record; as it is when that cannot be told. */
export function removeRecording(text: string): string {
  const parsed = parseJson(text, 'json');
  if ('problem' in parsed) return text;
  const hooks = memberOf(parsed.root, 'hooks')?.value;
  // A list that held nothing but ours goes with it; one that is empty already is the user's.
  const lists = RECORD_EVENTS.map((event) => [event, memberOf(hooks, event)?.value] as const);
  const onlyOurs = lists.filter(([, list]) => list && ownGroups(list).length > 0 && ownGroups(list).length === list.children?.length);
  return (
    removeStructurally(
      text,
      onlyOurs.map(([event]) => event),
      RECORD_EVENTS,
    ) ?? text
  );
}

/** Our hooks out, group by group; a group that also runs the user's command keeps that. */
function removeStructurally(text: string, created: readonly JsonValue[], events: readonly string[] = CLAUDE_EVENTS): string | null {
  let current = text;
  for (;;) {
    const parsed = parseJson(current, 'json');
    if ('problem' in parsed) return null;
    const hooks = memberOf(parsed.root, 'hooks');
    const lists = events.map((event) => memberOf(hooks?.value, event));
    const cut = lists.flatMap((list) => ownGroups(list?.value).map((group) => ({ list, group })))[0];
    const hookList = memberOf(cut?.group, 'hooks')?.value;
    const empty = lists.find((list) => list && list.value.children?.length === 0 && created.includes(list.key));
    if (cut?.list && hookList) {
      const foreign = hookList.children?.some((hook) => !ownHook(nodeValue(hook)));
      const hook = hookList.children?.find((one) => ownHook(nodeValue(one)));
      current = foreign && hook ? removeChild(current, hookList, hook) : removeChild(current, cut.list.value, cut.group);
    } else if (empty && hooks) current = removeChild(current, hooks.value, empty.node);
    else if (hooks && hooks.value.children?.length === 0 && created.includes('hooks'))
      current = removeChild(current, parsed.root, hooks.node);
    else return current;
  }
}

/** The settings with our hooks gone: what any undo must come to. */
function withoutOurs(settings: JsonValue): JsonValue {
  const hooks = isObject(settings) ? settings['hooks'] : undefined;
  if (!isObject(settings) || !isObject(hooks)) return settings;
  const cleaned = Object.entries(hooks).map(([event, groups]): [string, JsonValue] => {
    if (!Array.isArray(groups)) return [event, groups];
    const kept = groups.flatMap((group: JsonValue): JsonValue[] => {
      if (!isObject(group) || !ownGroup(group) || !Array.isArray(group['hooks'])) return [group];
      const rest = group['hooks'].filter((hook: JsonValue) => !ownHook(hook));
      return rest.length > 0 ? [{ ...group, hooks: rest }] : [];
    });
    return [event, kept];
  });
  return withoutEmpty({ ...settings, hooks: Object.fromEntries(cleaned) });
}

/** Empty lists mean nothing to Claude, so they do not count when two settings are compared. */
function withoutEmpty(settings: JsonValue): JsonValue {
  if (!isObject(settings) || !isObject(settings['hooks'])) return settings;
  const { hooks, ...rest } = settings;
  const kept = Object.entries(hooks as JsonObject).filter(([, groups]) => !(Array.isArray(groups) && groups.length === 0));
  return kept.length > 0 ? { ...rest, hooks: Object.fromEntries(kept) } : rest;
}
