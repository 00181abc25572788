/** A gate in a sandbox with an editor window's stand-in, and plain JSON-RPC with a program over its standard streams. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { installGate, serve } from '#kit/agentsGate.ts';
import { errandRunner } from '../../extension/vscode/errands.ts';
import { sandbox, sandboxEnvironment } from '#kit/sandbox.ts';
import type { Sandbox } from '#kit/sandbox.ts';
import type { Served } from '#kit/agentsGate.ts';

export interface RelayWorld {
  readonly box: Sandbox;
  readonly served: Served;
  /** Pages that the person was sent to, and what went wrong there. */
  readonly opened: readonly string[];
  /** The program that a protected configuration entry names. */
  readonly relay: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

/** The window's own runner of errands, with a person behind it who signs in wherever they are asked to. */
function signsInEverywhere(served: Served, opened: (url: string) => void): void {
  const secrets = new Map<string, string>();
  const run = errandRunner({
    secrets: {
      get: async (key) => secrets.get(key),
      store: async (key, value) => void secrets.set(key, value),
      delete: async (key) => void secrets.delete(key),
    },
    answer: (params) => served.window.request('errand', params),
    askToSignIn: async () => true,
    open: async (url) => {
      opened(url);
      await fetch(url);
    },
    say: () => undefined,
    inUse: () => true,
    log: (message) => opened(message),
  });
  served.window.on('errand', (errand) => void run(errand));
}

export async function relayWorld(): Promise<RelayWorld> {
  const box = sandbox();
  await installGate(box);
  const served = await serve(box);
  const opened: string[] = [];
  signsInEverywhere(served, (url) => opened.push(url));
  return {
    box,
    served,
    opened,
    relay: join(box.layout.bin, 'callgate-mcp'),
    env: sandboxEnvironment(box),
    stop: async () => {
      await served.stop();
      box.remove();
    },
  };
}

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

const ANSWER_MS = 60_000;

/** What a client can do, and what it says to requests of the server; `heard` gets the lines of these and of notifications. */
export interface Client {
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly results: Readonly<Record<string, unknown>>;
  readonly heard: string[];
}

/**
 * Starts the program, initializes it and sends each message once the one before it is answered; gives the answers' lines as they came.
 * Requests of the server are answered with an error unless the client can answer them.
 */
export async function exchange(
  program: Program,
  messages: readonly Readonly<Record<string, unknown>>[],
  client: Client = { capabilities: {}, results: {}, heard: [] },
): Promise<readonly string[]> {
  const child = spawn(program.command, [...program.args], { cwd: program.cwd, env: { ...program.env }, stdio: ['pipe', 'pipe', 'pipe'] });
  let noise = '';
  child.stderr.on('data', (chunk: Buffer) => (noise = (noise + String(chunk)).slice(-2000)));
  child.stdin.on('error', (error) => (noise += error.message));
  const waiting = new Map<unknown, (line: string) => void>();
  const send = (message: Readonly<Record<string, unknown>>): void =>
    void child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('{')) continue;
      const { id, method } = JSON.parse(line) as { id?: unknown; method?: string };
      if (method === undefined) {
        waiting.get(id)?.(line);
        continue;
      }
      client.heard.push(line);
      const result = client.results[method];
      if (id !== undefined) send({ id, ...(result === undefined ? { error: { code: -32601, message: 'not here' } } : { result }) });
    }
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ask = async (message: Readonly<Record<string, unknown>>): Promise<string> => {
    const answer = new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${JSON.stringify(message)} in time: ${noise}`)), ANSWER_MS);
      const settle = (work: () => void): void => {
        clearTimeout(timer);
        work();
      };
      waiting.set(message['id'], (line) => settle(() => resolve(line)));
      void ended.then(() => settle(() => reject(new Error(`it ended before it answered ${JSON.stringify(message)}: ${noise}`))));
    });
    send(message);
    return answer;
  };
  try {
    const answers = [
      await ask({
        id: 0,
        method: 'initialize',
        params: { protocolVersion: '2025-06-18', capabilities: client.capabilities, clientInfo: { name: 'exchange', version: '1' } },
      }),
    ];
    send({ method: 'notifications/initialized' });
    for (const [at, message] of messages.entries()) answers.push(await ask({ id: at + 1, ...message }));
    return answers;
  } finally {
    // As clients do: several servers do not end by themselves when their input does.
    child.stdin.end();
    const polite = setTimeout(() => child.kill('SIGTERM'), 300);
    const hard = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(polite);
    clearTimeout(hard);
  }
}

/** Fails unless both ways give the very same lines. `name`: of the server in its client's configuration. */
export async function check(
  name: string,
  program: Program,
  world: RelayWorld,
  messages: readonly Readonly<Record<string, unknown>>[],
): Promise<readonly string[]> {
  const direct = await exchange(program, messages);
  const through = { ...program, command: world.relay, args: ['--server', name, '--', program.command, ...program.args] };
  assert.deepEqual(await exchange(through, messages), direct);
  return direct;
}
