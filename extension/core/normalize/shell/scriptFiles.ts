/** Which files a command runs as scripts, and their text, read within bounds. */
import type { CommandField, Place } from '#core/normalize/fields.ts';
import { MAX_SCRIPT_TEXT } from '#core/normalize/limits.ts';
import { resolvePath } from '#core/normalize/path.ts';
import { insideOf } from '#core/normalize/shell/folders.ts';
import type { Job } from '#core/normalize/shell/job.ts';
import { interpreterName } from '#core/normalize/shell/programNames.ts';
import { INTERPRETERS, SHELLS } from '#core/normalize/shell/programs.ts';
import { noteCut } from '#core/normalize/shell/scriptShell.ts';
import { justRecipes, makeRecipes, packageScripts } from '#core/normalize/shell/taskFiles.ts';

type Language = 'shell' | 'code' | 'powershell' | 'cmd';

export interface RanFile {
  readonly path: string;
  /** Null: the file's first line or ending tells. */
  readonly language: Language | null;
  /** What stands in the file is not the script itself: picks the lines that run. */
  readonly pick?: (text: string) => string;
  /** Read by this very shell. */
  readonly sourced?: true;
  /** Words handed to the script. */
  readonly args?: readonly string[];
}

export interface ScriptText {
  readonly text: string;
  readonly language: Language;
}

/** Folders of programs that came with the system or a package manager: they are not the agent's scripts. */
const INSTALLED = /^\/(?:usr|bin|sbin|lib|lib64|opt|snap|nix|System|Library|Applications)\//u;
const CODE_ENDING = /\.(?:py|pyw|js|mjs|cjs|ts|mts|cts|tsx|jsx|rb|pl|pm|php|lua|awk|scpt|applescript|go|r|jl)$/iu;
/** Programs beside the interpreters that run the script they are given. */
const SCRIPT_RUNNERS: ReadonlySet<string> = new Set([
  'tsx',
  'ts-node',
  'jiti',
  'zx',
  'babel-node',
  'esno',
  'pypy',
  'uwsgi',
  'rscript',
  'groovy',
  'jshell',
]);
/** Flags of interpreters that take a value. */
const VALUED =
  /^(?:-[rWXQIFO]|--(?:require|import|loader|rcfile|init-file|env-file|experimental-loader|inspect-port|conditions|tsconfig|project|stack-size))$/u;
/** With these, an interpreter runs no file. */
const INLINE = /^(?:-[a-zA-Z]{0,5}[cem]|--(?:eval|print|command|check|version|help|test)|-[EnVvh])$/u;

/** The files `command` runs. */
export function ranFiles(command: CommandField): readonly RanFile[] {
  const { words, operands } = command;
  const first = words[0] ?? '';
  const args = words.slice(1);
  const program = interpreterName(command.program);
  const out: RanFile[] = [];
  if (/[\\/]/u.test(first) && !/[$*?]/u.test(first) && !INSTALLED.test(first)) out.push({ path: first, language: null, args });
  if (SHELLS.has(program)) {
    const at = scriptAt(args, /^-[a-zA-Z]*[cs]|^-$|^--(?:version|help)$|^-[a-z]*n[a-z]*$/u, /^(?:[-+][oO]|--rcfile|--init-file)$/u);
    if (at >= 0) out.push({ path: args[at] ?? '', language: 'shell', args: args.slice(at + 1) });
    return out;
  }
  if (INTERPRETERS.has(program) || SCRIPT_RUNNERS.has(program)) {
    const skip = (program === 'bun' || program === 'deno') && operands[0] === 'run' ? 1 : 0;
    if (/^[gm]?awk$/u.test(program)) return out;
    const at = scriptAt(args, INLINE, VALUED, skip);
    if (at >= 0 && (program !== 'bun' || /[./]/u.test(args[at] ?? ''))) out.push({ path: args[at] ?? '', language: 'code' });
    if (program !== 'bun') return out;
  }
  switch (program) {
    case 'powershell':
    case 'pwsh': {
      const script = args.find((arg) => /^[^\s]{1,400}\.psm?1$/iu.test(arg));
      return script === undefined ? out : [...out, { path: script, language: 'powershell' }];
    }
    case 'source':
    case '.':
      return operands[0] === undefined ? out : [...out, { path: operands[0], language: 'shell', sourced: true, args: operands.slice(1) }];
    case 'make':
    case 'gmake': {
      if (args.some((arg) => /^(?:-[a-zA-Z]*n|--dry-run|--just-print|--version|-q)$/u.test(arg))) return out;
      const named = args.flatMap((arg, index) =>
        /^(?:-f|--file|--makefile)$/u.test(arg) ? [args[index + 1] ?? ''] : (/^(?:-f|--(?:make)?file=)(.{1,400})$/u.exec(arg)?.[1] ?? []),
      );
      const targets = operands.filter(
        (operand, index) => !operand.includes('=') && !/^-[fCIjlo]$/u.test(args[args.indexOf(operand) - 1] ?? '') && index < 32,
      );
      const files = named.length > 0 ? named : ['GNUmakefile', 'makefile', 'Makefile'];
      return [...out, ...files.map((path): RanFile => ({ path, language: 'shell', pick: (text) => makeRecipes(text, targets) }))];
    }
    case 'just': {
      const at = args.findIndex((arg) => /^(?:-f|--justfile)$/u.test(arg));
      const files = at < 0 ? ['justfile', 'Justfile', '.justfile'] : [args[at + 1] ?? ''];
      const targets = operands.filter((operand) => !operand.includes('=') && !files.includes(operand));
      return [...out, ...files.map((path): RanFile => ({ path, language: 'shell', pick: (text) => justRecipes(text, targets) }))];
    }
    case 'npm':
    case 'pnpm':
    case 'yarn':
    case 'bun': {
      const names = taskNames(program, operands);
      return names.length === 0 ? out : [...out, { path: 'package.json', language: 'shell', pick: (text) => packageScripts(text, names) }];
    }
    case 'at': {
      const at = args.indexOf('-f');
      return at < 0 ? out : [...out, { path: args[at + 1] ?? '', language: 'shell' }];
    }
    default:
      return out;
  }
}

