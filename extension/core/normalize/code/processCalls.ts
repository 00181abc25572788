/** Calls that start programs: what they start is read as a command line, or as words where no shell reads them. */
import type { Call } from '#core/normalize/code/call.ts';
import { addTo } from '#core/normalize/code/found.ts';
import { CONNECTION, DECODED, ENVIRONMENT, FETCHED, flat, INPUT, madeOf, UNKNOWN, type Value } from '#core/normalize/code/value.ts';

/** The first argument is a command line. */
const SHELL =
  /^(?:os\.(?:system|popen[234]?)|commands\.get(?:status)?output|subprocess\.get(?:status)?output|child_process\.exec|asyncio\.create_subprocess_shell|loop\.subprocess_shell|execa\.command|execaCommand|shelljs\.exec|shell\.exec|sh\.exec|shell_exec|passthru|proc_open|os\.execute|io\.popen|popen|do shell script|script|\$|Bun\.\$|zx\.\$|Runtime\.getRuntime\(\)\.exec|shell|invoke\.run|c\.run|local|get_ipython\(\)\.(?:system|getoutput)|IPython\.get_ipython\(\)\.system|platform\.popen|pexpect\.(?:run|runu)|win32api\.WinExec|WScript\.Shell\(\)\.Run|posix\.system|nt\.system|qx|util\.promisify\(\))$|(?:^|\.)doShellScript$/u;
/** A list of words, or a text that is a command line by itself. */
const EITHER =
  /^(?:subprocess\.(?:run|call|check_call|check_output|Popen)|Popen|check_output|system|spawn|exec|IO\.popen|Open3\.(?:capture2e?|capture3|popen2e?|popen3|pipeline\w{0,6})|PTY\.spawn|pty\.spawn|pexpect\.spawn|Deno\.run|Deno\.Command|Bun\.spawn|child_process\.(?:spawn|execFile|fork)|execFile|execa|cross-spawn|node-pty\.spawn|exec\.Command|exec\.CommandContext|syscall\.Exec|system2|processx\.run|os\.(?:exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?|startfile)|asyncio\.create_subprocess_exec|pcntl_exec|Process\.spawn|ProcessBuilder|run|posix\.execvp?|syscall|sh\.(?:bash|sh))$/u;
/** The mode comes first. */
const MODE_FIRST = /^(?:os\.spawn[lv]p?e?)$/u;
/** Words are separate arguments. */
const LISTED = /^os\.(?:execl|spawnl)p?e?$/u;
const SHELL_NAMES =
  /^(?:\S{0,60}[\\/])?(?:(?:ba|da|z|k|a|c|tc|fi)?sh|busybox|cmd(?:\.exe)?|powershell(?:\.exe)?|pwsh)(?:\s{1,4}(?:-i|-l|-li|--login|-p|--noprofile|--norc|-nop|sh)){0,3}$/iu;

export function processCall(call: Call): Value | null {
  const { walk, args, keys } = call;
  const { found } = walk;
  const shelled = SHELL.test(call.name);
  const either = !shelled && (EITHER.test(call.name) || (call.last === 'exec_command' && call.name !== 'exec_command'));
  if (!shelled && !either) return packaging(call);
  // `run` and `exec` are names of many things: only where they cannot be anything else.
  if (
    (call.name === 'run' ||
      call.name === 'exec' ||
      call.name === 'spawn' ||
      call.name === 'system' ||
      call.name === 'popen' ||
      call.name === 'shell' ||
      call.name === 'script' ||
      call.name === 'local') &&
    !plainNameRuns(call)
  )
    return null;
  const start = MODE_FIRST.test(call.name) ? 1 : call.name.endsWith('CommandContext') ? 1 : 0;
  const given = args.slice(start);
  const source = flat(given, 64).reduce((from, one) => from | one.from, 0);
  if (source & FETCHED && given[0]?.text === null) addTo(found.effects, { effect: 'evaluate', target: 'fetched' }, found);
  else if (source & CONNECTION) addTo(found.effects, { effect: 'evaluate', target: 'received' }, found);
  else if (source & INPUT && given[0]?.text === null && walk.language === 'php')
    addTo(found.effects, { effect: 'evaluate', target: 'received' }, found);
  else if (source & DECODED) addTo(found.effects, { effect: 'evaluate', target: 'decoded' }, found);
  for (const one of shelled ? lines(given[0]) : []) command(call, one);
  if (either) words(call, given, keys);
  return { ...madeOf(given), from: source & ~ENVIRONMENT };
}

