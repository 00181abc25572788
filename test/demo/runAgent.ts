/**
 * `node test/demo/runAgent.ts claude|codex dangerous-call|changed-tool`: runs the real agent in the demo's HOME against its scripted model and
 * tells in plain words what it does. Started by the tasks of the demo's workspace.
 */
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { agents } from '#kit/agentsBoth.ts';
import type { Agent } from '#kit/agentsBoth.ts';
import { isObject } from '#core/model/json.ts';
import type { JsonObject } from '#core/model/json.ts';
import { objectsAt, textOf } from '#kit/model.ts';
import type { Model } from '#kit/model.ts';
import { demoBox, readState, updateOf } from './folders.ts';
import { CHANGED_TOOL, DANGEROUS_CALL } from './story.ts';

/** A held call waits for a person; the agent's own limit must not end it first. */
const DEADLINE_MS = 15 * 60_000;
const BOLD = '\u001B[1m';
const DIM = '\u001B[2m';
const RED = '\u001B[31m';
const PLAIN = '\u001B[0m';

const spoken = (text: string): string => `${BOLD}${text}${PLAIN}`;
const running = (command: string): string => `  ${DIM}wants to run${PLAIN} ${command}`;
const output = (text: string, look: string): string =>
  text
    .trim()
    .split('\n')
    .map((line) => `  ${look}${line}${PLAIN}`)
    .join('\n');

const stringAt = (object: JsonObject, key: string): string | null => {
  const value = object[key];
  return typeof value === 'string' ? value : null;
};

/** One line of Claude's `stream-json`, for people; null when it says nothing to them. */
function tellClaude(event: JsonObject): string | null {
  const message = event['message'];
  if (!isObject(message)) return null;
  const parts = objectsAt(message, 'content').map((block) => {
    if (block['type'] === 'text' && event['type'] === 'assistant') return spoken(textOf(block));
    if (block['type'] === 'tool_use' && isObject(block['input']))
      return running(stringAt(block['input'], 'command') ?? `${stringAt(block, 'name') ?? ''} ${JSON.stringify(block['input'])}`);
    if (block['type'] === 'tool_result') return output(textOf(block['content']), block['is_error'] === true ? RED : DIM);
    return null;
  });
  return parts.filter((part) => part !== null).join('\n') || null;
}

/** One line of Codex' `--json`. */
function tellCodex(event: JsonObject): string | null {
  const item = event['item'];
  if (!isObject(item)) return null;
  if (item['type'] === 'agent_message' && event['type'] === 'item.completed') return spoken(textOf(item));
  if (item['type'] === 'error') return output(stringAt(item, 'message') ?? '', RED);
  if (item['type'] !== 'command_execution') return null;
  if (event['type'] === 'item.started') return running(stringAt(item, 'command') ?? '');
  return output(stringAt(item, 'aggregated_output') ?? '', item['status'] === 'completed' ? DIM : RED);
}

async function main(name: string | undefined, scenario: string = DANGEROUS_CALL): Promise<number> {
  const agent: Agent | undefined = agents.find(({ id }) => id === name);
  if (agent === undefined) throw new Error(`Which agent? ${agents.map(({ id }) => id).join(' or ')}`);
  const port = readState().models[agent.id];
  const stop = (): Promise<void> => Promise.resolve();
  const model: Model = { port, requests: [], results: [], stop };
  if (scenario === CHANGED_TOOL) {
    writeFileSync(updateOf(demoBox()), '');
    console.log(`${DIM}The MCP server "notes" of this project has been updated since it was seen last.${PLAIN}`);
  }
  console.log(`${DIM}${agent.name} starts. It is the real program; its model is a script on this machine.${PLAIN}\n`);
  const args = agent.id === 'claude' ? ['--output-format', 'stream-json', '--verbose'] : [];
  const started = agent.launch(demoBox(), { model, scenario, args, deadlineMs: DEADLINE_MS });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => started.kill('SIGTERM'));
  process.on('exit', () => started.kill('SIGKILL'));
  if (started.child.stdout !== null) {
    createInterface({ input: started.child.stdout }).on('line', (line) => {
      const told = tell(agent, line);
      if (told !== null) console.log(told);
    });
  }
  const ran = await started.done;
  if (ran.code !== 0) console.log(output(ran.stderr.slice(-2000), RED));
  console.log(`\n${DIM}${agent.name} has ended (status ${String(ran.code)}).${PLAIN}`);
  return ran.code ?? 1;
}

function tell(agent: Agent, line: string): string | null {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    return line; // Not an event: show it as it is.
  }
  if (!isObject(event)) return null;
  return agent.id === 'claude' ? tellClaude(event) : tellCodex(event);
}

process.exitCode = await main(process.argv[2], process.argv[3]);
