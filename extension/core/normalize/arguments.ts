/** Which argument means what: turns the arguments of any tool into roles the normalizer knows how to read. */
import type { Access } from '#core/detect/rulePack.ts';
import type { ToolCall } from '#core/model/call.ts';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { MAX_JSON_DEPTH, MAX_STRINGS, MAX_TEXT } from '#core/normalize/limits.ts';
import { isBinary, joinedBlocks, signatureOf, textInBinary } from '#core/normalize/mcpTexts.ts';
import { escapePointer } from '#core/normalize/pointer.ts';

export type Role =
  /** `assembled`: joined from an argument vector, so offsets into it mean nothing in the arguments. */
  | { readonly kind: 'shell'; readonly assembled: boolean; readonly dialect?: 'powershell' | 'cmd' }
  /** Code of another language that the tool runs; `language`: the name of an interpreter. */
  | { readonly kind: 'code'; readonly language: string }
  | { readonly kind: 'path'; readonly access: Access }
  | { readonly kind: 'patch' }
  | { readonly kind: 'content' }
  | { readonly kind: 'url' }
  | { readonly kind: 'text' }
  /** A key; `at` names the object that has it. */
  | { readonly kind: 'key' }
  /** Text that stands nowhere as such: blocks joined, what binary content says, a definition at a glance. */
  | { readonly kind: 'assembled' }
  /** The name of a tool, prompt or parameter in a definition. */
  | { readonly kind: 'name' }
  /** The address of a resource that text links to. */
  | { readonly kind: 'link' }
  /** A string of a tool we do not know: told by its own looks. */
  | { readonly kind: 'any'; readonly access: Access };

export interface Argument {
  readonly at: string;
  readonly text: string;
  readonly role: Role;
}

export interface ReadArguments {
  readonly list: readonly Argument[];
  /** What was left out because of its size or depth; null when everything was read. */
  readonly beyond: 'size' | 'depth' | 'count' | null;
}

const SHELL_KEY = /^(?:command|cmd|commands|argv|script|shell|bash|cmdline|command_?line|exec)$/iu;
/** A program by itself, and the words it is started with. */
const PROGRAM_KEY = /^(?:command|cmd|program|executable|binary|exe)$/iu;
const WORDS_KEY = /^(?:args|arguments|argv|params|parameters)$/iu;
const PATH_KEY =
  /(?:^|_)(?:path|paths|file|files|filename|file_?name|filepath|dir|directory|folder|cwd|source|destination|src|dst|target)$|(?:Path|File|Dir)$/u;
const URL_KEY = /(?:^|_)(?:url|urls|uri|href|endpoint|link|webhook)$|(?:Url|Uri)$/iu;
const CONTENT_KEY = /^(?:content|contents|file_text|new_string|new_str|new_source|insert_text|text|body|data|replacement)$/iu;
const SHELL_TOOL =
  /(?:^|[_\-./ ])(?:bash|shell|sh|exec|execute|terminal|cmd|powershell|run_?command|run_?in_?terminal|execute_?command|run_?shell)(?:$|[_\-./ ])|(?:Command|Terminal|Shell)$/iu;
/** Tools and keys by which code of other languages is run. */
const CODE_KEY =
  /^(?:code|source|source_?code|snippet|program|expression|function|python|python_?code|javascript|js|js_?code|script|cell|cell_?source|query_?code|input)$/iu;
const CODE_TOOL =
  /python|ipython|jupyter|notebook|javascript|typescript|(?:^|[_\-./ ])(?:node|js|ts|deno|ruby|php|perl|lua|julia|rscript|repl)(?:$|[_\-./ ])|(?:execute|run|eval|exec)_?(?:code|cell|snippet)|code_?(?:interpreter|execution|runner|exec)|browser_?(?:evaluate|run)|evaluate_?(?:script|js)|(?:^|[_\-./ ])eval(?:uate)?(?:$|[_\-./ ])/iu;
