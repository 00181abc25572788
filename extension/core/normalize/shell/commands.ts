/** From parsed shell text to command fields: pipelines, input and redirections. */
import type { PathTrait } from '#core/detect/rulePack.ts';
import { placeOf, type Collector } from '#core/normalize/collector.ts';
import { pathForms } from '#core/normalize/path.ts';
import { languageOf } from '#core/normalize/code/languages.ts';
import { readPowerShell } from '#core/normalize/powershell/commands.ts';
import { hereOf } from '#core/normalize/shell/folders.ts';
import { link, newJob, type Built, type Job } from '#core/normalize/shell/job.ts';
import { bodyOf, filtered } from '#core/normalize/shell/output.ts';
import { parseShell } from '#core/normalize/shell/parser.ts';
import { programName } from '#core/normalize/shell/programNames.ts';
import { SHELLS } from '#core/normalize/shell/programs.ts';
import { FETCHERS, remember, SENDERS } from '#core/normalize/shell/received.ts';
import { buildWords, runCmd } from '#core/normalize/shell/runs.ts';
import { noteCut, scriptShell } from '#core/normalize/shell/scriptShell.ts';
import { readScriptFile } from '#core/normalize/shell/scriptFiles.ts';
import { allowFor, type ParsedRedirect, type Script, type Simple, type Word } from '#core/normalize/shell/syntax.ts';
import { addsSetupLines, STARTUP_FILE } from '#core/normalize/shell/setupLines.ts';
import { isVariableLogin, LOGIN_FILE } from '#core/normalize/shell/variableLogin.ts';
import { runsStdin } from '#core/normalize/shell/wrapped.ts';
import { unreadTexts } from '#core/normalize/shell/unread.ts';
import type { Folded } from '#core/normalize/unicode.ts';

/** Reads a whole command line and adds its commands, paths, addresses and effects. `dialect`: when the tool says that it is no Bash. */
export function readCommandLine(
  collector: Collector,
  at: string,
  folded: Folded,
  form: 'as sent' | 'assembled',
  dialect?: 'powershell' | 'cmd',
): void {
  const job = newJob(
    collector,
    (start, end) => (form === 'assembled' ? { at, span: null } : placeOf(at, folded, { start, end })),
    readScript,
  );
  const whole: Job = { ...job, place: () => job.place(0, folded.text.length) };
  allowFor(collector.shell, folded.text);
  if (dialect !== undefined) {
    if (dialect === 'powershell') readPowerShell(folded.text, null, whole, buildWords);
    else runCmd(folded.text, whole);
    return;
  }
  const { troubles } = collector.shell;
  const before = troubles.has('unterminated');
  const commands = readScript(parseShell(folded.text, collector.shell), job);
  const isPowerShell = POWERSHELL.test(folded.text);
  // Backticks and brackets that never end are ordinary there; its own reader says whether it gets through.
  if (isPowerShell && !before) troubles.delete('unterminated');
  const unread = unreadTexts(commands, job.printed);
  for (const text of unread.texts) {
    // It may be no shell text at all: what is wrong with it is no trouble of the call.
    const shell = scriptShell(collector.shell, false);
    readScript(parseShell(text, shell), { ...whole, shell, depth: 1, folders: new Map([[0, job.here]]) });
    collector.shell.units = shell.units;
    collector.shell.output = shell.output;
    collector.shell.spare = shell.spare;
  }
  if (unread.cut) noteCut(collector, whole.place(0, 0), 'text of the call', 'more than is read as what may run', 'low');
  const plain = commands.map((command) => command.words.join(' ')).join('\n');
  if (plain !== '' && plain !== folded.text) collector.derived('command', { at, span: null }, plain);
  // A client on Windows may hand its lines to another shell than it says.
  if (/^\s{0,20}(?:powershell|pwsh|cmd)(?:\.exe)?\s/iu.test(folded.text)) return;
  if (isPowerShell) readPowerShell(folded.text, null, whole, buildWords);
  else if (CMD.test(folded.text)) runCmd(folded.text, whole);
}

