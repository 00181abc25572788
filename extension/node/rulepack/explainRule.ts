/** What a rule looks for, in words. */
import type { Access, CommandCondition, Condition, PathCondition, UrlCondition } from '#core/detect/rulePack.ts';

const FIELD_WORDS: Readonly<Record<string, string>> = {
  command: 'a command line',
  path: 'a path as written',
  content: 'content to be written',
  url: 'an address as written',
  text: 'a text',
  code: 'inline or script code',
  hidden: 'the part of a text that people do not see',
  raw: 'a text exactly as it was sent',
  disguise: 'how text was disguised',
};
const ACCESS_WORDS: Readonly<Record<Access, string>> = {
  read: 'reads',
  write: 'writes',
  delete: 'deletes',
  execute: 'executes',
  use: 'uses',
};

const or = (items: readonly string[]): string => items.join(' or ');
const shown = (regex: string): string => `/${regex}/`;

/** One line an idea, indented by how deep it stands. */
export function describeCondition(condition: Condition, depth = 0): readonly string[] {
  const line = (text: string): string => '  '.repeat(depth) + text;
  switch (condition.kind) {
    case 'any':
    case 'all':
      return [
        line(condition.kind === 'any' ? 'any of:' : 'all of, in the same call:'),
        ...condition.of.flatMap((item) => describeCondition(item, depth + 1)),
      ];
    case 'regex': {
      const { fields, regex, flags, secret, least } = condition;
      const which = or(fields.map((field) => FIELD_WORDS[field] ?? field));
      const extra = [
        ...(flags.includes('i') ? ['in any case'] : []),
        ...(least === undefined ? [] : [`at least ${least} different ones`]),
        ...(secret === null
          ? []
          : [
              `group ${secret.group} is a secret of at least ${secret.entropy} bits a character${secret.checksum === null ? '' : ` that passes the check "${secret.checksum}"`}`,
            ]),
      ];
      return [line(`${which} that matches ${shown(regex)}${extra.length === 0 ? '' : ` (${extra.join('; ')})`}`)];
    }
    case 'command':
      return [line(commandWords(condition))];
    case 'path':
      return [line(`a call that ${pathWords(condition)}`)];
    case 'url':
      return [line(`an address ${urlWords(condition)}`)];
    case 'effect':
      return [
        line(
          `a call that would ${or(condition.effect)} ${condition.target === null ? 'anything' : `what matches ${shown(condition.target)}`}`,
        ),
      ];
  }
}

function commandWords(command: CommandCondition): string {
  const parts = [command.program.length === 0 ? 'any command' : `the command ${or(command.program)}`];
  if (command.subcommand.length > 0) parts.push(`with the subcommand ${or(command.subcommand)}`);
  for (const flag of command.flags) parts.push(`with the flag ${or(flag.split('|'))}`);
  if (command.operand !== null) parts.push(`with an operand that matches ${shown(command.operand)}`);
  if (command.argument !== null) parts.push(`with a word that matches ${shown(command.argument)}`);
  if (command.line !== null) parts.push(`whose words match ${shown(command.line)}`);
  if (command.stdin !== null) parts.push(`with input that matches ${shown(command.stdin)}`);
  if (command.assigns !== null) parts.push(`with an assignment that matches ${shown(command.assigns)}`);
  if (command.path !== null) parts.push(`that ${pathWords(command.path)}`);
  if (command.url !== null) parts.push(`with an address ${urlWords(command.url)}`);
  if (command.pipedFrom !== null) parts.push(`fed by ${commandWords(command.pipedFrom)}`);
  if (command.pipedTo !== null) parts.push(`that feeds ${commandWords(command.pipedTo)}`);
  if (command.not !== null) parts.push(`but not ${commandWords(command.not)}`);
  return parts.join(', ');
}

function pathWords(path: PathCondition): string {
  const how = path.access.length === 0 ? 'touches' : or(path.access.map((access) => ACCESS_WORDS[access]));
  const written = `${path.trait === undefined ? '' : `, written so that it is ${or(path.trait)}`}${path.without === undefined ? '' : `, unless it is ${or(path.without)}`}`;
  return `${how} a path that matches ${shown(path.regex)}${path.not === null ? '' : ` and not ${shown(path.not)}`}${written}`;
}

function urlWords(url: UrlCondition): string {
  const parts: string[] = [];
  if (url.scheme.length > 0) parts.push(`of the scheme ${or(url.scheme)}`);
  if (url.host.length > 0) parts.push(`on the host ${or(url.host)}`);
  if (url.hostKind.length > 0) parts.push(`whose host is ${or(url.hostKind)}`);
  for (const [name, regex] of [
    ['port', url.port],
    ['path', url.path],
    ['query', url.query],
    ['user part', url.userinfo],
  ] as const)
    if (typeof regex === 'string') parts.push(`whose ${name} matches ${shown(regex)}`);
  return parts.join(', ');
}
