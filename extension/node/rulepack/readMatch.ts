import { isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import {
  ACCESSES,
  CHECKSUMS,
  EFFECT_KINDS,
  FIELD_NAMES,
  HOST_KINDS,
  PATH_TRAITS,
  type Access,
  type Checksum,
  type EffectCondition,
  type EffectKind,
  type CommandCondition,
  type Condition,
  type FieldName,
  type HostKind,
  type PathCondition,
  type PathTrait,
  type RegexCondition,
  type UrlCondition,
} from '#core/detect/rulePack.ts';
import { regexProblem } from '#node/rulepack/regexCheck.ts';
import { COMMAND_KEYS, CONDITION_KEYS, EFFECT_KEYS, MATCH_KEYS, PATH_KEYS, SECRET_KEYS, URL_KEYS } from '#node/rulepack/ruleShape.ts';
import { checkKeys, listOf, textsOf, type Reader } from '#node/rulepack/yamlReader.ts';

/** More matches than this are not gathered. */
const MOST_LEAST = 200;

export interface ReadMatch {
  readonly keywords: readonly string[];
  readonly condition: Condition;
}

/** The `match` of a rule; null when it cannot be used (the problems are reported). */
export function readMatch(reader: Reader, node: unknown): ReadMatch | null {
  if (!isMap(node)) {
    reader.report(node, '`match` must be a mapping');
    return null;
  }
  checkKeys(reader, node, MATCH_KEYS);
  const keywords = textsOf(reader, node, 'keywords').map((word) => word.toLowerCase());
  for (const word of keywords)
    if (word.length < 2 || word.length > 48) reader.report(node, `the keyword ${JSON.stringify(word)} must have 2 to 48 characters`);
  const condition = readCondition(reader, node, [], MATCH_KEYS);
  return condition && { keywords, condition };
}

function readCondition(reader: Reader, node: unknown, inherited: readonly FieldName[], keys: readonly string[]): Condition | null {
  if (!isMap(node)) {
    reader.report(node, 'a condition is a mapping');
    return null;
  }
  checkKeys(reader, node, keys);
  const own = listOf(reader, node, 'field', FIELD_NAMES) as FieldName[];
  const fields = own.length > 0 ? own : inherited;
  const forms = ['regex', 'command', 'path', 'url', 'effect', 'any', 'all'].filter((key) => node.has(key));
  if (forms.length !== 1) {
    reader.report(
      node,
      `a condition has exactly one of regex, command, path, url, effect, any, all${forms.length > 1 ? `; this has ${forms.join(' and ')}` : ''}`,
    );
    return null;
  }
  const form = forms[0];
  const body = node.get(form as string, true);
  switch (form) {
    case 'regex':
      return readRegex(reader, node, fields);
    case 'command':
      return readCommand(reader, body);
    case 'path':
      return readPath(reader, body);
    case 'url':
      return readUrl(reader, body);
    case 'effect':
      return readEffect(reader, body);
    case 'any':
    case 'all': {
      if (!isSeq(body) || body.items.length === 0) {
        reader.report(body ?? node, `\`${form}\` must be a list of conditions`);
        return null;
      }
      const of = body.items.map((item) => readCondition(reader, item, fields, CONDITION_KEYS)).filter((item) => item !== null);
      return of.length === body.items.length ? { kind: form, of } : null;
    }
    default:
      return null;
  }
}

function readRegex(reader: Reader, node: YAMLMap, fields: readonly FieldName[]): RegexCondition | null {
  if (fields.length === 0) {
    reader.report(node, '`regex` needs a `field`');
    return null;
  }
  const flags = node.get('flags') ?? '';
  if (typeof flags !== 'string' || !/^[ims]*$/u.test(flags)) {
    reader.report(node, '`flags` may hold i, m and s; u is always set');
    return null;
  }
  const regex = pattern(reader, node, 'regex', flags);
  if (regex === null) return null;
  const secretNode = node.get('secret', true);
  let secret: RegexCondition['secret'] = null;
  if (secretNode !== undefined) {
    checkKeys(reader, secretNode, SECRET_KEYS);
    const group = isMap(secretNode) ? secretNode.get('group') : null;
    const entropy = isMap(secretNode) ? secretNode.get('entropy') : null;
    if (typeof group !== 'number' || typeof entropy !== 'number') {
      reader.report(secretNode, '`secret` needs `group` (a number) and `entropy` (bits a character)');
      return null;
    }
    const checksum = isMap(secretNode) && secretNode.has('checksum') ? secretNode.get('checksum') : null;
    if (checksum !== null && !CHECKSUMS.includes(checksum as Checksum)) {
      reader.report(secretNode, `\`checksum\` must be one of ${CHECKSUMS.join(', ')}`);
      return null;
    }
    secret = { group, entropy, checksum: checksum as Checksum | null };
  }
  const least = node.get('least');
  if (least !== undefined && !(typeof least === 'number' && Number.isInteger(least) && least >= 2 && least <= MOST_LEAST)) {
    reader.report(node.get('least', true), `\`least\` is a whole number from 2 to ${MOST_LEAST}`);
    return null;
  }
  return { kind: 'regex', fields, regex, flags, secret, ...(typeof least === 'number' ? { least } : {}) };
}

function readCommand(reader: Reader, node: unknown): CommandCondition | null {
  if (!isMap(node)) {
    reader.report(node, '`command` must be a mapping');
    return null;
  }
  checkKeys(reader, node, COMMAND_KEYS);
  const nested = <T>(key: string, read: (reader: Reader, node: unknown) => T | null): T | null =>
    node.has(key) ? read(reader, node.get(key, true)) : null;
  const condition: CommandCondition = {
    kind: 'command',
    program: textsOf(reader, node, 'program').map((name) => name.toLowerCase()),
    subcommand: textsOf(reader, node, 'subcommand'),
    flags: textsOf(reader, node, 'flags'),
    operand: pattern(reader, node, 'operand', ''),
    argument: pattern(reader, node, 'argument', ''),
    line: pattern(reader, node, 'line', ''),
    stdin: pattern(reader, node, 'stdin', ''),
    assigns: pattern(reader, node, 'assigns', ''),
    path: nested('path', readPath),
    url: nested('url', readUrl),
    pipedFrom: nested('piped-from', readCommand),
    pipedTo: nested('piped-to', readCommand),
    not: nested('not', readCommand),
  };
  if (node.items.length === 0) reader.report(node, 'an empty `command` would match every command');
  return condition;
}

function readPath(reader: Reader, node: unknown): PathCondition | null {
  if (!isMap(node)) {
    reader.report(node, '`path` must be a mapping with `regex`');
    return null;
  }
  checkKeys(reader, node, PATH_KEYS);
  const regex = pattern(reader, node, 'regex', '');
  if (regex === null) {
    if (!node.has('regex')) reader.report(node, '`path` needs a `regex`');
    return null;
  }
  const trait = listOf(reader, node, 'trait', PATH_TRAITS) as PathTrait[];
  const without = listOf(reader, node, 'without', PATH_TRAITS) as PathTrait[];
  return {
    kind: 'path',
    regex,
    ...(trait.length > 0 ? { trait } : {}),
    ...(without.length > 0 ? { without } : {}),
    access: listOf(reader, node, 'access', ACCESSES) as Access[],
    not: pattern(reader, node, 'not', ''),
  };
}

function readUrl(reader: Reader, node: unknown): UrlCondition | null {
  if (!isMap(node)) {
    reader.report(node, '`url` must be a mapping');
    return null;
  }
  checkKeys(reader, node, URL_KEYS);
  if (node.items.length === 0) reader.report(node, 'an empty `url` would match every address');
  const port = pattern(reader, node, 'port', '');
  return {
    kind: 'url',
    scheme: textsOf(reader, node, 'scheme').map((text) => text.toLowerCase()),
    host: textsOf(reader, node, 'host').map((text) => text.toLowerCase()),
    hostKind: listOf(reader, node, 'host-kind', HOST_KINDS) as HostKind[],
    ...(port === null ? {} : { port }),
    path: pattern(reader, node, 'path', ''),
    query: pattern(reader, node, 'query', ''),
    userinfo: pattern(reader, node, 'userinfo', ''),
  };
}

function readEffect(reader: Reader, node: unknown): EffectCondition | null {
  if (!isMap(node)) {
    reader.report(node, '`effect` must be a mapping with `kind`');
    return null;
  }
  checkKeys(reader, node, EFFECT_KEYS);
  const effect = listOf(reader, node, 'kind', EFFECT_KINDS) as EffectKind[];
  if (effect.length === 0) {
    reader.report(node, '`effect` needs a `kind`');
    return null;
  }
  return { kind: 'effect', effect, target: pattern(reader, node, 'target', '') };
}

/** A checked regex under `key`; null when absent or unusable. */
function pattern(reader: Reader, node: YAMLMap, key: string, flags: string): string | null {
  const value = node.get(key, true);
  if (value === undefined) return null;
  if (!isScalar(value) || typeof value.value !== 'string') {
    reader.report(value, `\`${key}\` must be a regex in quotes`);
    return null;
  }
  const problem = regexProblem(value.value, flags);
  if (problem === null) return value.value;
  reader.report(value, `\`${key}\`: ${problem}`);
  return null;
}
