/** From parsed shell text to command fields: follows wrappers, nested scripts and constant input. */
import { placeOf, type Collector } from '#core/normalize/collector.ts';
import type { CommandField, PathField, Place, UrlField } from '#core/normalize/fields.ts';
import { MAX_SHELL_DEPTH } from '#core/normalize/limits.ts';
import { pathForms } from '#core/normalize/path.ts';
import { readCode } from '#core/normalize/shell/code.ts';
import { carriedBy } from '#core/normalize/shell/carriers.ts';
import { follow, hereOf, ownFolder, type Folders, type Here } from '#core/normalize/shell/folders.ts';
import { guardedWords, pathUses, splitArguments } from '#core/normalize/shell/operands.ts';
import { bodyOf, filtered } from '#core/normalize/shell/output.ts';
import { patchedBy } from '#core/normalize/shell/patched.ts';
import { parseShell } from '#core/normalize/shell/parser.ts';
import { SHELLS } from '#core/normalize/shell/programs.ts';
import type { Script, Simple, Word } from '#core/normalize/shell/syntax.ts';
import { programName } from '#core/normalize/shell/programNames.ts';
import { innerOf } from '#core/normalize/shell/wrapped.ts';
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
  /** Constant text earlier commands of the call wrote to files: running one of those is running that text. */
  readonly written: Map<string, string>;
  readonly folders: Folders;
  /** Where the command being read runs. */
  readonly here: Here;
}

/** Reads a whole command line and adds its commands, paths and addresses. */
export function readCommandLine(collector: Collector, at: string, folded: Folded, form: 'as sent' | 'assembled'): void {
  const place = (start: number, end: number): Place => (form === 'assembled' ? { at, span: null } : placeOf(at, folded, { start, end }));
  const here: Here = { folder: collector.paths.cwd, back: [] };
  const job: Job = { collector, depth: 0, downloads: new Map(), written: new Map(), place, folders: new Map([[0, here]]), here };
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
        const input: string | null = body ?? fileInput(simple, job) ?? carried;
        let fields = known.get(simple);
        if (!fields) {
          fields = build(
            simple,
            input === null ? [] : [input],
            { ...job, here: hereOf(simple.scope, job.folders, job.collector.shell) },
            known,
          );
          known.set(simple, fields);
          all.push(...fields);
        }
        printed = filtered(
          simple.words.map((word) => word.text),
          input,
          job.collector.shell,
        );
        if (printed !== null) remember(fields[0], printed, job.written);
        built.push(...fields);
      }
      for (const late of built) for (const early of before) link(early, late);
      before.push(...built);
      carried = stage.length === 1 ? printed : null;
    }
  }
  return all;
}

/** Constant text that comes from a process substitution or from a file written before: `sh < <(echo …)`, `sh < t.sh`. */
function fileInput(simple: Simple, job: Job): string | null {
  for (const redirect of simple.redirects) {
    if (redirect.op !== '<') continue;
    if (redirect.target.prints !== null) return redirect.target.prints;
    if (job.written.size === 0) continue;
    const { folder } = hereOf(simple.scope, job.folders, job.collector.shell);
    for (const form of pathForms(redirect.target.text, { ...job.collector.paths, cwd: folder })) {
      const text = job.written.get(form);
      if (text !== undefined) return text;
    }
  }
  return null;
}

function link(early: Built | CommandField, late: Built): void {
  if (early === late || late.from.includes(early) || late.from.length > 64) return;
  late.from.push(early);
  (early as Built).to.push(late);
}

