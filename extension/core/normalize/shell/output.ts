/** What a pipeline of harmless filters prints when its input is written in the script: `echo …`, `printf …`, `… | base64 -d`. */
import { decodeBase64Text, decodeHexText } from '#core/normalize/decode.ts';
import { ansiC } from '#core/normalize/shell/expansion.ts';
import { foundNames, HANDLES_FILES } from '#core/normalize/shell/finders.ts';
import type { Pipeline, ShellState, Simple } from '#core/normalize/shell/syntax.ts';

/** The constant text one pipeline prints; null when it depends on anything else. */
export function constantOutput(pipelines: readonly Pipeline[], state: ShellState): string | null {
  // Substitutions inside the words were parsed before the pipeline that uses them, so the last one is the whole.
  const pipeline = pipelines.at(-1);
  if (!pipeline) return '';
  let text: string | null = null;
  for (const stage of pipeline) {
    const command = stage.length === 1 ? stage[0] : undefined;
    if (!command) return null;
    text = filtered(
      command.words.map((word) => word.text),
      bodyOf(command) ?? text,
      state,
    );
    if (text === null) return null;
  }
  if (text === null) return null;
  // A regex for this would be quadratic in the number of line breaks.
  let end = text.length;
  while (text[end - 1] === '\n') end--;
  return text.slice(0, end);
}

/** Text of a here-document or here-string. */
export function bodyOf(command: Simple): string | null {
  return command.redirects.findLast((redirect) => redirect.body !== null)?.body ?? null;
}

