/** The command line of `callgate check`. */
import { resolve } from 'node:path';
import type { Channel } from '#core/model/call.ts';
import type { JsonValue } from '#core/model/json.ts';

export const CHECK_USAGE = `usage: callgate check [--jsonl | --explain] [--policy FILE] [--rules FOLDER] < CALL
       callgate check [--explain] [--policy FILE] [--rules FOLDER] --shell COMMAND | --read PATH | --url ADDRESS | --text TEXT

Judges a call without running, holding or recording it. Standard input holds
{"channel": "bash" | "read_path" | "write_content" | "url" | "mcp_call" | "tool_definition" | "tool_response",
 "tool_name", "tool_input" | "tool_response" | "tool_definition", "id"?, "cwd"?}; with --jsonl one a line.
  --explain   for people: what was read, decoded and matched, and why that gives the verdict
  --policy    judge by this policy instead of ~/.callgate/policy.yaml
  --rules     with the rules of this folder instead of ~/.callgate/rules`;

export interface CheckArguments {
  readonly form: 'json' | 'jsonl' | 'explain';
  /** A line as on standard input; null: read it there. */
  readonly line: { readonly [key: string]: JsonValue } | null;
  readonly policy: string | null;
  readonly rules: string | null;
}

const CALLS: Readonly<
  Record<string, { readonly channel: Channel; readonly of: (text: string) => JsonValue; readonly key: 'tool_input' | 'tool_response' }>
> = {
  '--shell': { channel: 'shell', of: (command) => ({ command }), key: 'tool_input' },
  '--read': { channel: 'read', of: (file_path) => ({ file_path }), key: 'tool_input' },
  '--url': { channel: 'fetch', of: (url) => ({ url }), key: 'tool_input' },
  '--text': { channel: 'response', of: (text) => ({ content: [{ type: 'text', text }] }), key: 'tool_response' },
};

/** A text: what is wrong. */
export function readCheckArguments(args: readonly string[], cwd: string): CheckArguments | string {
  let form: CheckArguments['form'] = 'json';
  let line: CheckArguments['line'] = null;
  const files: { policy: string | null; rules: string | null } = { policy: null, rules: null };
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string;
    if (arg === '--jsonl' || arg === '--explain') {
      if (form !== 'json') return '--jsonl and --explain exclude each other';
      form = arg === '--jsonl' ? 'jsonl' : 'explain';
      continue;
    }
    const call = Object.hasOwn(CALLS, arg) ? CALLS[arg] : undefined;
    const file = arg === '--policy' ? 'policy' : arg === '--rules' ? 'rules' : undefined;
    if (call === undefined && file === undefined) return `unknown argument ${JSON.stringify(arg)}`;
    const value = args[++at];
    if (value === undefined || value === '') return `${arg} needs a value`;
    if (file !== undefined) files[file] = resolve(cwd, value);
    else if (call !== undefined) {
      if (line !== null) return 'one call at a time';
      line = { channel: call.channel, [call.key]: call.of(value) };
    }
  }
  if (form === 'jsonl' && line !== null) return '--jsonl reads standard input';
  return { form, line, ...files };
}