function build(simple: Simple, stdin: readonly string[], job: Job, known: ReadonlyMap<Simple, Built[]>): Built[] {
  const words = simple.words.map((word) => word.text);
  const place = job.place(simple.start, simple.end);
  const printed = simple.words.flatMap((word, index) => (word.prints !== null && isRun(simple.words, index, word) ? [word.prints] : []));
  const fields = buildWords(words, [...stdin, ...printed], place, job, {
    assigns: simple.assigns.map((assign) => `${assign.name}=${assign.value}`),
    redirects: simple.redirects.map((redirect) => ({ op: redirect.op, target: redirect.target.text })),
  });
  const first = fields[0];
  if (!first) return fields;
  for (const redirect of simple.redirects) {
    for (const inner of redirect.target.inner) for (const early of known.get(inner) ?? []) for (const late of fields) link(early, late);
    if (redirect.body !== null || /^&?\d+-?$|^-$|^\/dev\/(?:null|stdout|stderr|tty|fd\/\d+)$/u.test(redirect.target.text)) continue;
    first.paths.push(
      ...job.collector.path(
        place,
        redirect.target.text,
        redirect.op.startsWith('<') && redirect.op !== '<>' ? 'read' : 'write',
        job.here.folder,
      ),
    );
  }
  // What a substitution prints counts only where its text becomes a command or a script, or is sent away.
  for (const [index, word] of simple.words.entries()) {
    if (word.inner.length > 0 && isRun(simple.words, index, word)) {
      for (const inner of word.inner) for (const early of known.get(inner) ?? []) for (const late of fields) link(early, late);
    }
  }
  return fields;
}

/** Programs whose words leave this machine: what a substitution puts into them is sent. */
const SENDERS: ReadonlySet<string> = new Set([
  'curl',
  'wget',
  'http',
  'https',
  'xh',
  'nc',
  'ncat',
  'netcat',
  'telnet',
  'dig',
  'nslookup',
  'host',
  'ping',
  'drill',
  'resolvectl',
]);
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

function buildWords(
  given: readonly string[],
  stdin: readonly string[],
  place: Place,
  job: Job,
  extra: Pick<CommandField, 'assigns' | 'redirects'>,
): Built[] {
  const { collector } = job;
  const words = withoutUnknown(given);
  const { shell } = collector;
  // Every wrapper makes a command of most of its words again.
  for (const word of words) shell.output -= word.length + 1;
  if (job.depth > MAX_SHELL_DEPTH || shell.commands <= 0 || shell.output < 0) {
    shell.troubles.add(job.depth > MAX_SHELL_DEPTH ? 'too-deep' : shell.commands <= 0 ? 'too-many' : 'too-long');
    return [];
  }
  shell.commands--;
  const program = words.length === 0 ? '' : programName(words[0] ?? '');
  const { flags, operands } = splitArguments(program, words.slice(1));
  const field: Built = {
    ...place,
    program,
    words,
    flags,
    operands,
    redirects: extra.redirects,
    assigns: extra.assigns,
    stdin,
    paths: [],
    urls: [],
    from: [],
    to: [],
  };
  const scripts = new Set<string>();
  const out: Built[] = [field];
  const folder = ownFolder(program, words, job.here.folder, collector.paths.home);
  for (const [index, use] of pathUses(program, words, operands).entries()) {
    const found = collector.path(place, use.text, use.access, folder);
    field.paths.push(...found);
    for (const path of found) {
      const source = job.downloads.get(path.text);
      if (source && use.access === 'execute') {
        link(source, field);
        // To run a downloaded file is to read it into a shell.
        if (index === 0 && program !== '.') out.push(ran(field, source));
      }
      const text = use.access === 'execute' || (use.access === 'read' && program === 'source') ? job.written.get(path.text) : undefined;
      if (text !== undefined && text !== '') scripts.add(text);
    }
  }
  for (const text of guardedWords(program, words, operands, folder))
    for (const path of collector.path(place, text, 'use', folder)) field.paths.push(path);
  for (const file of patchedBy(program, words, stdin)) field.paths.push(...collector.path(place, file.path, file.access, folder));
  addUrls(field, place, collector);
  if (field.urls.length > 0 && (program === 'curl' || program === 'wget')) rememberDownloads(field, job);
  for (const command of out) collector.command(command);
  follow(program, operands, job.here, collector.paths.home, searchPath(extra.assigns, shell));
  const runsOf = [
    ...innerOf(words, stdin),
    ...carriedBy(program, words.slice(1), extra.assigns),
    ...[...scripts].map((text) => ({ kind: 'script', text }) as const),
  ];
  for (const inner of runsOf) {
    // `eval` changes the folder of this shell; what other programs start has its own.
    const here: Here = program === 'eval' ? job.here : { folder, back: [] };
    const deeper: Job = { ...job, depth: job.depth + 1, place: () => place, here, folders: new Map() };
    const add = (fields: readonly Built[]): void => {
      for (const built of fields) out.push(built);
    };
    if (inner.kind === 'words') add(buildWords(inner.words, stdin, place, deeper, extra));
    else if (inner.kind === 'script') add(readNested(inner.text, deeper));
    else {
      const code = readCode(inner.text);
      if (code.cut) shell.troubles.add('too-long');
      for (const path of code.paths) field.paths.push(...collector.path(place, path.text, path.access, folder));
      for (const command of code.commands) add(buildWords(command, [], place, deeper, { assigns: [], redirects: [] }));
      for (const script of code.scripts) add(readNested(script, deeper));
    }
  }
  return out;
}

