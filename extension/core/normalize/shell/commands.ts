/** From parsed shell text to command fields: follows wrappers, nested scripts and constant input. */
import { placeOf, type Collector } from '#core/normalize/collector.ts';
import type { CommandField, PathField, Place, UrlField } from '#core/normalize/fields.ts';
import { MAX_SHELL_DEPTH } from '#core/normalize/limits.ts';
import { readCode } from '#core/normalize/shell/code.ts';
import { pathUses, splitArguments } from '#core/normalize/shell/operands.ts';
import { bodyOf, filtered } from '#core/normalize/shell/output.ts';
import { parseShell } from '#core/normalize/shell/parser.ts';
import { SHELLS } from '#core/normalize/shell/programs.ts';
import type { Script, Simple, Word } from '#core/normalize/shell/syntax.ts';
import { innerOf, programName } from '#core/normalize/shell/wrapped.ts';
import type { Folded } from '#core/normalize/unicode.ts';

interface Built extends CommandField {
  readonly from: CommandField[];
  readonly to: CommandField[];
  readonly paths: PathField[];
  readonly urls: UrlField[];
}

interface Job {
  readonly collector: Collector;
  /** The place of a stretch of the script being read. */
  readonly place: (start: number, end: number) => Place;
  readonly depth: number;
  /** Files earlier commands of the call downloaded, and who did. */
  readonly downloads: Map<string, CommandField>;
}

/** Reads a whole command line and adds its commands, paths and addresses. */
export function readCommandLine(collector: Collector, at: string, folded: Folded, form: 'as sent' | 'assembled'): void {
  const place = (start: number, end: number): Place => (form === 'assembled' ? { at, span: null } : placeOf(at, folded, { start, end }));
  const job: Job = { collector, depth: 0, downloads: new Map(), place };
  const script = parseShell(folded.text, collector.shell);
  const commands = readScript(script, job);
  const plain = commands.map((command) => command.words.join(' ')).join('\n');
  if (plain !== '' && plain !== folded.text) collector.derived('command', { at, span: null }, plain);
}

function readScript(script: Script, job: Job): Built[] {
  const known = new Map<Simple, Built[]>();
  const all: Built[] = [];
  for (const pipeline of script.pipelines) {
    const before: Built[] = [];
    let carried: string | null = null;
    for (const stage of pipeline) {
      const built: Built[] = [];
      let printed: string | null = null;
      for (const simple of stage) {
        const body = bodyOf(simple);
        const input: string | null = body ?? carried;
        let fields = known.get(simple);
        if (!fields) {
          fields = build(simple, input === null ? [] : [input], job, known);
          known.set(simple, fields);
          all.push(...fields);
        }
        printed = filtered(simple.words.map((word) => word.text), input, job.collector.shell);
        built.push(...fields);
      }
      for (const late of built) for (const early of before) link(early, late);
      before.push(...built);
      carried = stage.length === 1 ? printed : null;
    }
  }
  return all;
}

function link(early: Built | CommandField, late: Built): void {
  if (early === late || late.from.includes(early) || late.from.length > 64) return;
  late.from.push(early);
  (early as Built).to.push(late);
}

function build(simple: Simple, stdin: readonly string[], job: Job, known: ReadonlyMap<Simple, Built[]>): Built[] {
  const words = simple.words.map((word) => word.text);
  const place = job.place(simple.start, simple.end);
  const fields = buildWords(words, stdin, place, job, {
    assigns: simple.assigns.map((assign) => `${assign.name}=${assign.value}`),
    redirects: simple.redirects.map((redirect) => ({ op: redirect.op, target: redirect.target.text })),
  });
  const first = fields[0];
  if (!first) return fields;
  for (const redirect of simple.redirects) {
    for (const inner of redirect.target.inner) for (const early of known.get(inner) ?? []) for (const late of fields) link(early, late);
    if (redirect.body !== null || /^&?\d+$|^-$|^\/dev\/(?:null|stdout|stderr|tty|fd\/\d+|tcp\/.*|udp\/.*)$/u.test(redirect.target.text)) continue;
    first.paths.push(...job.collector.path(place, redirect.target.text, redirect.op.startsWith('<') && redirect.op !== '<>' ? 'read' : 'write'));
  }
  // What a substitution prints is run only where its text becomes a command or a script.
  for (const [index, word] of simple.words.entries()) {
    if (word.inner.length > 0 && isRun(simple.words, index, word)) {
      for (const inner of word.inner) for (const early of known.get(inner) ?? []) for (const late of fields) link(early, late);
    }
  }
  return fields;
}

