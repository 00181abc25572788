/** A call's arguments as fields that can be shown, and its one-line summary. */
import type { Channel } from '#core/model/call.ts';
import type { Finding } from '#core/model/finding.ts';
import type { JsonValue } from '#core/model/json.ts';
import type { Span } from './highlight.ts';
import { visibleLine } from '#core/policy/visibleText.ts';

export interface Field {
  /** JSON pointer into the arguments, as findings name places. */
  readonly at: string;
  /** The pointer as people write it: `edits[0].new_string`; empty for arguments that are a single value. */
  readonly label: string;
  readonly text: string;
  readonly spans: readonly Span[];
}

/** Arguments that say what would happen come first, whatever order they were sent in. */
const LEADING = ['command', 'cmd', 'script', 'file_path', 'path', 'url', 'query', 'sql'];

function isGroup(value: JsonValue): value is readonly JsonValue[] | { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null;
}

/** Every leaf of `args`, with the findings' spans in it. Works through a list instead of calling itself: nesting is the sender's choice. */
export function argumentFields(args: JsonValue, findings: readonly Finding[]): readonly Field[] {
  const fields: Field[] = [];
  const waiting: { at: string; label: string; value: JsonValue }[] = [{ at: '', label: '', value: args }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { at, label, value } = next;
    if (isGroup(value) && Object.keys(value).length > 0) {
      const members = Object.entries(value).map(([key, member]) => ({
        at: `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        label: Array.isArray(value) ? `${label}[${key}]` : label === '' ? key : `${label}.${key}`,
        value: member as JsonValue,
      }));
      waiting.push(...members.reverse());
      continue;
    }
    const spans = findings.flatMap((finding) => (finding.at === at && finding.span ? [finding.span] : []));
    fields.push({
      at,
      label,
      text: typeof value === 'string' ? value : JSON.stringify(value),
      spans: typeof value === 'string' ? spans : [],
    });
  }
  const rank = (field: Field): number => {
    const place = LEADING.indexOf(field.label);
    return place < 0 ? LEADING.length : place;
  };
  // Array.prototype.sort is stable: fields of equal rank keep the order they were sent in.
  return fields.sort((a, b) => rank(a) - rank(b));
}

/** `Bash`, or `server › tool` for MCP; `Result of …` for what a tool gave back, `Definition of …` for what is said of it. */
export function toolName(call: { readonly tool: string; readonly server: string | null; readonly channel?: Channel }): string {
  const tool = visibleLine(call.tool, 80) || '(unnamed tool)';
  const name = call.server === null ? tool : `${visibleLine(call.server, 60)} › ${tool}`;
  if (call.channel === 'definition') return `Definition of ${name}`;
  return call.channel === 'response' ? `Result of ${name}` : name;
}

/** The argument that matters most, on one line. */
export function summaryOf(args: JsonValue, limit: number): string {
  const fields = argumentFields(args, []);
  const best = fields.find((field) => LEADING.includes(field.label)) ?? fields.find((field) => field.text.length > 0);
  return best ? visibleLine(best.text.trim(), limit) : '';
}

/** A name that tells one call's buttons from another's: `Bash: curl …`. */
export function callName(call: {
  readonly tool: string;
  readonly server: string | null;
  readonly channel?: Channel;
  readonly args: JsonValue;
}): string {
  const summary = summaryOf(call.args, 60);
  return summary === '' || summary === '{}' ? toolName(call) : `${toolName(call)}: ${summary}`;
}

const CLIENTS: Readonly<Record<string, string>> = { claude: 'Claude Code', codex: 'Codex', mcp: 'MCP client', cli: 'Command line' };

export function clientName(client: string): string {
  return CLIENTS[client] ?? visibleLine(client, 40);
}
