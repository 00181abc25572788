/** Programs under names that are not theirs: a copy or a link made earlier in the call, a pattern the shell matches. */
import type { CommandField } from '#core/normalize/fields.ts';
import { globMatches } from '#core/normalize/globs.ts';

const SYSTEM = /^(?:\/(?:usr\/(?:local\/)?)?s?bin\/)?([\w.+-]{1,40})$/u;
const MAX_RENAMED = 64;
/** What a pattern is tried on: programs that destroy, run or send. */
const WORTH_TRYING: readonly string[] =
  'rm dd sh bash dash zsh python3 perl node curl wget nc ncat cat cp mv chmod chown tee find base64 sudo shred env xargs crontab kill'.split(
    ' ',
  );

/** The programs `command` may be beside its name. Remembers in `renamed` what it copies or links. */
export function otherNames(command: CommandField, renamed: Map<string, string>): readonly string[] {
  const { program, words, operands } = command;
  if (/^(?:cp|ln|install|mv)$/u.test(program) && operands.length === 2 && renamed.size < MAX_RENAMED) {
    const [source = '', target = ''] = operands;
    const name = /\//u.test(source) || WORTH_TRYING.includes(source) ? SYSTEM.exec(source)?.[1] : undefined;
    const base = target.split('/').at(-1) ?? '';
    if (name !== undefined && base !== '' && base !== name) renamed.set(base, name);
    else if (name !== undefined && base === '') renamed.delete(name);
    return [];
  }
  const first = words[0] ?? '';
  const known = renamed.size === 0 ? undefined : renamed.get(first.split('/').at(-1) ?? '');
  if (known !== undefined && known !== program) return [known];
  if (!/[?*[]/u.test(first) || first.length > 80 || !/^[/\w.?*[\]-]{2,80}$/u.test(first)) return [];
  return WORTH_TRYING.filter((name) => ['/bin/', '/usr/bin/'].some((folder) => globMatches(first, folder + name))).slice(0, 4);
}