/** Keys that a program may obey by itself, although they are short identifiers: prototypes and query operators. */
const POWERFUL_KEY = /^(?:__proto__|prototype|constructor|\$\w{1,40}|[\w$]{1,40}(?:\.[\w$]{1,40}){1,8})$/u;
const DEFINED_NAME = /^(?:\/(?:tools|prompts|resources)\/\d{1,6}|\/\d{1,6}|)\/name$/u;
const DELETE_TOOL = /delete|remove|unlink/iu;
const READ_TOOL = /read|get|list|search|view|show|stat|find|cat|open|fetch|glob|grep|query|describe|info|load|look|tree/iu;
const WRITE_TOOL = /write|edit|create|append|save|upload|patch|move|copy|rename|replace|put/iu;

export function readArguments(call: ToolCall): ReadArguments {
  const list: Argument[] = [];
  let units = MAX_TEXT;
  let beyond: ReadArguments['beyond'] = null;
  const add = (at: string, text: string, role: Role): void => {
    if (list.length >= MAX_STRINGS) beyond ??= 'count';
    else {
      if (text.length > units) beyond = 'size';
      const kept = text.slice(0, Math.max(0, units));
      units -= kept.length;
      list.push({ at, text: kept, role });
    }
  };
  const untrusted = call.channel === 'response' || call.channel === 'definition';
  const blocks: string[] = [];
  const walk = (value: JsonValue, at: string, key: string, depth: number, parent: JsonObject | null): void => {
    if (depth > MAX_JSON_DEPTH) beyond ??= 'depth';
    else if (typeof value === 'string') {
      if (untrusted && isBinary(parent, key)) for (const text of textInBinary(value)) add(at, text, { kind: 'assembled' });
      else add(at, value, roleOf(call, at, key));
      if (untrusted && (key === 'text' || /\/\d{1,6}$/u.test(at))) blocks.push(value);
    } else if (Array.isArray(value)) {
      // An argument vector is one command line: its words belong together.
      if (SHELL_KEY.test(key) && isWords(value)) add(at, shellLine(value), { kind: 'shell', assembled: true });
      // Several command lines, not the words of one.
      if (!SHELL_KEY.test(key) || !isWords(value) || key.toLowerCase() === 'commands')
        for (let index = 0; index < value.length && beyond === null; index++)
          walk(value[index] as JsonValue, `${at}/${index}`, key, depth + 1, null);
    } else if (isObject(value)) {
      const signature = untrusted ? signatureOf(value) : null;
      if (signature !== null) add(at, signature, { kind: 'assembled' });
      const split = untrusted ? null : splitCommand(value);
      if (split !== null) add(at, shellLine(split), { kind: 'shell', assembled: true });
      for (const name of Object.keys(value)) {
        if (beyond !== null) return;
        // Keys can carry text as well as values; short identifiers cannot say anything, longer ones can be a token.
        if (!/^[\w$.-]{0,19}$/u.test(name) || (!untrusted && POWERFUL_KEY.test(name))) add(at, name, { kind: 'key' });
        walk(value[name] as JsonValue, `${at}/${escapePointer(name)}`, name, depth + 1, value);
      }
    }
  };
  walk(call.args, '', '', 0, null);
  for (const text of joinedBlocks(blocks)) add('', text, { kind: 'assembled' });
  return { list, beyond };
}

/** `{command: "rm", args: ["-rf", "/"]}` as the words of one command. */
function splitCommand(value: JsonObject): string[] | null {
  const names = Object.keys(value);
  if (names.length > 40) return null;
  const program = names.find((name) => PROGRAM_KEY.test(name) && typeof value[name] === 'string');
  const words = names.find((name) => name !== program && WORDS_KEY.test(name) && Array.isArray(value[name]));
  const args = words === undefined ? undefined : value[words];
  return program === undefined || !Array.isArray(args) || !isWords(args) ? null : [value[program] as string, ...args];
}

