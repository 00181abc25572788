/** Splits a command's words into flags and operands. */
import { VALUED } from '#core/normalize/shell/programs.ts';

export interface Arguments {
  readonly flags: ReadonlySet<string>;
  readonly operands: readonly string[];
}

export function splitArguments(program: string, args: readonly string[]): Arguments {
  const flags = new Set<string>();
  const operands: string[] = [];
  const valued = VALUED.get(program) ?? [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg === '--') {
      // Not spread: a call has fewer arguments than a command may have words.
      for (const rest of args.slice(index + 1)) operands.push(rest);
      break;
    }
    const long = /^--([^=]+)/u.exec(arg)?.[1];
    if (long !== undefined) flags.add(long);
    else if (/^-[^-\s]/u.test(arg)) {
      const name = arg.slice(1).split('=', 1)[0] ?? '';
      flags.add(name);
      if (name.length <= 12) for (const letter of name) flags.add(letter);
    } else operands.push(arg);
    if (valued.includes(arg)) index++;
  }
  return { flags, operands };
}