function isRun(words: readonly Word[], index: number, word: Word): boolean {
  if (index === 0) return word.startsWithInner;
  const program = programName(words[0]?.text ?? '');
  if (program === 'eval' || program === 'source' || program === '.') return true;
  const names = words.slice(0, index).map((before) => programName(before.text));
  return word.startsWithInner && (names.some((name) => SHELLS.has(name)) || names.some((name) => /^(?:python|perl|ruby|node|php)[\d.]*$/u.test(name)));
}

function buildWords(words: readonly string[], stdin: readonly string[], place: Place, job: Job, extra: Pick<CommandField, 'assigns' | 'redirects'>): Built[] {
  const { collector } = job;
  if (job.depth > MAX_SHELL_DEPTH || collector.shell.commands <= 0) {
    collector.shell.troubles.add(job.depth > MAX_SHELL_DEPTH ? 'too-deep' : 'too-many');
    return [];
  }
  collector.shell.commands--;
  const program = words.length === 0 ? '' : programName(words[0] ?? '');
  const { flags, operands } = splitArguments(program, words.slice(1));
  const field: Built = { ...place, program, words, flags, operands, redirects: extra.redirects, assigns: extra.assigns, stdin, paths: [], urls: [], from: [], to: [] };
  for (const use of pathUses(program, words, operands)) {
    const found = collector.path(place, use.text, use.access);
    field.paths.push(...found);
    for (const path of found) {
      const source = job.downloads.get(path.text);
      if (source && use.access === 'execute') link(source, field);
    }
  }
  addUrls(field, place, collector);
  if (field.urls.length > 0 && (program === 'curl' || program === 'wget')) rememberDownloads(field, job);
  collector.command(field);
  const out: Built[] = [field];
  for (const inner of innerOf(words, stdin)) {
    const deeper: Job = { ...job, depth: job.depth + 1, place: () => place };
    if (inner.kind === 'words') out.push(...buildWords(inner.words, stdin, place, deeper, extra));
    else if (inner.kind === 'script') out.push(...readNested(inner.text, deeper));
    else {
      const code = readCode(inner.text);
      for (const path of code.paths) field.paths.push(...collector.path(place, path.text, path.access));
      for (const command of code.commands) out.push(...buildWords(command, [], place, deeper, { assigns: [], redirects: [] }));
      for (const script of code.scripts) out.push(...readNested(script, deeper));
    }
  }
  return out;
}

function readNested(text: string, job: Job): Built[] {
  const { shell } = job.collector;
  if (shell.depth >= MAX_SHELL_DEPTH) {
    shell.troubles.add('too-deep');
    return [];
  }
  shell.depth++;
  const fields = readScript(parseShell(text, shell), job);
  shell.depth--;
  return fields;
}

const BARE_HOST = /^(?:[\w.-]+\.[a-z]{2,24}|(?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-f:.]+\]|0x[0-9a-f]{8}|\d{8,10}|localhost)(?::\d{1,5})?(?:[/?].*)?$/iu;

function addUrls(field: Built, place: Place, collector: Collector): void {
  for (const word of field.words.slice(1)) {
    const at = word.slice(0, 8192).search(/[a-z][a-z0-9+.-]{0,30}:\/\//iu);
    const written = at >= 0 ? word.slice(at) : /^(?:curl|wget|http|https|xh|fetch|aria2c)$/u.test(field.program) && !word.startsWith('-') && BARE_HOST.test(word) ? `http://${word}` : null;
    const url = written === null ? null : collector.url(place, written);
    if (url) field.urls.push(url);
  }
}

/** Files a download leaves behind, so that running one of them later counts as running what was downloaded. */
function rememberDownloads(field: Built, job: Job): void {
  for (const path of field.paths) if (path.access === 'write') job.downloads.set(path.text, field);
  for (const redirect of field.redirects) {
    if (redirect.op.startsWith('>')) for (const path of job.collector.path({ at: field.at, span: field.span }, redirect.target, 'write')) job.downloads.set(path.text, field);
  }
  if (field.program === 'wget' || field.flags.has('O') || field.flags.has('remote-name')) {
    for (const url of field.urls) {
      const name = url.path.split('/').at(-1) ?? '';
      if (name !== '') for (const path of job.collector.path({ at: field.at, span: field.span }, name, 'write')) job.downloads.set(path.text, field);
    }
  }
}
