/** From read PowerShell to the fields of a call. */
import type { CommandField } from '#core/normalize/fields.ts';
import type { PsCommand } from '#core/normalize/powershell/psText.ts';
import { newPsState, readStatements } from '#core/normalize/powershell/reader.ts';
import { pathsOf } from '#core/normalize/powershell/roles.ts';
import { link, type Built, type Job } from '#core/normalize/shell/job.ts';

type BuildWords = (
  words: readonly string[],
  stdin: readonly string[],
  place: ReturnType<Job['place']>,
  job: Job,
  extra: Pick<CommandField, 'assigns' | 'redirects'>,
) => Built[];

const FETCHES =
  /^(?:\.(?:downloadstring|downloaddata|downloadfile|downloadstringasync|downloaddataasync|downloadfileasync|downloadstringtaskasync|openread|getstringasync|getbytearrayasync|getasync|getresponse|getresponsestream)|invoke-webrequest|invoke-restmethod|start-bitstransfer|\[net\.webrequest\]::create|\[net\.httpwebrequest\]::create)$/u;
const SENDS =
  /^(?:\.(?:uploadstring|uploaddata|uploadfile|uploadvalues|postasync|putasync|sendasync|connect|connectasync)|send-mailmessage|test-netconnection_)$/u;
const DECODES =
  /^(?:\[convert\]::frombase64string|convertto-securestring|\[runtime\.interopservices\.marshal\]::\w+|\[text\.encoding\]::\w+)$/u;
const EVALUATES = /^(?:invoke-expression|\[scriptblock\]::create|&|\.invokescript|\[reflection\.assembly\]::load|\.invoke)$/u;
const MAX_NESTED = 12;

/** `outer`: the command that hands the text to PowerShell, if one does. */
export function readPowerShell(text: string, outer: Built | null, job: Job, buildWords: BuildWords): Built[] {
  const { shell, collector } = job;
  if (job.depth > MAX_NESTED) {
    shell.troubles.add('too-deep');
    return [];
  }
  shell.units -= text.length;
  if (shell.units < 0) {
    shell.troubles.add('too-long');
    return [];
  }
  const state = newPsState();
  readStatements(text, state);
  if (state.cut) shell.troubles.add('too-long');
  const place = job.place(0, text.length);
  const built = new Map<PsCommand, Built>();
  const all: Built[] = [];
  for (const command of state.commands) {
    const name = command.name.toLowerCase();
    const words = name.startsWith('$unknown') ? ['&', ...command.words.slice(1)] : command.words;
    const fields = buildWords(words, command.input, place, job, { assigns: [], redirects: command.redirects });
    const [first] = fields;
    if (!first) continue;
    built.set(command, first);
    all.push(...fields);
    for (const path of pathsOf(command.words))
      for (const found of collector.path(place, path.text, path.access, job.here.folder)) {
        first.paths.push(found);
        if (path.access === 'write' && FETCHES.test(name)) job.downloads.set(found.text, first);
      }
    for (const redirect of command.redirects)
      if (!/^(?:\$null|nul|&\d)$/iu.test(redirect.target))
        first.paths.push(...collector.path(place, redirect.target, 'write', job.here.folder));
    noteEffects(name, first, command, place, job);
    nested(name, command, first, job, buildWords, all);
  }
  for (const [command, late] of built)
    for (const before of command.from) {
      const early = built.get(before);
      if (early) link(early, late);
    }
  for (const command of built.keys()) noteEvaluated(command, place, job);
  // What is handed to PowerShell is part of the command that does so.
  if (outer) for (const field of all.slice(0, 64)) for (const path of field.paths) if (outer.paths.length < 256) outer.paths.push(path);
  return all;
}

function noteEffects(name: string, field: Built, command: PsCommand, place: ReturnType<Job['place']>, job: Job): void {
  const sends =
    SENDS.test(name) ||
    (/^invoke-(?:webrequest|restmethod)$/u.test(name) &&
      command.words.some(
        (word, index) =>
          /^-(?:Body|InFile|Form)$/u.test(word) ||
          (/^-Method$/u.test(word) && /^(?:post|put|patch)$/iu.test(command.words[index + 1] ?? '')),
      ));
  if (!sends && !FETCHES.test(name)) return;
  const host = field.urls[0]?.host ?? (name.startsWith('.connect') ? (command.words[1] ?? '').toLowerCase() : '');
  if (host === '' && sends && name === '.connect') return;
  job.collector.effect({ ...place, effect: sends ? 'send' : 'fetch', target: host.slice(0, 300) });
}

