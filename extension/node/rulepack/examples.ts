import { isMap, isSeq } from 'yaml';
import { CHANNELS, type Channel, type ToolCall } from '#core/model/call.ts';
import type { JsonValue } from '#core/model/json.ts';
import { expandSample } from '#node/rulepack/sampleGenerators.ts';
import { EXAMPLE_KEYS, EXAMPLES_KEYS } from '#node/rulepack/ruleShape.ts';
import { checkKeys, type Reader } from '#node/rulepack/yamlReader.ts';

/** One sample of a rule, as written but with its generators expanded. */
export interface RuleExample {
  readonly text: string;
  readonly channel: Channel;
  /** For `write`: the file written. */
  readonly path: string | null;
  readonly cwd: string;
  /** The text the finding must point at; null when any place will do. */
  readonly span: string | null;
  /** Why the rule must stay silent; null for samples that match. */
  readonly why: string | null;
  /** Where it stands in its file, from 1. */
  readonly line: number;
}

export interface RuleExamples {
  readonly match: readonly RuleExample[];
  readonly noMatch: readonly RuleExample[];
}

const MIN_EXAMPLES = 2;
/** A user and a workspace as examples see them. */
export const EXAMPLE_HOME = '/home/dev';
export const EXAMPLE_CWD = '/home/dev/app';

export function readExamples(reader: Reader, node: unknown, channels: readonly Channel[]): RuleExamples {
  const empty: RuleExamples = { match: [], noMatch: [] };
  if (!isMap(node) || !(node.has('match') || node.has('no_match'))) {
    reader.report(node, '`examples` must hold `match` and `no_match`');
    return empty;
  }
  checkKeys(reader, node, EXAMPLES_KEYS);
  const fallback = channels[0] ?? 'shell';
  return { match: list(reader, node, 'match', fallback), noMatch: list(reader, node, 'no_match', fallback) };
}

function list(
  reader: Reader,
  node: { get(key: string, keep: true): unknown },
  key: 'match' | 'no_match',
  fallback: Channel,
): RuleExample[] {
  const items = node.get(key, true);
  if (!isSeq(items) || items.items.length < MIN_EXAMPLES) {
    reader.report(items ?? node, `\`${key}\` needs at least ${MIN_EXAMPLES} examples`);
    return [];
  }
  const out: RuleExample[] = [];
  for (const item of items.items) {
    const text = isMap(item) ? item.get('text') : null;
    if (!isMap(item) || typeof text !== 'string') {
      reader.report(item, 'an example needs a `text`');
      continue;
    }
    checkKeys(reader, item, EXAMPLE_KEYS);
    const why = item.get('why');
    if (key === 'no_match' && (typeof why !== 'string' || why.trim() === '')) reader.report(item, 'every `no_match` example needs a `why`');
    const channel = item.get('channel') ?? fallback;
    if (!CHANNELS.includes(channel as Channel)) reader.report(item, `\`channel\` must be one of ${CHANNELS.join(', ')}`);
    const optional = (name: string): string | null => {
      const value = item.get(name);
      return typeof value === 'string' ? expandSample(value) : null;
    };
    out.push({
      text: expandSample(text),
      channel: channel as Channel,
      path: optional('path'),
      cwd: optional('cwd') ?? EXAMPLE_CWD,
      span: optional('span'),
      why: typeof why === 'string' ? why : null,
      line: reader.lineOf(item),
    });
  }
  return out;
}

/** The call an example stands for. */
export function callOf(example: RuleExample): ToolCall {
  const [tool, args] = argsOf(example);
  return {
    client: 'claude',
    agent: 'main',
    session: 'examples',
    useId: null,
    channel: example.channel,
    tool,
    server: example.channel === 'mcp' ? 'examples' : null,
    args,
    cwd: example.cwd,
  };
}

function argsOf(example: RuleExample): [string, JsonValue] {
  switch (example.channel) {
    case 'shell':
      return ['Bash', { command: example.text }];
    case 'read':
      return ['Read', { file_path: example.text }];
    case 'write':
      if (example.text.startsWith('*** Begin Patch')) return ['apply_patch', { command: example.text }];
      return ['Write', { file_path: example.path ?? `${EXAMPLE_CWD}/src/example.ts`, content: example.text }];
    case 'fetch':
      return ['WebFetch', { url: example.text, prompt: 'summarise' }];
    case 'mcp':
    case 'other':
      return ['example', { input: example.text }];
    case 'response':
      return ['example', { content: [{ type: 'text', text: example.text }] }];
    case 'definition':
      return ['example', { name: 'example', description: example.text }];
  }
}
