/** What may stand at a place of a rule or policy file, read from its JSON schema. */
import type { YamlPlace } from './yamlPlace.ts';

/** The part of JSON Schema that our two schemas use. */
export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly (string | number)[];
  readonly const?: string | number;
  readonly type?: string;
  readonly description?: string;
}

export interface Suggestion {
  readonly label: string;
  readonly insert: string;
  readonly detail: string;
  readonly kind: 'key' | 'value';
  /** Keys that must be there come first. */
  readonly needed: boolean;
}

export function suggestionsAt(place: YamlPlace, root: Schema): readonly Suggestion[] {
  const here = schemasAt(place.keys, root);
  if (place.wants === 'value') return unique(valuesOf(here));
  const keys = here.flatMap((schema) =>
    Object.entries(schema.properties ?? {}).map(([name, inner]): Suggestion => {
      const shapes = flattened(inner, root);
      const nested = shapes.some((shape) => shape.properties !== undefined) && !shapes.some((shape) => shape.enum !== undefined);
      return {
        label: name,
        insert: nested ? `${name}:` : `${name}: `,
        detail: helpFor(name, inner, shapes),
        kind: 'key',
        needed: schema.required?.includes(name) === true,
      };
    }),
  );
  // A list of plain words under a key: its items are values.
  return unique([...keys.filter(({ label }) => !place.beside.includes(label)), ...(keys.length === 0 ? valuesOf(here) : [])]);
}

/** A word or a list of them has the same words twice. */
const unique = (items: readonly Suggestion[]): readonly Suggestion[] => [...new Map(items.map((item) => [item.label, item])).values()];

/** What a key means, for the key that `place` ends with; null when it is none of ours. */
export function helpAt(keys: readonly string[], root: Schema): string | null {
  const name = keys.at(-1);
  if (name === undefined) return null;
  for (const parent of schemasAt(keys.slice(0, -1), root)) {
    const inner = parent.properties?.[name];
    if (inner !== undefined) return helpFor(name, inner, flattened(inner, root)) || null;
  }
  return null;
}

function valuesOf(schemas: readonly Schema[]): readonly Suggestion[] {
  return schemas.flatMap((schema) =>
    (schema.enum ?? (schema.const === undefined ? [] : [schema.const])).map((value): Suggestion => ({
      label: String(value),
      insert: String(value),
      detail: VALUE_HELP[String(value)] ?? '',
      kind: 'value',
      needed: false,
    })),
  );
}

function schemasAt(keys: readonly string[], root: Schema): readonly Schema[] {
  let here = flattened(root, root);
  for (const key of keys) here = here.flatMap((schema) => flattened(schema.properties?.[key], root));
  return here;
}

/** The schema behind references, alternatives and lists. Our schemas refer to themselves only through keys, so this ends. */
function flattened(schema: Schema | undefined, root: Schema): readonly Schema[] {
  if (schema === undefined) return [];
  if (schema.$ref !== undefined) return flattened(root.$defs?.[schema.$ref.replace('#/$defs/', '')], root);
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap((item) => flattened(item, root));
  return schema.items === undefined ? [schema] : flattened(schema.items, root);
}

function helpFor(name: string, schema: Schema, shapes: readonly Schema[]): string {
  const said = schema.description ?? KEY_HELP[name] ?? shapes.find((shape) => shape.description !== undefined)?.description ?? '';
  const words = shapes.flatMap((shape) => shape.enum ?? []);
  return words.length === 0 || words.length > 12 ? said : `${said}${said === '' ? '' : ' '}One of: ${words.join(', ')}.`;
}

/** For keys the schema does not describe. */
const KEY_HELP: Readonly<Record<string, string>> = {
  version: 'The version of this format: 1.',
  rules: 'The list of rules, one idea each.',
  id: 'The name of this file, a dot and a name in kebab-case. Permanent.',
  title: 'What was seen, in a few words: a person reads it first.',
  category: 'What the rule is about.',
  severity: 'Harm if it is true: critical blocks, high is held for a person, medium warns, low is only noted.',
  confidence: 'How sure the rule is.',
  status: 'experimental rules only report, stable ones count, deprecated ones are off.',
  channels: 'Which calls it looks at; left out: all.',
  match: 'What it looks for: exactly one of regex, command, path, url, effect, any, all.',
  rationale: 'Why it matters, plainly, in one or two sentences.',
  references: 'Addresses (https) that say more.',
  taxonomy: 'Codes such as T1059.004, LLM01, ASI05, MCP03, CWE-78.',
  examples: 'Samples that the rule must see, and others that it must not. They are run.',
  field: 'Which texts a regex looks at.',
  regex: 'A regular expression with the u flag. Repeats are bounded: {0,200}, never * or +.',
  flags: 'Of a regex: any of i, m, s. Of a command: flags it must have, without dashes; r|recursive for either.',
  keywords: 'Words one of which a text must hold; they make the rule fast.',
  secret: 'Which group of the regex is a secret, and how random it must look.',
  group: 'The number of the capture group that holds it; 0: the whole match.',
  entropy: 'Bits a character it must have at least: words have about 3, random texts 4 and more.',
  checksum: 'The check its issuer builds in.',
  command: 'One parsed command. Everything given must hold of the same one.',
  program: 'Its name without folder; a trailing * stands for any rest.',
  subcommand: 'Its first operands, such as push.',
  operand: 'A regex that some operand must match.',
  argument: 'A regex that some word after the program must match, flags included.',
  line: 'A regex that the words, joined with blanks, must match.',
  stdin: 'A regex that literal text on its input must match.',
  assigns: 'A regex that some NAME=value in front of it must match.',
  path: 'A path the call touches, after ~, .. and links are resolved; home folders are written ~.',
  trait: 'How the path is written or where it lies; it must have one of these.',
  without: 'How the path is written or where it lies; it must have none of these.',
  access: 'What is done to the path; left out: anything.',
  url: 'An address in the call.',
  scheme: 'Without the colon: https, ftp.',
  port: 'A regex on the port as written; empty text when there is none.',
  query: 'A regex on what follows the question mark.',
  userinfo: 'A regex on what stands before the @.',
  host: 'Exact names; *.example.com stands for every subdomain too.',
  'host-kind': 'What the host is or how it is written: private, metadata, encoded …',
  effect: 'What the call would do, whatever program does it.',
  kind: 'send, fetch, install, escalate or run.',
  target: 'A regex on the host, package, user or path.',
  any: 'Any of these conditions.',
  all: 'All of these conditions, in the same call.',
  'piped-from': 'A command before it in the same pipeline.',
  'piped-to': 'A command after it in the same pipeline.',
  not: 'The same command or path must not match this.',
  text: 'The sample as it would be sent: a command line, a path, content, an address.',
  channel: 'Which call the sample is; left out: the first of the rule.',
  cwd: 'Where the call would run.',
  span: 'The text the finding must point at.',
  why: 'Why the rule must stay silent.',
  no_match: 'At least two samples that look alike and are harmless, each with a `why`.',
};

const VALUE_HELP: Readonly<Record<string, string>> = {
  critical: 'blocks',
  high: 'is held for a person',
  medium: 'warns',
  low: 'is only noted',
  clean: 'deliver',
  flag: 'deliver and warn',
  quarantine: 'hold for a person',
  block: 'refuse',
  shell: 'a command line',
  read: 'a path to be read',
  write: 'a file and its new content',
  fetch: 'an address',
  mcp: 'a call of an MCP tool',
  response: 'what a tool gave back',
  definition: 'what an MCP tool says of itself',
  experimental: 'only reports',
  stable: 'counts',
  deprecated: 'off',
};