function scriptAt(args: readonly string[], inline: RegExp, valued: RegExp, skip = 0): number {
  let left = skip;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (inline.test(arg)) return -1;
    if (valued.test(arg)) index++;
    else if (!/^[-+]./u.test(arg)) {
      if (left <= 0) return arg === '-' || arg.includes('$') || arg.startsWith('/dev/') ? -1 : index;
      left--;
    }
  }
  return -1;
}

/** Package scripts that run: the one that is named, and what surrounds it; those of an installation, too. */
function taskNames(program: string, operands: readonly string[]): readonly string[] {
  const [sub = '', name] = operands;
  const named = (task: string): readonly string[] => [`pre${task}`, task, `post${task}`];
  if (/^(?:run|run-script|rum)$/u.test(sub)) return name === undefined ? [] : named(name);
  if (/^(?:test|t|tst|start|stop|restart)$/u.test(sub)) return named(sub.startsWith('t') ? 'test' : sub);
  if (program === 'npm' ? /^(?:i|install|ci|in|ins|inst)$/u.test(sub) : /^(?:i|install|)$/u.test(sub))
    return name === undefined ? ['preinstall', 'install', 'postinstall', 'prepare', 'preprepare', 'postprepare'] : [];
  return program === 'npm' || !/^[\w:.-]{1,80}$/u.test(sub) || /^(?:add|remove|dlx|exec|create|why|up|upgrade|init|x)$/u.test(sub)
    ? []
    : named(sub);
}

/** The text of a script; null when there is none that can be read. What could be read only in part is noted. */
export function readScriptFile(path: string, place: Place, job: Job, file?: RanFile): ScriptText | null {
  const { collector, scripts } = job;
  if (path === '' || path.length > 4096 || /[\n*?]|\$\(?/u.test(path)) return null;
  const absolute = resolvePath(insideOf(job.here.folder, path, collector.paths.home), job.here.folder);
  if (!/^(?:\/|[A-Za-z]:\/)/u.test(absolute) || /^\/(?:dev|proc|sys)\//u.test(absolute)) return null;
  const key = `${absolute}\n${file?.pick === undefined ? '' : [...(file.args ?? []), place.span?.start ?? ''].join(' ')}`;
  if (scripts.seen.has(key)) return null;
  const read = collector.paths.readText(absolute, MAX_SCRIPT_TEXT);
  if (read === null) return null;
  scripts.seen.add(key);
  if (scripts.left <= 0) {
    noteCut(collector, place, path, 'more scripts than are read in one call', 'medium');
    return null;
  }
  scripts.left--;
  // A program, not a script: nothing to read.
  if (read.text.slice(0, 8000).includes('\0')) return null;
  const language = file?.language ?? languageOf(path, read.text);
  if (language === null) return null;
  const text = file?.pick === undefined ? read.text : file.pick(read.text);
  if (!read.whole || text.length > job.shell.units / 2)
    noteCut(collector, place, path, 'longer than is read of it', language === 'shell' ? 'medium' : 'low');
  return text.trim() === '' ? null : { text: text.slice(0, Math.floor(job.shell.units / 2)), language };
}

function languageOf(path: string, text: string): Language | null {
  const program = /^#![^\n]{0,200}/u.exec(text)?.[0];
  if (program !== undefined)
    return /\b(?:ba|z|da|k|a|mk)?sh\b|\bbusybox\b/u.test(program) ? 'shell' : /\b(?:make|just)\b/u.test(program) ? null : 'code';
  if (/\.psm?1$/iu.test(path)) return 'powershell';
  if (/\.(?:bat|cmd)$/iu.test(path)) return 'cmd';
  // Without a first line that says so, the shell that is asked to run a file reads it itself.
  return CODE_ENDING.test(path) ? 'code' : 'shell';
}
