/** Makes the field of one command, and reads what that command runs in turn: wrapped programs, scripts, code, files. */
import type { CommandField, Place } from '#core/normalize/fields.ts';
import { MAX_SHELL_DEPTH } from '#core/normalize/limits.ts';
import { readPowerShell } from '#core/normalize/powershell/commands.ts';
import { carriedBy } from '#core/normalize/shell/carriers.ts';
import { readCmd } from '#core/normalize/cmd.ts';
import { readCode } from '#core/normalize/code/readCode.ts';
import { rememberLink, throughLink } from '#core/normalize/shell/links.ts';
import { withoutComments } from '#core/normalize/shell/sqlComments.ts';
import { asksForHelp } from '#core/normalize/shell/asksForHelp.ts';
import { effectsOf } from '#core/normalize/shell/effects.ts';
import { splitArguments } from '#core/normalize/shell/flags.ts';
import { follow, ownFolder, type Here } from '#core/normalize/shell/folders.ts';
import { guardedWords } from '#core/normalize/shell/guarded.ts';
import { link, type Built, type Job } from '#core/normalize/shell/job.ts';
import { pathUses } from '#core/normalize/shell/operands.ts';
import { parseShell } from '#core/normalize/shell/parser.ts';
import { patchedBy } from '#core/normalize/shell/patched.ts';
import { programName } from '#core/normalize/shell/programNames.ts';
import { addUrls, FETCHERS, passOn, rememberDownloads } from '#core/normalize/shell/received.ts';
import { ranFiles, readScriptFile } from '#core/normalize/shell/scriptFiles.ts';
import { scriptShell, settle } from '#core/normalize/shell/scriptShell.ts';
import { withPositional } from '#core/normalize/shell/builtins.ts';
import { allowFor, type ShellState } from '#core/normalize/shell/syntax.ts';
import { otherNames } from '#core/normalize/shell/otherNames.ts';
import { addsSetupLines, STARTUP_FILE } from '#core/normalize/shell/setupLines.ts';
import { isFromMaker } from '#core/normalize/shell/toolMakers.ts';
import { likelyWords } from '#core/normalize/shell/unread.ts';
import { innerOf, type Inner } from '#core/normalize/shell/wrapped.ts';

type Extra = Pick<CommandField, 'assigns' | 'redirects'>;

export function buildWords(given: readonly string[], stdin: readonly string[], place: Place, job: Job, extra: Extra): Built[] {
  const { collector, shell } = job;
  const words = withoutComments(withoutUnknown(given));
  // Every wrapper makes a command of most of its words again.
  for (const word of words) shell.output -= word.length + 1;
  if (job.depth > MAX_SHELL_DEPTH || shell.commands <= 0 || shell.output < 0) {
    shell.troubles.add(job.depth > MAX_SHELL_DEPTH ? 'too-deep' : shell.commands <= 0 ? 'too-many' : 'too-long');
    return [];
  }
  shell.commands--;
  const program = words.length === 0 ? '' : programName(words[0] ?? '');
  const { assigns, redirects } = extra;
  // Whoever asks for a program's help gets that and nothing else.
  if (program !== 'help' && assigns.length === 0 && asksForHelp(words))
    return buildWords(['help', ...words], [], place, job, { assigns, redirects });
  const { flags, operands } = splitArguments(program, words.slice(1));
  const field: Built = { ...place, program, words, flags, operands, redirects, assigns, stdin, paths: [], urls: [], from: [], to: [] };
  const out: Built[] = [field];
  const folder = ownFolder(program, words, job.here.folder, collector.paths.home);
  const scripts = addPaths(field, place, job, folder, out);
  addUrls(field, place, collector);
  const [only] = field.urls;
  if (only !== undefined && isFromMaker(field)) field.urls[0] = { ...only, kinds: new Set([...only.kinds, 'maker']) };
  if (FETCHERS.has(program)) rememberDownloads(field, job);
  passOn(field, job.downloads);
  for (const command of out) collector.command(command);
  for (const effect of effectsOf(field)) collector.effect({ ...place, ...effect });
  if (program === 'ln') rememberLink(field, place, job, folder);
  shell.output -= follow(program, operands, job.here, collector.paths.home, searchPath(assigns, shell));
  const inner: Inner[] = [...innerOf(words, stdin), ...carriedBy(program, words.slice(1), assigns, stdin), ...scripts];
  const likely = likelyWords(words);
  if (likely !== null) inner.push({ kind: 'words', words: likely });
  for (const name of otherNames(field, job.renamed)) inner.push({ kind: 'words', words: [name, ...words.slice(1)] });
  for (const one of inner) runInner(one, field, { stdin, place, job, extra, folder }, out);
  readFiles(field, place, job, folder, out);
  return out;
}