/** What only PowerShell has: cmdlets at the start of a command, static members, its environment variables. */
const POWERSHELL =
  /(?:^|[;|{(&\n]\s{0,9})(?:(?:Get|Set|New|Remove|Invoke|Start|Stop|Add|Clear|Copy|Move|Out|Import|Export|Disable|Enable|Register|Unregister|Write|Test|Select|Where|ForEach|ConvertTo|ConvertFrom|Install|Uninstall|Restart|Suspend|Update|Expand|Compress|Read|Enter|Send)-[A-Z]\w{1,40}|iex|iwr|irm)(?=[\s(;|]|$)|\$env:[A-Za-z]|\[(?:System\.)?(?:Convert|Net\.\w{1,40}|Text\.Encoding|IO\.\w{1,40}|Reflection\.\w{1,40}|Ref|Environment|ScriptBlock|Diagnostics\.Process)\]::?|New-Object\s|(?:^|\n)[ \t]{0,40}\$[a-z_]\w{0,40} = |(?:^|[\n;|])[ \t]{0,40}(?:mkdir|md|rm|cp|mv|ls|cat) -(?:Force|Recurse|Path|Filter|LiteralPath|Destination)\b|^\s{0,9}&\s{0,3}[({"']/iu;
/** What only cmd.exe has: its switches after its own commands, percent signs and carets in names. */
const CMD =
  /(?:^|[&|(\n]\s{0,9})(?:@?(?:del|erase|rd|rmdir|copy|xcopy|move|attrib|start|type|reg|net|sc|schtasks|wmic|vssadmin|bcdedit|certutil|bitsadmin|icacls|takeown|wevtutil|format|taskkill|netsh)(?:\.exe)?\s{1,9}(?:\/[a-z?]\b|[^\n]{0,200}%[a-z]{2,40}%)|for\s{1,9}\/[fdlr]\s|%comspec%|%[a-z]{3,20}%[\\/]|[a-z]{1,12}\^[a-z^]{1,20})/iu;

/** Reads code a tool runs as if its interpreter had been called with it. */
export function readCodeArgument(collector: Collector, at: string, text: string, language: string): void {
  const place = { at, span: { start: 0, end: text.length } };
  allowFor(collector.shell, text);
  const job: Job = { ...newJob(collector, () => place, readScript), place: () => place };
  if (/^(?:bash|shell|sh)$/u.test(language)) {
    readScript(parseShell(text, collector.shell), job);
    return;
  }
  if (language === 'powershell') {
    readPowerShell(text, null, job, buildWords);
    return;
  }
  const program = language === 'code' ? (languageOf('', text) === 'js' ? 'node' : 'python') : language === 'r' ? 'rscript' : language;
  // In a notebook, a line may be handed to a shell.
  for (const line of text.slice(0, 65_536).matchAll(/^[ \t]{0,20}(?:!|%%?(?:bash|sh|system|sx)\s)([^\n]{1,4000})/gmu))
    readScript(parseShell(line[1] ?? '', collector.shell), job);
  const flag = program === 'php' ? '-r' : program === 'python' ? '-c' : program === 'deno' ? 'eval' : '-e';
  buildWords([program, flag, text], [], place, job, { assigns: [], redirects: [] });
}

function readScript(script: Script, job: Job): Built[] {
  const known = new Map<Simple, Built[]>();
  const all: Built[] = [];
  for (const pipeline of script.pipelines) {
    const before: Built[] = [];
    let carried: string | null = null;
    for (const stage of pipeline) {
      const built: Built[] = [];
      const prints: string[] = [];
      for (const simple of stage) {
        const own: Job = { ...job, here: hereOf(simple.scope, job.folders, job.shell) };
        const input: string | null = bodyOf(simple) ?? fileInput(simple, own) ?? carried;
        let fields = known.get(simple);
        if (!fields) {
          fields = build(simple, input === null ? [] : [input], own, known);
          known.set(simple, fields);
          for (const field of fields) all.push(field);
        }
        const words = simple.words.map((word) => word.text);
        const printed = input === null && job.written.size > 0 ? fromFile(words, own) : filtered(words, input, job.shell);
        if (printed !== null) {
          remember(fields[0], printed, job.written);
          if (job.printed.length < 256 && !keepsWords(fields[0])) job.printed.push(printed);
          prints.push(printed);
        }
        for (const field of fields) built.push(field);
      }
      for (const late of built) for (const early of before) link(early, late);
      if (before.length > 0) for (const late of built) notePiped(late, before, job);
      for (const field of built) {
        before.push(field);
        if (field.program === 'tee') keepDownloads(field, before, job);
        // What reads a file that was downloaded hands the download on.
        if (job.downloads.size > 0 && pipeline.length > 1)
          for (const path of field.paths.slice(0, 32)) {
            const source = path.access === 'read' ? job.downloads.get(path.text) : undefined;
            if (source !== undefined && !before.includes(source as Built)) before.push(source as Built);
          }
      }
      // Of a group, what is known of its output: the rest cannot be told.
      carried = prints.length > 0 ? prints.join('\n') : null;
    }
  }
  return all;
}

/** What a filter prints of a file the call wrote before: `base64 -d a`. */
function fromFile(words: readonly string[], job: Job): string | null {
  const last = words.at(-1) ?? '';
  if (words.length > 1 && FILTERS.test(programName(words[0] ?? '')) && !last.startsWith('-'))
    for (const form of pathForms(last, { ...job.collector.paths, cwd: job.here.folder })) {
      const text = job.written.get(form);
      if (text !== undefined) return filtered(words.slice(0, -1), text, job.shell);
    }
  return filtered(words, null, job.shell);
}

const FILTERS = /^(?:cat|tac|rev|g?base64|xxd|head|tail|sort|sed|cut|openssl|tr)$/u;

/** Documents are written to be read by people. */
const keepsWords = (field: Built | undefined): boolean =>
  field?.redirects.some((redirect) => /\.(?:mdx?|rst|adoc|txt|html?|csv|svg)$/iu.test(redirect.target)) === true;

/** `curl … | tee file`: the file is a download. */
function keepDownloads(tee: Built, before: readonly Built[], job: Job): void {
  const source = before.find((early) => FETCHERS.has(early.program));
  if (source === undefined) return;
  for (const path of tee.paths) if (path.access === 'write' && job.downloads.size < 256) job.downloads.set(path.text, source);
}

/** What arrives through a pipe is run, or sent away. */
function notePiped(late: Built, before: readonly Built[], job: Job): void {
  const place = { at: late.at, span: late.span };
  if (before.some((early) => FETCHERS.has(early.program)) && runsStdin(late.words))
    job.collector.effect({ ...place, effect: 'run', target: '' });
  if (late.program === 'ssh') {
    const host = late.operands[0]?.replace(/^.{0,100}@/u, '').toLowerCase();
    if (host !== undefined) job.collector.effect({ ...place, effect: 'send', target: host });
  }
}

/** The redirections of a command, those of descriptors `exec` opened before put in their place. */
function redirectsOf(simple: Simple, job: Job): readonly ParsedRedirect[] {
  if (job.descriptors.size === 0) return simple.redirects;
  return simple.redirects.map((redirect) => {
    const number = /^(?:[<>]&|<|>)$/u.test(redirect.op)
      ? /^(?:\/dev\/fd\/)?(\d{1,3}|[A-Za-z_]\w{0,40})-?$/u.exec(redirect.target.text)?.[1]
      : undefined;
    const opened = number === undefined ? undefined : job.descriptors.get(number);
    return opened === undefined
      ? redirect
      : { ...opened, op: redirect.op.startsWith('>') && opened.op !== '<>' ? '>' : opened.op, fd: redirect.fd };
  });
}

/** Constant text that comes from a process substitution or from a file: `sh < <(echo …)`, `sh < t.sh`, `sh /dev/fd/3`. */
function fileInput(simple: Simple, job: Job): string | null {
  // The same for every redirection, of which there may be thousands.
  let runs: boolean | null = null;
  for (const redirect of redirectsOf(simple, job)) {
    if (redirect.body !== null) return redirect.body;
    if (redirect.op !== '<') continue;
    if (redirect.target.prints !== null) return redirect.target.prints;
    for (const form of job.written.size === 0 ? [] : pathForms(redirect.target.text, { ...job.collector.paths, cwd: job.here.folder })) {
      const text = job.written.get(form);
      if (text !== undefined) return text;
    }
    runs ??= simple.words.length > 0 && runsStdin(simple.words.map((word) => word.text));
    if (runs) {
      const script = readScriptFile(redirect.target.text, job.place(simple.start, simple.end), job);
      if (script !== null) return script.text;
    }
  }
  for (const word of simple.words) {
    const opened =
      job.descriptors.size === 0 ? undefined : job.descriptors.get(/^\/(?:dev|proc\/self)\/fd\/(\d{1,3})$/u.exec(word.text)?.[1] ?? '');
    const text = opened?.body ?? opened?.target.prints;
    if (text !== undefined && text !== null) return text;
  }
  return null;
}

function build(simple: Simple, stdin: readonly string[], job: Job, known: ReadonlyMap<Simple, Built[]>): Built[] {
  const words = simple.words.map((word) => word.text);
  const place = job.place(simple.start, simple.end);
  const printed = simple.words.flatMap((word, index) => (word.prints !== null && isRun(simple.words, index, word) ? [word.prints] : []));
  const redirects = redirectsOf(simple, job);
  if (words.length === 1 && words[0] === 'exec')
    for (const redirect of simple.redirects)
      if (redirect.fd !== '' && job.descriptors.size < 32) job.descriptors.set(redirect.fd, redirect);
  const fields = buildWords(words, [...stdin, ...printed], place, job, {
    assigns: simple.assigns.map((assign) => `${assign.name}=${assign.value}`),
    redirects: redirects.map((redirect) => ({ op: redirect.op, target: redirect.target.text })),
  });
  const first = fields[0];
  if (!first) return fields;
  const linkInner = (word: Word): void => {
    for (const inner of word.inner) for (const early of known.get(inner) ?? []) for (const late of fields) link(early, late);
  };
  for (const redirect of redirects) {
    linkInner(redirect.target);
    if (redirect.body !== null || /^&?\d+-?$|^-$|^\/dev\/(?:null|stdout|stderr|tty|fd\/\d+)$/u.test(redirect.target.text)) continue;
    if (redirect.target.text.includes('$()')) continue;
    const access = redirect.op.startsWith('<') && redirect.op !== '<>' ? 'read' : 'write';
    const found = job.collector.path(place, redirect.target.text, access, job.here.folder, howWritten(redirect, words, stdin, job));
    for (const path of found) {
      first.paths.push(path);
      const source = access === 'read' ? job.downloads.get(path.text) : undefined;
      if (source !== undefined && runsStdin(words)) {
        link(source, first);
        job.collector.effect({ ...place, effect: 'run', target: path.text });
      }
    }
    if (access === 'write' && FETCHERS.has(first.program)) for (const path of found) job.downloads.set(path.text, first);
  }
  // What a substitution prints counts only where its text becomes a command or a script, or is sent away.
  for (const [index, word] of simple.words.entries()) {
    if (word.inner.length > 0 && isRun(simple.words, index, word)) linkInner(word);
    const opened =
      job.descriptors.size === 0 ? undefined : job.descriptors.get(/^\/(?:dev|proc\/self)\/fd\/(\d{1,3})$/u.exec(word.text)?.[1] ?? '');
    if (opened) linkInner(opened.target);
  }
  return fields;
}

function howWritten(redirect: ParsedRedirect, words: readonly string[], stdin: readonly string[], job: Job): PathTrait | undefined {
  const file = redirect.target.text;
  const text = (): string => filtered(words, stdin[0] ?? null, job.shell) ?? '';
  if (redirect.op === '>>' && STARTUP_FILE.test(file) && addsSetupLines(text())) return 'setup-line';
  if (!redirect.op.startsWith('>') || !LOGIN_FILE.test(file)) return undefined;
  return isVariableLogin(words[0] === 'base64' ? (stdin[0] ?? '') : text()) ? 'variable-login' : undefined;
}

/** Programs that act on what their words name: which processes to end. */
const ENDERS: ReadonlySet<string> = new Set(['kill', 'pkill', 'taskkill']);

function isRun(words: readonly Word[], index: number, word: Word): boolean {
  if (index === 0) return word.startsWithInner;
  const program = programName(words[0]?.text ?? '');
  if (program === 'eval' || program === 'source' || program === '.' || SENDERS.has(program) || ENDERS.has(program)) return true;
  const names = words.slice(0, index).map((before) => programName(before.text));
  return (
    word.startsWithInner &&
    (names.some((name) => SHELLS.has(name)) || names.some((name) => /^(?:python|perl|ruby|node|php)[\d.]*$/u.test(name)))
  );
}