/** Programs and texts that a command runs in turn. */
function nested(name: string, command: PsCommand, field: Built, job: Job, buildWords: BuildWords, all: Built[]): void {
  const deeper: Job = { ...job, depth: job.depth + 1 };
  if (name === 'invoke-expression') {
    const rest = command.words.slice(1).filter((word) => word !== '-Command');
    for (const text of [rest.join(' '), ...command.input])
      if (text !== '' && !/^\$UNKNOWN\s{0,4}$/u.test(text)) {
        job.collector.derived('command', field, text);
        all.push(...readPowerShell(text, field, deeper, buildWords));
      }
  }
  if (name === 'start-process') {
    const file =
      valueOf(command.words, '-FilePath') ??
      command.words.find((word, index) => index > 0 && !word.startsWith('-') && !/^-[A-Z]/u.test(command.words[index - 1] ?? ''));
    const args = command.words.slice(command.words.indexOf('-ArgumentList') + 1);
    const given = command.words.includes('-ArgumentList')
      ? args.slice(
          0,
          Math.max(
            0,
            args.findIndex((word) =>
              /^-(?:FilePath|Verb|WindowStyle|NoNewWindow|Wait|PassThru|WorkingDirectory|Credential|Redirect\w+)$/u.test(word),
            ) === -1
              ? args.length
              : args.findIndex((word) =>
                  /^-(?:FilePath|Verb|WindowStyle|NoNewWindow|Wait|PassThru|WorkingDirectory|Credential|Redirect\w+)$/u.test(word),
                ),
          ),
        )
      : [];
    if (file !== undefined)
      all.push(...buildWords([file, ...given.flatMap((one) => split(one))], [], job.place(0, 0), deeper, { assigns: [], redirects: [] }));
  }
  if (
    /^(?:\[diagnostics\.process\]::start|\.(?:run|exec|shellexecute|create))$/u.test(name) &&
    command.words[1] !== undefined &&
    !command.words[1].startsWith('$UNKNOWN')
  )
    all.push(
      ...buildWords(
        command.words.slice(1).flatMap((one) => split(one)),
        [],
        job.place(0, 0),
        deeper,
        { assigns: [], redirects: [] },
      ),
    );
  if (/^(?:invoke-wmimethod|invoke-cimmethod)$/u.test(name)) {
    const line = valueOf(command.words, '-ArgumentList') ?? command.words.find((word) => /\.exe\b|^cmd |^powershell/iu.test(word));
    if (line !== undefined) all.push(...buildWords(split(line), [], job.place(0, 0), deeper, { assigns: [], redirects: [] }));
  }
  if (name === 'new-scheduledtaskaction') {
    const file = valueOf(command.words, '-Execute');
    if (file !== undefined)
      all.push(
        ...buildWords([file, ...split(valueOf(command.words, '-Argument') ?? '')], [], job.place(0, 0), deeper, {
          assigns: [],
          redirects: [],
        }),
      );
  }
}

function valueOf(words: readonly string[], name: string): string | undefined {
  const index = words.indexOf(name);
  return index < 0 ? undefined : words[index + 1];
}

/** The words of an argument string as Windows programs take them apart. */
function split(text: string): readonly string[] {
  return [...text.slice(0, 8192).matchAll(/"([^"]{0,4000})"|'([^']{0,4000})'|(\S{1,4000})/gu)].map(
    (hit) => hit[1] ?? hit[2] ?? hit[3] ?? '',
  );
}

function noteEvaluated(command: PsCommand, place: ReturnType<Job['place']>, job: Job): void {
  const name = command.name.toLowerCase();
  if (!EVALUATES.test(name) && !name.startsWith('$unknown')) return;
  const seen = new Set<PsCommand>();
  const queue = [...command.from];
  for (let index = 0; index < queue.length && index < 128; index++) {
    const early = queue[index] as PsCommand;
    if (seen.has(early)) continue;
    seen.add(early);
    queue.push(...early.from);
    const own = early.name.toLowerCase();
    const how = FETCHES.test(own) ? 'fetched' : DECODES.test(own) ? 'decoded' : null;
    if (how !== null) job.collector.effect({ ...place, effect: 'evaluate', target: how });
  }
}
