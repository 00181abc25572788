/** What a pipeline of harmless filters prints when its input is written in the script: `echo …`, `printf …`, `… | base64 -d`. */
import { decodeBase64Text, decodeHexText } from '#core/normalize/decode.ts';
import { ansiC } from '#core/normalize/shell/expansion.ts';
import { foundNames, HANDLES_FILES } from '#core/normalize/shell/wrapped.ts';
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
  if (words.some((word) => word.includes('$()'))) return null;
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
      let next = 0;
      return ansiC(format).replace(/%(?:%|-?\d*[sdqb])/gu, (spec) => (spec === '%%' ? '%' : (values[next++] ?? '')));
    }
    case 'true':
    case ':':
      return '';
    case 'pwd':
      return state.variables.get('PWD') ?? null;
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
      return files.length > 0 && files.every((arg) => /[*?[]/u.test(arg)) ? files.join('\n') : null;
    }
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
