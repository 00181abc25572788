/** What a call does, by its name. Sources: the references of the standard libraries and of the packages named. */
import { fileCall } from '#core/normalize/code/fileCalls.ts';
import { addTo } from '#core/normalize/code/found.ts';
import { networkCall } from '#core/normalize/code/networkCalls.ts';
import { processCall } from '#core/normalize/code/processCalls.ts';
import { pureCall } from '#core/normalize/code/pure.ts';
import { DECODED, ENVIRONMENT, FETCHED, flat, INPUT, madeOf, UNKNOWN, type Value } from '#core/normalize/code/value.ts';
import type { Walk } from '#core/normalize/code/walk.ts';
import type { Call } from '#core/normalize/code/call.ts';

/** Names under which languages and packages offer the same functions. */
export function plainName(name: string): string {
  // Most names are plain as they are.
  if (!/Sync|\.|::|^fs/u.test(name)) return name;
  return name
    .replace(/^(?:Kernel|builtins|__builtins__|__builtin__|globalThis|window|global|self|root|IRB|::|CORE|CORE\.GLOBAL|top)\./u, '')
    .replace(/^(?=(?:exec|spawn|execFile)Sync$)/u, 'child_process.')
    .replace(/Sync(?=$|\()/u, '')
    .replace(/\bpromises\.|\bpromises\(\)\./u, '')
    .replace(/^(?:fsp|fse|fs-extra|graceful-fs|fsPromises|fs\(\))\b/u, 'fs')
    .replace(/^(?:cp|childProcess|child)\.(?=exec|spawn|fork)/u, 'child_process.')
    .replace(/\.new$/u, '')
    .replace(/^(?:sp|_subprocess)\.(?=run|Popen|call|check_)/u, 'subprocess.');
}

const EVALUATES =
  /^(?:eval|exec|execfile|compile|Function|vm\.(?:runIn\w{3,12}Context|Script|compileFunction)|new Function|instance_eval|class_eval|module_eval|assert|create_function|load|loadstring|loadfile|runpy\.run_path|code\.interact|types\.FunctionType|pickle\.loads?|cPickle\.loads?|_pickle\.loads?|marshal\.load|dill\.loads?|cloudpickle\.loads?|joblib\.load|jsonpickle\.decode|yaml\.(?:unsafe_load|load)|setTimeout|setInterval|execScript|include|require|require_once|include_once|parse|Meta\.parse|include_string|source|unserialize|Marshal\.load|shelve\.open|torch\.load|dofile|binding\.eval|execute|exec_compile)$/u;
/** These run code only when what they are given comes from elsewhere: with a text of their own they do something else. */
const ONLY_FOREIGN =
  /^(?:pickle|cPickle|_pickle|dill|cloudpickle|joblib|jsonpickle|yaml|torch|marshal|Marshal|unserialize|shelve|parse|load$|compile|setTimeout|setInterval|include|require|source|assert|dofile|loadfile|execute|runpy)/u;
const PRINTS =
  /^(?:print|puts|p|pp|pprint|pprint\.pprint|console\.(?:log|info|error|warn|table|dir|debug)|echo|var_dump|print_r|printf|say|warn|process\.std(?:out|err)\.write|sys\.std(?:out|err)\.write|fmt\.Print(?:ln|f)?|cat|println|io\.write|Deno\.stdout\.write|STDOUT\.(?:puts|write)|var_export|inspect|phpinfo)$/u;
const NATIVE =
  /^(?:ctypes\.(?:CDLL|cdll\.LoadLibrary|WinDLL|windll\.LoadLibrary|PyDLL|string_at|memmove)|cffi\.FFI\(\)\.dlopen|process\.dlopen|bun\.dlopen|ffi\.dlopen|Deno\.dlopen|dlopen|Fiddle\.dlopen|DynaLoader\.dl_load_file|package\.loadlib|dyn\.load|ffi\.(?:Library|load)|FFI\.(?:cdef|load)|ffi-napi\.Library|koffi\.load)$/u;
const MEMORY =
  /(?:^|\.)(?:memfd_create|VirtualAlloc(?:Ex)?|RtlMoveMemory|CreateRemoteThread|CreateThread|WriteProcessMemory|VirtualProtect|QueueUserAPC|NtCreateThreadEx|mprotect|ptrace)$/u;

export function callValue(walk: Walk, callee: Value, owner: Value | null, args: readonly Value[], keys: ReadonlyMap<string, Value>): Value {
  const name = plainName(callee.name);
  const last = name.slice(name.lastIndexOf('.') + 1);
  const call: Call = { walk, name, last, receiver: owner, args, keys };
  const effect = evaluated(call) ?? processCall(call) ?? networkCall(call) ?? fileCall(call);
  if (effect !== null) return effect;
  noteShown(call);
  noteNative(call);
  const pure = pureCall(name, owner, args, keys);
  if (pure !== null) return pure;
  // An object made or a function called that we do not know: it holds what it was given.
  const made = madeOf(owner === null ? args : [owner, ...args]);
  return name === '' || name.length > 120 ? made : { ...made, name: `${name}()`, keys: keys.size > 0 ? keys : null };
}

function evaluated(call: Call): Value | null {
  const { walk, name, args, receiver } = call;
  const method = call.last === 'instance_eval' || call.last === 'eval';
  if (!(EVALUATES.test(name) || method || name.endsWith('.constructor') || name === 'constructor')) return null;
  // In these languages `exec` starts a program.
  if (name === 'exec' && walk.language !== 'python' && walk.language !== 'lua') return null;
  const [first] = args;
  const given = call.name === 'Function' || call.name === 'new Function' ? (args.at(-1) ?? UNKNOWN) : (first ?? UNKNOWN);
  const { from } = given;
  if (from & FETCHED) addTo(walk.found.effects, { effect: 'evaluate', target: 'fetched' }, walk.found);
  else if (from & DECODED) addTo(walk.found.effects, { effect: 'evaluate', target: 'decoded' }, walk.found);
  else if (from & INPUT && !ONLY_FOREIGN.test(name)) addTo(walk.found.effects, { effect: 'evaluate', target: 'received' }, walk.found);
  if (ONLY_FOREIGN.test(name) && name !== 'compile') {
    if (name.startsWith('require') || name.startsWith('include')) return null;
    return from === 0 ? null : madeOf([given]);
  }
  if (given.text !== null && given.text !== '' && walk.found.inner.length < 64 && walk.depth < 80) {
    walk.found.inner.push(given.text);
    return walk.read.code(given.text, walk, Math.floor(walk.depth / 20) + 1);
  }
  return madeOf(receiver === null ? args : [receiver, ...args]);
}

function noteShown({ walk, name, args, keys }: Call): void {
  if (!PRINTS.test(name)) return;
  if (flat([...args, ...keys.values()], 32).some((arg) => arg.from & ENVIRONMENT))
    addTo(walk.found.effects, { effect: 'reveal', target: 'environment' }, walk.found);
}

function noteNative({ walk, name, args }: Call): void {
  if (MEMORY.test(name)) addTo(walk.found.effects, { effect: 'load', target: 'memory' }, walk.found);
  else if (NATIVE.test(name)) addTo(walk.found.effects, { effect: 'load', target: (args[0]?.text ?? '').slice(0, 200) }, walk.found);
}