/** What a command prints, given its constant input; null when it cannot be told. */
export function filtered(words: readonly string[], input: string | null, state: ShellState): string | null {
  const [name = '', ...args] = words;
  // Between two letters it stands for nothing and breaks a name up; elsewhere it is what cannot be told.
  if (words.some((word) => word.includes('$()') && word.replace(/(?<=\w)\$\(\)(?=\w)/gu, '').includes('$()'))) return null;
  const program = name.split('/').at(-1) ?? name;
  const has = (...flags: string[]): boolean => args.some((arg) => flags.includes(arg));
  switch (program) {
    case 'echo': {
      const text = args
        .filter((arg, index) => !(/^-[neE]+$/u.test(arg) && args.slice(0, index).every((before) => /^-[neE]+$/u.test(before))))
        .join(' ');
      return /\\[xu0-7]/u.test(text) ? ansiC(text.replace(/\\0([0-7]{1,3})/gu, '\\$1')) : text;
    }
    case 'printf': {
      const [format = '', ...values] = args[0] === '--' ? args.slice(1) : args;
      return printed(format, values);
    }
    case 'true':
    case ':':
      return '';
    case 'pwd':
      return state.variables.get('PWD') ?? null;
    case 'realpath':
    case 'readlink': {
      const files = args.filter((arg) => !arg.startsWith('-'));
      return files.length === 1 && (program === 'realpath' || has('-f', '-e', '-m')) ? (files[0] ?? null) : null;
    }
    case 'dirname':
      return args.length === 1 && /[^/]\/[^/]{1,400}$/u.test(args[0] ?? '') ? (args[0] ?? '').replace(/\/[^/]{1,400}$/u, '') : null;
    case 'printenv':
      return args.length === 1 ? (state.variables.get(args[0] ?? '') ?? null) : null;
    case 'eval':
      return args[0] === 'echo' ? args.slice(1).join(' ') : null;
    case 'type':
      return args.length === 2 && /^-[pP]$/u.test(args[0] ?? '') ? (args[1] ?? null) : null;
    case 'which':
    case 'command':
      return args.filter((arg) => !arg.startsWith('-')).length === 1 && (program === 'which' || has('-v')) ? (args.at(-1) ?? null) : null;
    case 'basename':
      return args.length === 1 ? ((args[0] ?? '').split('/').at(-1) ?? null) : null;
    case 'find':
      return args.some((arg) => HANDLES_FILES.test(arg) || arg.startsWith('-printf')) ? null : foundNames(args).join('\n');
    case 'ls': {
      const files = args.filter((arg) => !arg.startsWith('-'));
      // Of a folder it prints the names inside; a pattern, or -d, is printed as files.
      if (files.length === 1 && !has('-d') && !/[*?[]/u.test(files[0] ?? ''))
        return args.some((arg) => /^-[a-zA-Z]{0,9}l/u.test(arg)) ? null : '*';
      return files.length > 0 && files.every((arg) => /[*?[]/u.test(arg)) ? files.join('\n') : null;
    }
    case 'head':
    case 'tail':
    case 'sort':
    case 'uniq':
    case 'tac':
    case 'pv':
    case 'sponge':
      // More than is printed, or in another order: what matters stands on one line.
      return args.every((arg, index) => arg.startsWith('-') || /^-[nck]$/u.test(args[index - 1] ?? '')) ? input : null;
    case 'cut':
    case 'awk':
    case 'gawk':
    case 'sed':
      return input === null ? (program === 'sed' || program === 'cut' ? null : printsLiteral(program, args)) : picked(program, input, args);
    case 'python':
    case 'python3':
    case 'perl':
    case 'ruby':
    case 'node':
    case 'php':
      return printsLiteral(program, args);
    case 'cat':
    case 'tee':
      return args.every((arg) => arg === '-' || program === 'tee') ? input : null;
    case 'base64':
    case 'gbase64':
      return input !== null && (has('-d', '-D', '--decode', '-di', '-id') || args.some((arg) => arg.startsWith('--d')))
        ? decodeBase64Text(input)
        : null;
    case 'openssl':
      return input !== null && has('base64', 'enc') && has('-d') && has('base64', '-base64', '-a') ? decodeBase64Text(input) : null;
    case 'xxd':
      return input !== null && args.some((arg) => /^-\w*r/u.test(arg)) ? decodeHexText(input) : null;
    case 'rev':
      return input === null
        ? null
        : input
            .split('\n')
            .map((line) => [...line].reverse().join(''))
            .join('\n');
    case 'tr':
      return input === null ? null : translated(input, args);
    default:
      return null;
  }
}

/** `printf`: the format is used again until no value is left. */
function printed(format: string, values: readonly string[]): string {
  const pattern = ansiC(format);
  const specs = pattern.match(/%-?\d{0,4}[sdqbxXoicu]/gu)?.length ?? 0;
  let next = 0;
  let out = '';
  for (let round = 0; round < 64 && (round === 0 || (specs > 0 && next < values.length)); round++)
    out += pattern.replace(/%(?:%|-?0?\d{0,4}([sdqbxXoicu]))/gu, (spec, kind?: string) =>
      kind === undefined ? '%' : formatted(kind, values[next++] ?? '', spec),
    );
  return ansiC(out.includes('\\') && /\\[xu0-7]/u.test(out) ? out : out.replaceAll('\\', '\\\\'));
}

function formatted(kind: string, value: string, spec: string): string {
  const number = /^["'].$/su.test(value) ? value.charCodeAt(1) : Number(value);
  const width = Math.min(64, Number(/(\d{1,4})[a-zA-Z]$/u.exec(spec)?.[1] ?? 0));
  const base = { x: 16, X: 16, o: 8, d: 10, i: 10, u: 10 }[kind];
  if (base !== undefined) return Number.isSafeInteger(number) ? number.toString(base).padStart(width, '0') : value;
  return kind === 'b' ? ansiC(value.replace(/\\0([0-7]{1,3})/gu, '\\$1')) : kind === 'c' ? value.slice(0, 1) : value;
}

/** Code that does nothing but print one text. */
function printsLiteral(program: string, args: readonly string[]): string | null {
  const awk = program.endsWith('awk');
  const code = awk ? args.find((arg) => !arg.startsWith('-')) : args[args.findIndex((arg) => /^-[cepr]$/u.test(arg)) + 1];
  const hit =
    /^\s{0,9}(?:BEGIN\s{0,9}\{\s{0,9})?(?:print|puts|say|echo|console\.log|process\.stdout\.write)\s{0,9}\(?\s{0,9}(["'])((?:(?!\1)[^\\]){1,2000})\1\s{0,9}\)?\s{0,9};?\s{0,9}\}?\s{0,9}$/su.exec(
      code ?? '',
    );
  return hit?.[2] ?? null;
}

/** Columns of constant text, or the text after one plain replacement. */
function picked(program: string, input: string, args: readonly string[]): string | null {
  const lines = input.split('\n', 1000);
  if (program === 'sed') {
    const script = args.find((arg) => !arg.startsWith('-')) ?? '';
    const steps = script.split(/;\s{0,5}(?=s)/u, 9);
    if (steps.length > 1)
      return steps.length > 8
        ? null
        : steps.reduce<string | null>((text, step) => (text === null ? null : picked('sed', text, [step])), input);
    const line = /^s(.)\^\1((?:(?!\1)[^\\&]){1,200})\1$/su.exec(script)?.[2];
    if (line !== undefined) return lines.map((one) => line + one).join('\n');
    const hit = /^s(.)((?:(?!\1)[^\\.*[\]^$?+]){1,200})\1((?:(?!\1)[^\\&]){0,200})\1(g?)$/su.exec(script);
    if (!hit) return null;
    const [, , from = '', to = '', all] = hit;
    return lines.map((line) => (all === 'g' ? line.replaceAll(from, () => to) : line.replace(from, () => to))).join('\n');
  }
  const text = args.join(' ');
  const field = program === 'cut' ? /-f\s?(\d{1,3})(-)?(\d{1,3})?/u.exec(text) : /print\s{0,9}\$(\d{1,3})/u.exec(text);
  if (program === 'cut' && !field) {
    const range = /-[cb]\s?(\d{1,4})?(-)?(\d{1,4})?(?:\s|$)/u.exec(text);
    if (!range) return null;
    const from = Number(range[1] ?? 1);
    const to = range[2] === undefined ? from : Number(range[3] ?? 4000);
    return lines.map((line) => line.slice(from - 1, to)).join('\n');
  }
  const several =
    program === 'cut'
      ? null
      : /^\s{0,9}\{\s{0,9}print\s{1,9}(\$\d{1,3}(?:\s{0,3},\s{0,3}\$\d{1,3}){1,20})\s{0,9};?\s{0,9}\}\s{0,9}$/u.exec(args.at(-1) ?? '');
  if (several && args.length === 1)
    return lines
      .map((line) => {
        const columns = line.trim().split(/\s{1,200}/u);
        return (several[1] ?? '')
          .split(',')
          .map((one) => columns[Number(one.trim().slice(1)) - 1] ?? '')
          .join(' ');
      })
      .join('\n');
  // More than one column, or text among them, is not followed.
  if (!field || (program !== 'cut' && /print[^};]{0,200}(?:,|"|\$\d{1,3}[^};]{0,200}\$)/u.test(text))) return null;
  const mark =
    (program === 'cut' ? /-d\s?(\S| (?= |$))/u : /-F\s?(\S)/u).exec(text)?.[1] ??
    (program === 'cut' ? (args.includes('-d ') || args.includes('-d') ? ' ' : '\t') : null);
  const from = Number(field[1]);
  const to = field[2] === undefined ? from : Number(field[3] ?? 400);
  return lines
    .map((line) => {
      const columns = mark === null ? line.trim().split(/\s{1,200}/u) : line.split(mark);
      return from === 0 ? line : columns.slice(from - 1, to).join(mark ?? ' ');
    })
    .join('\n');
}

function translated(input: string, args: readonly string[]): string | null {
  const [first = '', second] = args.filter((arg) => !/^-[dscC]+$/u.test(arg));
  const from = set(first);
  if (args.includes('-d')) return [...input].filter((char) => !from.includes(char)).join('');
  if (second === undefined) return null;
  const to = set(second);
  return [...input].map((char) => (from.includes(char) ? (to[Math.min(from.indexOf(char), to.length - 1)] ?? char) : char)).join('');
}

/** A `tr` set with its ranges written out. */
function set(text: string): readonly string[] {
  const chars = [...ansiC(text).replaceAll('[:upper:]', 'A-Z').replaceAll('[:lower:]', 'a-z')];
  const out: string[] = [];
  for (let index = 0; index < chars.length && out.length < 512; index++) {
    const from = chars[index] ?? '';
    const to = chars[index + 1] === '-' ? chars[index + 2] : undefined;
    if (to === undefined) out.push(from);
    else {
      for (let code = from.charCodeAt(0); code <= to.charCodeAt(0) && out.length < 512; code++) out.push(String.fromCharCode(code));
      index += 2;
    }
  }
  return out;
}