function ran(field: Built, source: CommandField): Built {
  return { ...field, program: '.', words: ['.', ...field.words], from: [source], to: [] };
}

/** The CDPATH a command sees: its own, else the shell's. */
function searchPath(assigns: readonly string[], shell: Collector['shell']): string {
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
  const { shell } = job.collector;
  if (shell.depth >= MAX_SHELL_DEPTH) {
    shell.troubles.add('too-deep');
    return [];
  }
  shell.depth++;
  const fields = readScript(parseShell(text, shell), { ...job, folders: new Map([[0, job.here]]) });
  shell.depth--;
  return fields;
}

/** Files a command fills with text that is known. */
function remember(field: Built | undefined, printed: string, written: Map<string, string>): void {
  const appends = field?.redirects.some((redirect) => redirect.op === '>>') === true;
  for (const path of field?.paths ?? []) {
    if (path.access === 'write') written.set(path.text, appends ? `${written.get(path.text) ?? ''}\n${printed}` : printed);
  }
}

const BARE_HOST =
  /^(?:[\w.-]+\.[a-z]{2,24}|(?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-f:.]+\]|0x[0-9a-f]{8}|\d{8,10}|localhost)(?::\d{1,5})?(?:[/?].*)?$/iu;

function addUrls(field: Built, place: Place, collector: Collector): void {
  for (const word of field.words.slice(1)) {
    const at = word.slice(0, 8192).search(/[a-z][a-z0-9+.-]{0,30}:\/\//iu);
    const written =
      at >= 0
        ? word.slice(at)
        : /^(?:curl|wget|http|https|xh|fetch|aria2c)$/u.test(field.program) && !word.startsWith('-') && BARE_HOST.test(word)
          ? `http://${word}`
          : null;
    const url = written === null ? null : collector.url(place, written);
    if (url) field.urls.push(url);
  }
}

/** Files a download leaves behind, so that running one of them later counts as running what was downloaded. */
function rememberDownloads(field: Built, job: Job): void {
  for (const path of field.paths) if (path.access === 'write') job.downloads.set(path.text, field);
  for (const redirect of field.redirects) {
    if (redirect.op.startsWith('>'))
      for (const path of job.collector.path({ at: field.at, span: field.span }, redirect.target, 'write', job.here.folder))
        job.downloads.set(path.text, field);
  }
  if (field.program === 'wget' || field.flags.has('O') || field.flags.has('remote-name')) {
    for (const url of field.urls) {
      const name = url.path.split('/').at(-1) ?? '';
      if (name !== '')
        for (const path of job.collector.path({ at: field.at, span: field.span }, name, 'write', job.here.folder))
          job.downloads.set(path.text, field);
    }
  }
}