function roleOf(call: ToolCall, at: string, key: string): Role {
  switch (call.channel) {
    case 'shell':
      if (at === '/command' || at === '' || SHELL_KEY.test(key)) return shellRole(call.tool);
      return /^\/(?:workdir|cwd)$/u.test(at) ? { kind: 'path', access: 'read' } : { kind: 'text' };
    case 'read':
      return at === '' || PATH_KEY.test(key) ? { kind: 'path', access: 'read' } : { kind: 'text' };
    case 'write':
      // A notebook's `new_source` ends like the name of a path and is what is written.
      if (PATH_KEY.test(key) && !CONTENT_KEY.test(key)) return { kind: 'path', access: 'write' };
      if (/^(?:command|patch|input)$/u.test(key) || at === '') return { kind: 'patch' };
      // What is replaced is not written.
      return key.startsWith('old_') ? { kind: 'text' } : { kind: 'content' };
    case 'fetch':
      return at === '' || URL_KEY.test(key) ? { kind: 'url' } : { kind: 'text' };
    case 'response':
      return { kind: key === 'uri' ? 'link' : 'text' };
    case 'definition':
      return { kind: DEFINED_NAME.test(at) ? 'name' : 'text' };
    case 'mcp':
    case 'other': {
      const access: Access = DELETE_TOOL.test(call.tool)
        ? 'delete'
        : WRITE_TOOL.test(call.tool)
          ? 'write'
          : READ_TOOL.test(call.tool)
            ? 'read'
            : 'use';
      if (CODE_KEY.test(key) && CODE_TOOL.test(call.tool)) return { kind: 'code', language: codeLanguage(call, key) };
      if (SHELL_KEY.test(key) || (SHELL_TOOL.test(call.tool) && /^(?:code|input|args?|arguments)$/iu.test(key)))
        return shellRole(call.tool);
      if (PATH_KEY.test(key) && !/^(?:source|target|destination)$/iu.test(key))
        return { kind: 'path', access: /^(?:src|source)/iu.test(key) ? 'read' : access };
      if (URL_KEY.test(key)) return { kind: 'url' };
      if (CONTENT_KEY.test(key)) return { kind: 'content' };
      return { kind: 'any', access };
    }
  }
}

function shellRole(tool: string): Role {
  if (/powershell|pwsh/iu.test(tool)) return { kind: 'shell', assembled: false, dialect: 'powershell' };
  if (/(?:^|[_\-./ ])(?:cmd|cmd_?exe|batch|command_?prompt)$/iu.test(tool)) return { kind: 'shell', assembled: false, dialect: 'cmd' };
  return { kind: 'shell', assembled: false };
}

/** The language a tool says it runs, in its name or beside the code; `code` when neither says. */
function codeLanguage(call: ToolCall, key: string): string {
  const beside = isObject(call.args) ? (call.args['language'] ?? call.args['lang'] ?? call.args['runtime']) : undefined;
  const said = `${typeof beside === 'string' ? beside.slice(0, 40) : ''} ${key} ${call.tool}`;
  const name =
    /bash|shell(?!ex)|python|javascript|typescript|browser|node|deno|ruby|php|perl|lua|julia|powershell|\br\b|\bjs\b|\bts\b|jupyter|notebook|evaluate|function/iu
      .exec(said)?.[0]
      .toLowerCase() ?? 'code';
  return /^(?:javascript|typescript|browser|js|ts|evaluate|function)$/u.test(name)
    ? 'node'
    : /^(?:jupyter|notebook)$/u.test(name)
      ? 'python'
      : name;
}

function isWords(value: readonly JsonValue[]): value is readonly string[] {
  return value.length > 0 && value.every((item) => typeof item === 'string');
}

/** The words of an argument vector as one command line. A program given as a whole command line stays one. */
function shellLine(words: readonly string[]): string {
  if (words.length === 1) return words[0] ?? '';
  return words.map((word) => (/^[\w@%+=:,./~-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}
