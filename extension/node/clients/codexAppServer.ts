/** `codex app-server`: JSON-RPC lines over stdio; Codex's own door for programs that change its settings. */
import { spawn } from 'node:child_process';
import { isObject, type JsonObject, type JsonValue } from '#core/model/json.ts';
import { ConfigError } from '#node/clients/configError.ts';
import { killGroup } from '#node/clients/runProgram.ts';

export interface CodexAppServer {
  /** @throws ConfigError CLIENT_FAILED: Codex's own error, its end, or the deadline. */
  readonly call: (method: string, params: JsonValue) => Promise<JsonValue>;
  readonly close: () => Promise<void>;
}

export interface CodexAppServerOptions {
  readonly program: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** For the whole conversation. */
  readonly deadlineMs: number;
}

type Waiting = { readonly resolve: (value: JsonValue) => void; readonly reject: (error: ConfigError) => void };

export async function openCodexAppServer({ program, env, cwd, deadlineMs }: CodexAppServerOptions): Promise<CodexAppServer> {
  const child = spawn(program, ['app-server'], {
    cwd,
    env: env as NodeJS.ProcessEnv,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  const waiting = new Map<number, Waiting>();
  let failure: ConfigError | null = null;
  let complaint = '';
  let nextId = 0;
  let buffered = '';
  const failAll = (message: string): void => {
    failure ??= new ConfigError('CLIENT_FAILED', message);
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  const timer = setTimeout(() => {
    failAll(
      `${program} app-server did not answer within ${deadlineMs} ms; nothing was trusted. Try again, or trust the hook in Codex under /hooks`,
    );
    killGroup(child.pid);
  }, deadlineMs);
  const exited = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      failAll(`${program} could not be started (${error.message}); trust the hook in Codex under /hooks`);
      resolve();
    });
    child.once('exit', () => {
      failAll(`${program} app-server ended early${complaint === '' ? '' : `: ${complaint}`}; trust the hook in Codex under /hooks`);
      resolve();
    });
  });
  // Writing to a child that has just died: its exit is reported above.
  child.stdin.on('error', (error) => failAll(`${program} app-server closed its input (${error.message})`));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaint = (complaint + chunk).slice(-500)));
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    buffered += chunk;
    for (let end = buffered.indexOf('\n'); end >= 0; end = buffered.indexOf('\n')) {
      const message = readLine(buffered.slice(0, end));
      buffered = buffered.slice(end + 1);
      const id = message?.['id'];
      // Requests and notifications of the server concern threads, and we start none.
      if (!message || typeof id !== 'number' || message['method'] !== undefined) continue;
      const caller = waiting.get(id);
      waiting.delete(id);
      if (isObject(message['error']))
        caller?.reject(new ConfigError('CLIENT_FAILED', `Codex refused: ${String(message['error']['message'] ?? 'no reason given')}`));
      else caller?.resolve(message['result'] ?? null);
    }
  });
  const call = (method: string, params: JsonValue): Promise<JsonValue> =>
    new Promise((resolve, reject) => {
      if (failure) return reject(failure);
      nextId += 1;
      waiting.set(nextId, { resolve, reject });
      child.stdin.write(`${JSON.stringify({ id: nextId, method, params })}\n`);
    });
  const close = async (): Promise<void> => {
    clearTimeout(timer);
    killGroup(child.pid);
    await exited;
  };
  try {
    await call('initialize', {
      clientInfo: { name: 'callgate', title: 'Callgate', version: '1' },
      capabilities: { experimentalApi: true },
    });
    child.stdin.write(`${JSON.stringify({ method: 'initialized' })}\n`);
    return { call, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function readLine(line: string): JsonObject | null {
  try {
    const value = JSON.parse(line) as JsonValue;
    return isObject(value) ? value : null;
  } catch (error) {
    // A log line among the messages answers no request of ours.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
