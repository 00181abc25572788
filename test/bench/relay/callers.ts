/** Clients of the relay bench: one over standard streams, one over Streamable HTTP. Both keep a number of calls under way all the time. */
import { spawn } from 'node:child_process';
import { Agent, request } from 'node:http';

export interface Caller {
  /** Milliseconds from sending to the whole answer. @throws when the answer is not the echo of what was sent */
  readonly call: () => Promise<number>;
  /** Process id of what was started; its resident memory is the bench's business. */
  readonly pid: number;
  readonly close: () => Promise<void>;
}

/** About 1 KB, as an everyday call: a path, a question, some text. */
const TEXT = `src/server/router.ts: ${'the handler returns the cached page when its etag has not changed. '.repeat(14)}`;
const ANSWER_MS = 30_000;

const HELLO = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } };
const callOf = (id: number): Record<string, unknown> => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: 'echo', arguments: { text: `${id} ${TEXT}` } },
});

function insistOnEcho(id: number, answer: { readonly result?: { readonly content?: readonly { readonly text?: string }[] } }): void {
  if (answer.result?.content?.[0]?.text !== `${id} ${TEXT}`)
    throw new Error(`call ${id} was not echoed: ${JSON.stringify(answer).slice(0, 300)}`);
}

export async function stdioCaller(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<Caller> {
  const child = spawn(command, [...args], { env: { ...env }, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + String(chunk)).slice(-1000)));
  const waiting = new Map<number, (line: string) => void>();
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      // Cheaper than reading the whole line, and this process is on the clock as well.
      const id = Number(/"id":(\d+)/.exec(line)?.[1]);
      waiting.get(id)?.(line);
      waiting.delete(id);
    }
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let last = 0;
  const ask = (message: Record<string, unknown>): Promise<string> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS} ms: ${said}`)), ANSWER_MS);
      waiting.set(message['id'] as number, (line) => {
        clearTimeout(timer);
        resolve(line);
      });
      child.stdin.write(`${JSON.stringify(message)}\n`);
    });
  last += 1;
  await ask({ jsonrpc: '2.0', id: last, method: 'initialize', params: HELLO });
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  return {
    pid: child.pid ?? 0,
    call: async () => {
      const id = (last += 1);
      const message = callOf(id);
      const began = performance.now();
      const line = await ask(message);
      const ms = performance.now() - began;
      insistOnEcho(id, JSON.parse(line) as Parameters<typeof insistOnEcho>[1]);
      return ms;
    },
    close: async () => {
      child.stdin.end();
      const hard = setTimeout(() => child.kill('SIGKILL'), 3000);
      await ended;
      clearTimeout(hard);
    },
  };
}

/** A server program that makes Streamable HTTP of a stdio server; `url` answers once it listens. */
export async function httpCaller(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
  url: string,
): Promise<Caller> {
  const child = spawn(command, [...args], { env: { ...env }, cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + String(chunk)).slice(-1000)));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  let session = '';
  const post = (message: Record<string, unknown>): Promise<string> =>
    new Promise((resolve, reject) => {
      const sent = request(
        url,
        {
          method: 'POST',
          agent,
          headers: {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            ...(session === '' ? {} : { 'mcp-session-id': session }),
          },
        },
        (response) => {
          session = String(response.headers['mcp-session-id'] ?? session);
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('end', () => resolve(text));
        },
      );
      sent.on('error', reject);
      sent.end(JSON.stringify(message));
    });
  let last = 0;
  const until = Date.now() + ANSWER_MS;
  for (;;) {
    try {
      await post({ jsonrpc: '2.0', id: (last += 1), method: 'initialize', params: HELLO });
      break;
    } catch (error) {
      if (Date.now() > until) throw new Error(`${url} does not answer: ${said}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  await post({ jsonrpc: '2.0', method: 'notifications/initialized' });
  return {
    pid: child.pid ?? 0,
    call: async () => {
      const id = (last += 1);
      const began = performance.now();
      const text = await post(callOf(id));
      const ms = performance.now() - began;
      insistOnEcho(id, JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as Parameters<typeof insistOnEcho>[1]);
      return ms;
    },
    close: async () => {
      agent.destroy();
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), 3000);
      await ended;
      clearTimeout(hard);
    },
  };
}
