import type { ToolCall } from '#core/model/call.ts';
import { readArguments, type Argument } from '#core/normalize/arguments.ts';
import { decodeAll, newDecodeBudget } from '#core/normalize/decode.ts';
import { unescaped } from '#core/normalize/mcpTexts.ts';
import { noteName } from '#core/normalize/toolName.ts';
import { newCollector, placeOf, type Collector } from '#core/normalize/collector.ts';
import type { Fields } from '#core/normalize/fields.ts';
import { noteBeyond, noteHidden, noteTroubles } from '#core/normalize/notes.ts';
import { patchFiles } from '#core/normalize/patch.ts';
import type { PathContext } from '#core/normalize/path.ts';
import { readCodeArgument, readCommandLine } from '#core/normalize/shell/commands.ts';
import { fold } from '#core/normalize/unicode.ts';

/** What the normalizer needs to know beside the call. */
export type NormalizeContext = Pick<PathContext, 'home' | 'dataFolder' | 'caseInsensitivePaths' | 'realpath' | 'readText'>;

/**
 * The named fields of a call: commands, paths, addresses, contents and texts, each with its place in the arguments.
 * Synchronous and bounded; what lies beyond a bound becomes a note.
 */
export function normalize(call: ToolCall, context: NormalizeContext): Fields {
  const collector = newCollector({
    home: context.home,
    dataFolder: context.dataFolder,
    cwd: call.cwd,
    caseInsensitivePaths: context.caseInsensitivePaths,
    realpath: context.realpath,
    readText: context.readText,
    resolved: new Map(),
  });
  const { list, beyond } = readArguments(call);
  if (call.channel === 'mcp') noteName(collector, '', call.tool);
  for (const argument of list) readArgument(argument, collector);
  noteTroubles(collector);
  if (beyond !== null) noteBeyond(collector, beyond);
  return collector.fields();
}

function readArgument(argument: Argument, collector: Collector): void {
  const { at, text, role } = argument;
  const whole = { at, span: { start: 0, end: text.length } };
  switch (role.kind) {
    case 'shell': {
      const folded = role.assembled ? fold(text) : collector.text('command', at, text);
      if (role.assembled) collector.derived('command', { at, span: null }, text);
      noteHidden(collector, at, folded.hidden, 'command');
      readCommandLine(collector, at, folded, role.assembled ? 'assembled' : 'as sent', role.dialect);
      return;
    }
    case 'code': {
      const folded = collector.text('command', at, text);
      noteHidden(collector, at, folded.hidden, 'text');
      readCodeArgument(collector, at, text, role.language);
      return;
    }
    case 'path': {
      const folded = collector.text('path', at, text);
      noteHidden(collector, at, folded.hidden, 'path');
      collector.path(whole, folded.text, role.access);
      // What a tool with a telling name does is known; any other may also read.
      if (role.access === 'use') collector.path(whole, folded.text, 'read');
      if (/^[a-z]+:\/\//iu.test(folded.text)) collector.url(whole, folded.text);
      return;
    }
    case 'patch': {
      const folded = collector.text('content', at, text);
      noteHidden(collector, at, folded.hidden, 'text');
      for (const file of patchFiles(folded.text)) collector.path(placeOf(at, folded, file), file.path, file.action);
      return;
    }
    case 'content':
      noteHidden(collector, at, collector.text('content', at, text).hidden, 'text');
      return;
    case 'url': {
      const folded = collector.text('url', at, text);
      noteHidden(collector, at, folded.hidden, 'path');
      // As sent: how a host is spelt says more than what it folds to.
      const written = /^[a-z][a-z0-9+.-]*:|^[\\/]{2}/iu.test(text.trim()) ? text : `http://${text.trim()}`;
      collector.url(whole, written);
      return;
    }
    case 'link':
      collector.url(whole, text);
      readText(argument, collector);
      return;
    case 'text':
      readText(argument, collector);
      return;
    case 'name':
      noteName(collector, at, text);
      readText(argument, collector);
      return;
    case 'key':
      collector.derived('text', { at, span: null }, text);
      return;
    case 'assembled':
      collector.derived('text', { at, span: null }, text);
      for (const decoded of decodeAll(fold(text).text, newDecodeBudget())) collector.derived('text', { at, span: null }, decoded.text);
      return;
    case 'any': {
      const folded = collector.text('text', at, text);
      noteHidden(collector, at, folded.hidden, 'text');
      collector.urls(folded, at);
      if (/^(?:~\/|\/|\.{1,2}\/|file:|[a-z]:\\)[^\n]{1,500}$/iu.test(folded.text))
        for (const access of role.access === 'use' ? (['use', 'read'] as const) : [role.access]) collector.path(whole, folded.text, access);
      for (const file of patchFiles(folded.text)) collector.path(placeOf(at, folded, file), file.path, file.action);
      return;
    }
  }
}

function readText(argument: Argument, collector: Collector): void {
  const { at, text } = argument;
  noteHidden(collector, at, collector.text('text', at, text).hidden, 'text');
  const plain = unescaped(text);
  if (plain !== null) collector.derived('text', { at, span: null }, plain);
}