/** Adds the paths of a command; returns the texts written before that it runs. */
function addPaths(field: Built, place: Place, job: Job, folder: string, out: Built[]): readonly Inner[] {
  const { program, words, operands, stdin } = field;
  const { collector } = job;
  const scripts = new Set<string>();
  for (const [index, use] of pathUses(program, words, operands, stdin).entries()) {
    const sets = program === 'tee' && field.flags.has('a') && STARTUP_FILE.test(use.text) && addsSetupLines(stdin.join('\n'));
    const found = collector.path(place, use.text, use.access, folder, sets ? 'setup-line' : undefined);
    let reported = false;
    if (job.links.size > 0)
      for (const path of throughLink(found, use.text, job)) field.paths.push(...collector.path(place, path, use.access, folder));
    for (const path of found) {
      field.paths.push(path);
      const runs = use.access === 'execute' || (use.access === 'read' && program === 'source');
      const source = job.downloads.get(path.text);
      if (source && use.access === 'execute') {
        link(source, field);
        // To run a downloaded file is to read it into a shell.
        if (index === 0 && program !== '.') out.push({ ...field, program: '.', words: ['.', ...words], from: [source], to: [] });
      }
      const text = runs ? job.written.get(path.text) : undefined;
      if (text !== undefined && text !== '') scripts.add(text);
      if (runs && !reported && (source !== undefined || text !== undefined)) {
        reported = true;
        collector.effect({ ...place, effect: 'run', target: path.text });
      }
    }
  }
  if (program === 'git' && operands.includes('clean') && field.flags.has('f') && (folder === '/' || folder === collector.paths.home))
    for (const path of collector.path(place, folder, 'delete')) field.paths.push(path);
  for (const text of guardedWords(program, words, operands, folder))
    for (const path of collector.path(place, text, 'use', folder)) field.paths.push(path);
  for (const file of patchedBy(program, words, stdin)) field.paths.push(...collector.path(place, file.path, file.access, folder));
  return [...scripts].map((text) => ({ kind: 'script', text }));
}

interface Around {
  readonly stdin: readonly string[];
  readonly place: Place;
  readonly job: Job;
  readonly extra: Extra;
  readonly folder: string;
}

function runInner(inner: Inner, field: Built, around: Around, out: Built[]): void {
  const { job, place, folder } = around;
  // `eval` changes the folder of this shell; what other programs start has its own.
  const here: Here = field.program === 'eval' ? job.here : { folder, back: [] };
  const deeper: Job = { ...job, depth: job.depth + 1, place: () => place, here, folders: new Map() };
  const add = (fields: readonly Built[]): void => {
    for (const built of fields) out.push(built);
  };
  switch (inner.kind) {
    case 'words':
      add(buildWords(inner.words, around.stdin, place, deeper, around.extra));
      return;
    case 'script': {
      const restore = inner.args === undefined ? null : withPositional(job.shell, inner.args, inner.zero);
      add(readNested(inner.text, deeper));
      restore?.();
      return;
    }
    case 'code':
      runCode(inner.text, inner.language, field, deeper, folder, add);
      return;
    case 'powershell':
      runPowerShell(inner.text, field, deeper, add);
      return;
    case 'cmd':
      add(runCmd(inner.text, deeper));
  }
}

function runPowerShell(text: string, field: Built | null, job: Job, add: (fields: readonly Built[]) => void): void {
  job.collector.derived('command', job.place(0, text.length), text);
  add(readPowerShell(text, field, job, buildWords));
}