/** In Perl, Ruby, PHP, awk, R and Julia these are functions of the language. */
function plainNameRuns({ name, walk, args }: Call): boolean {
  if (walk.language === 'python' || walk.language === 'js' || walk.language === 'go') return false;
  if (walk.language === 'julia') return name === 'run';
  if (walk.language === 'lua') return false;
  return name !== 'run' && name !== 'shell' && name !== 'script' && name !== 'local' && args.length > 0;
}

/** The command lines a value may be. */
function lines(value: Value | undefined): readonly string[] {
  if (value === undefined) return [];
  if (value.text !== null) return [value.text];
  return (value.list ?? []).flatMap((one) => (one.text === null ? [] : [one.text])).slice(0, 64);
}

function command({ walk }: Call, line: string): void {
  if (line.trim() === '') return;
  if (SHELL_NAMES.test(line.trim())) walk.found.shell = true;
  addTo(walk.found.scripts, line, walk.found);
}

function words(call: Call, given: readonly Value[], keys: ReadonlyMap<string, Value>): void {
  const { found } = call.walk;
  const [first, second] = given;
  if (first === undefined) {
    const asked = keys.get('cmd') ?? keys.get('args') ?? keys.get('command');
    if (asked) words(call, [asked], new Map());
    return;
  }
  const list = first.list ?? null;
  let all: readonly Value[] = list ?? [first];
  if (list === null) {
    const options = keys.get('args')?.list;
    if (second?.list !== undefined && second.list !== null) all = [first, ...second.list];
    else if (options !== undefined && options !== null) all = [first, ...options];
    else if (LISTED.test(call.name) || /^os\.(?:execl|spawnl)/u.test(call.name)) all = [first, ...given.slice(2)];
    else if (/^os\.(?:exec|spawn)v/u.test(call.name)) all = [first];
    else all = given.filter((one) => one.keys === null);
    if (/^(?:os\.execv|os\.spawnv|syscall\.Exec)/u.test(call.name) && second?.list) all = [first, ...second.list.slice(1)];
  }
  const texts = all.slice(0, 256).map((one) => one.text ?? '$UNKNOWN');
  const shown = texts.join(' ').trim();
  if (shown === '' || texts[0] === '$UNKNOWN') return;
  if (SHELL_NAMES.test(shown)) found.shell = true;
  // A single text is a command line: a shell reads it, or the system splits it at blanks.
  const shellOption = keys.get('shell');
  if (list === null && texts.length === 1) addTo(found.scripts, texts[0] ?? '', found);
  else if (shellOption !== undefined && /^(?:True|true|1)$/u.test(shellOption.text ?? shellOption.name)) addTo(found.scripts, shown, found);
  else addTo(found.commands, texts, found);
  const input = keys.get('input');
  if (input?.text !== undefined && input.text !== null && SHELL_NAMES.test(texts[0] ?? '')) addTo(found.scripts, input.text, found);
}

/** Package managers called from code, and calls that take rights. */
function packaging({ walk, name, args }: Call): Value | null {
  const { found } = walk;
  const first = args[0];
  if (/^(?:pip|pip\._internal(?:\.cli\.main)?|pip\._internal\.main)\.?(?:main)?$/u.test(name) && /pip/u.test(name) && first?.list) {
    addTo(found.commands, ['pip', ...first.list.flatMap((one) => (one.text === null ? [] : [one.text]))], found);
    return UNKNOWN;
  }
  if (/^(?:install\.packages|BiocManager\.install|remotes\.install_\w{1,12}|Pkg\.add)$/u.test(name)) {
    for (const one of first?.list ?? [first ?? UNKNOWN])
      if (one.text !== null) addTo(found.effects, { effect: 'install', target: one.text.slice(0, 200) }, found);
    return UNKNOWN;
  }
  if (
    /^(?:os\.set(?:re|res|e)?[ug]id|process\.set(?:e)?[ug]id|posix_set(?:e)?[ug]id|POSIX\.set[ug]id|Process\.(?:UID|Sys)\.(?:setuid|change_privilege|eid=)|syscall\.Set[ug]id|setuid|setgid|Deno\.setUid)$/u.test(
      name,
    ) &&
    first?.text === '0'
  ) {
    addTo(found.effects, { effect: 'escalate', target: 'root' }, found);
    return UNKNOWN;
  }
  return null;
}