export function runCmd(text: string, job: Job): Built[] {
  const { commands, cut } = readCmd(text);
  if (cut) job.shell.troubles.add('too-long');
  const out: Built[] = [];
  let before: readonly Built[] = [];
  const place = job.place(0, text.length);
  for (const command of commands) {
    const fields = buildWords(command.words, [], place, job, { assigns: [], redirects: command.redirects });
    for (const redirect of command.redirects)
      if (!/^nul$/iu.test(redirect.target))
        for (const path of job.collector.path(place, redirect.target, redirect.op === '<' ? 'read' : 'write', job.here.folder))
          fields[0]?.paths.push(path);
    if (command.piped) for (const late of fields) for (const early of before) link(early, late);
    for (const field of fields) out.push(field);
    before = fields;
  }
  return out;
}

function runCode(text: string, hint: string, field: Built, job: Job, folder: string, add: (fields: readonly Built[]) => void): void {
  const place = job.place(0, 0);
  const code = readCode(text, hint);
  if (code.cut) job.shell.troubles.add('too-long');
  job.collector.derived('code', place, text);
  for (const path of code.paths) for (const found of job.collector.path(place, path.text, path.access, folder)) field.paths.push(found);
  for (const inner of code.inner) job.collector.derived('code', place, inner);
  for (const written of code.urls) {
    const url = job.collector.url(place, written);
    if (url) field.urls.push(url);
  }
  for (const effect of code.effects) job.collector.effect({ ...place, ...effect });
  for (const command of code.commands) add(buildWords(command, [], place, job, { assigns: [], redirects: [] }));
  for (const script of code.scripts) add(readNested(script, job));
}

/** Scripts that lie in files: read, and judged as if they stood in place of the command that runs them. */
function readFiles(field: Built, place: Place, job: Job, folder: string, out: Built[]): void {
  for (const file of ranFiles(field)) {
    const script = readScriptFile(file.path, place, { ...job, here: { folder, back: [] } }, file);
    if (script === null) continue;
    const shell = scriptShell(job.shell, file.sourced === true);
    allowFor(shell, script.text);
    const here: Here = file.sourced === true ? job.here : { folder, back: [] };
    const deeper: Job = { ...job, shell, depth: job.depth + 1, place: () => place, here, folders: new Map() };
    if (script.language === 'shell') {
      const restore = withPositional(shell, file.args ?? []);
      job.collector.derived('command', place, script.text.replace(/^[ \t]{0,200}#[^\n]{0,2000}$/gmu, ''));
      for (const built of readNested(script.text, deeper)) out.push(built);
      restore();
    } else if (script.language === 'powershell')
      runPowerShell(script.text, field, deeper, (fields) => fields.forEach((built) => out.push(built)));
    else if (script.language === 'cmd') for (const built of runCmd(script.text, deeper)) out.push(built);
    else runCode(script.text, file.path, field, deeper, folder, (fields) => fields.forEach((built) => out.push(built)));
    settle(job.shell, shell, place, job.collector, file.path);
  }
}

/** The CDPATH a command sees: its own, else the shell's. */
function searchPath(assigns: readonly string[], shell: ShellState): string {
  const own = assigns.find((assign) => assign.startsWith('CDPATH='));
  return own?.slice('CDPATH='.length) ?? shell.variables.get('CDPATH') ?? '';
}

/** A name broken up by variables nobody set, `r${x}m`, is the name without them. */
function withoutUnknown(words: readonly string[]): readonly string[] {
  const first = words[0] ?? '';
  if (!first.includes('$') || first.length > 200) return words;
  const rest = first.replace(/\$\{[A-Za-z_]\w*\}|\$[A-Za-z_]\w*/gu, '');
  return rest === '' || rest === first ? words : [rest, ...words.slice(1)];
}

function readNested(text: string, job: Job): Built[] {
  const { shell } = job;
  if (shell.depth >= MAX_SHELL_DEPTH) {
    shell.troubles.add('too-deep');
    return [];
  }
  shell.depth++;
  // The mark of what is not known would be read as a substitution that prints nothing, and `$()/x` as `/x`.
  const known = text.includes('$()') ? text.replace(/(^|[\s"'/=])\$\(\)(?=$|[\s"'/])/gu, '$1$$UNKNOWN') : text;
  const fields = job.read(parseShell(known, shell), { ...job, folders: new Map([[0, job.here]]) });
  shell.depth--;
  return fields;
}
