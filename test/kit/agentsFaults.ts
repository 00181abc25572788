/** Everything that can go wrong between an agent and the gate's answer, each as something done to a sandbox and undone. */
import { chmodSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { HEARTBEAT, REPLY_PASS, REPLY_PRINT } from '#contract/hookReply.ts';
import { serve } from '#kit/agentsGate.ts';
import type { InstalledGate } from '#kit/agentsGate.ts';
import type { Sandbox } from '#kit/sandbox.ts';

export interface FaultWorld {
  readonly box: Sandbox;
  readonly gate: InstalledGate;
  readonly client: 'claude' | 'codex';
}

type Undo = () => Promise<void> | void;

export interface Fault {
  readonly name: string;
  /** harmless: would be clean · suspicious: would be held · harmful: is blocked · huge: a payload over the limit. */
  readonly call: 'harmless' | 'suspicious' | 'harmful' | 'huge';
  /** Only control rows let the call run. */
  readonly runs: boolean;
  /** What the model must be told. */
  readonly says: RegExp;
  readonly arrange: (world: FaultWorld) => Promise<Undo> | Undo;
}

const nothing: Undo = () => {};

/** A sentence of ours, not just our name in some path. */
const REASON = /callgate[^]*refused|callgate (?:blocked|holds) this call|callgate has no usable rules/i;

/** A row that breaks what decides: a harmless call is refused. */
function broken(name: string, arrange: Fault['arrange'], says = REASON): Fault {
  return { name, call: 'harmless', runs: false, says, arrange };
}

/** A row that breaks the broker: a suspicious call does not run, whoever decides. */
function brokerless(name: string, arrange: Fault['arrange'], says = REASON): Fault {
  return { name, call: 'suspicious', runs: false, says, arrange };
}

/** Puts `content` in the place of a file, with its mode, and puts the original back. */
function replaced(file: string, content: string): Undo {
  const kept = `${file}.kept`;
  renameSync(file, kept);
  writeFileSync(file, content);
  chmodSync(file, 0o755);
  return () => renameSync(kept, file);
}

/** Takes a file or folder away. What was made in its place meanwhile goes when it comes back. */
function gone(path: string): Undo {
  const kept = `${path}.kept`;
  renameSync(path, kept);
  return () => {
    rmSync(path, { recursive: true, force: true });
    renameSync(kept, path);
  };
}

function bundle(script: string): Fault['arrange'] {
  return ({ gate }) => replaced(gate.hookBundle, script);
}

function runtime(script: string): Fault['arrange'] {
  return ({ gate }) => replaced(gate.runtime, `#!/bin/sh\n${script}\n`);
}

/** A program that takes the broker's place on the client's socket. */
function impostor(talk: (socket: Socket) => void): Fault['arrange'] {
  return async ({ box, client }) => {
    const path = client === 'claude' ? box.layout.claudeSocket : box.layout.codexSocket;
    rmSync(path, { force: true });
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      // The hook may be gone before it read everything; that is its right.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
      talk(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    return async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      rmSync(path, { force: true });
    };
  };
}

/** Reads the whole call, then says `reply` and closes. */
function answering(reply: string): Fault['arrange'] {
  return impostor((socket) => {
    socket.resume();
    socket.on('end', () => socket.end(reply));
  });
}

/** A real broker to which `what` happens as soon as it holds the call. */
function whileHeld(what: NodeJS.Signals): Fault['arrange'] {
  return async ({ box }) => {
    const broker = await serve(box);
    broker.window.onHold((hold) => {
      if (hold.state === 'waiting') broker.kill(what);
    });
    return () => broker.stop();
  };
}

const ALLOW = JSON.stringify({
  hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: 'allow', permissionDecisionReason: 'x' },
});
const BOM = '\\ufeff';

export const faults: readonly Fault[] = [
  { name: 'control: a harmless call without a broker', call: 'harmless', runs: true, says: /./, arrange: () => nothing },
  { name: 'control: a harmful call without a broker', call: 'harmful', runs: false, says: /home|delete/i, arrange: () => nothing },
  brokerless('control: a suspicious call without a broker', () => nothing),

  broken('the runtime ends with status 1', runtime('exit 1')),
  broken('the runtime ends with status 0 and says nothing', runtime('exit 0')),
  broken('the runtime ends with status 127', runtime('exit 127')),
  broken('the runtime is killed', runtime('kill -9 $$')),
  broken('the runtime cannot be executed', ({ gate }) => replaced(gate.runtime, '\0not a program')),
  broken('the runtime is missing', ({ gate }) => {
    const undoScript = withoutOtherNode(gate);
    const undoRuntime = gone(gate.runtime);
    return async () => {
      await undoRuntime();
      await undoScript();
    };
  }),
  broken('the bundle throws', bundle('throw new Error("planted")')),
  broken('the bundle rejects', bundle('Promise.reject(new Error("planted"))')),
  broken('the bundle ends with status 1', bundle('process.exit(1)')),
  broken('the bundle kills itself', bundle('process.kill(process.pid, "SIGKILL")')),
  broken('the bundle hangs past the deadline', bundle('setInterval(() => {}, 1000)')),
  broken('the bundle prints garbage', bundle('console.log("all is well")')),
  broken('the bundle prints nothing', bundle('')),
  broken('the bundle prints a cut-off answer', bundle(`process.stdout.write(${JSON.stringify(REPLY_PASS.slice(0, -4))})`)),
  broken(
    'the bundle prints a log line before its answer',
    bundle(`console.log("starting"); process.stdout.write(${JSON.stringify(REPLY_PASS)})`),
  ),
  broken('the bundle prints a log line after its answer', bundle(`console.log(${JSON.stringify(REPLY_PASS)}); console.log("done")`)),
  broken('the bundle prints its answer twice', bundle(`process.stdout.write(${JSON.stringify(REPLY_PASS + REPLY_PASS)})`)),
  broken('the bundle prints a byte order mark before its answer', bundle(`process.stdout.write("${BOM}" + ${JSON.stringify(REPLY_PASS)})`)),
  broken('the bundle answers and then fails', bundle(`process.stdout.write(${JSON.stringify(REPLY_PASS)}); process.exitCode = 1`)),
  broken(
    'the bundle answers and is then killed',
    bundle(`require("node:fs").writeSync(1, ${JSON.stringify(REPLY_PASS)}); process.kill(process.pid, "SIGKILL")`),
  ),
  broken('the bundle is cut in half', ({ gate }) => {
    const undo = replaced(gate.hookBundle, '');
    copyFileSync(`${gate.hookBundle}.kept`, gate.hookBundle);
    truncateSync(gate.hookBundle, Math.floor(readFileSync(gate.hookBundle).length / 2));
    return undo;
  }),
  broken('the bundle is missing', ({ gate }) => gone(gate.hookBundle)),
  broken('all bundles are missing', ({ box }) => gone(box.layout.lib)),
  broken('the launchers are missing', ({ box }) => gone(box.layout.bin)),
  broken('the whole data folder is missing', ({ box }) => gone(box.layout.root)),
  broken('the rules are corrupt', ({ gate }) => withoutGoodCopy(gate, replaced(gate.rules, '{"rules": ['))),
  broken('the rules are missing', ({ gate }) => withoutGoodCopy(gate, gone(gate.rules))),
  broken('the journal cannot be written', ({ box }) => {
    const undo = existsSync(box.layout.journal) ? gone(box.layout.journal) : () => rmSync(box.layout.journal, { force: true });
    writeFileSync(box.layout.journal, 'not a folder');
    return undo;
  }),

  brokerless(
    'the broker accepts and closes',
    impostor((socket) => socket.destroy()),
  ),
  brokerless('the broker reads the call and closes', answering('')),
  brokerless('the broker answers garbage', answering('all is well')),
  brokerless('the broker answers an allow of its own', answering(ALLOW)),
  brokerless('the broker answers with a cut-off pass', answering(REPLY_PASS.slice(0, -4))),
  brokerless('the broker answers with a cut-off print', answering(`${REPLY_PRINT}${ALLOW}`)),
  brokerless('the broker logs a line before its pass', answering(`starting\n${REPLY_PASS}`)),
  brokerless('the broker logs a line after its pass', answering(`${REPLY_PASS}\ndone`)),
  brokerless('the broker answers twice', answering(REPLY_PASS + REPLY_PASS)),
  brokerless('the broker sends a byte order mark', answering(`\ufeff${REPLY_PASS}`)),
  brokerless('the broker sends a heartbeat and closes', answering(HEARTBEAT)),
  brokerless(
    'the broker accepts and stays silent',
    impostor((socket) => socket.resume()),
  ),
  brokerless(
    'the broker does not even read',
    impostor((socket) => socket.pause()),
  ),
  brokerless('the broker is stopped before the call', async ({ box }) => {
    const broker = await serve(box);
    broker.kill('SIGSTOP');
    return () => broker.stop();
  }),
  brokerless('the broker is stopped while it holds the call', whileHeld('SIGSTOP')),
  brokerless('the broker is killed while it holds the call', whileHeld('SIGKILL')),
  brokerless('a dead broker left its socket behind', async ({ box }) => {
    const broker = await serve(box);
    broker.kill('SIGKILL');
    await broker.ended;
    return () => broker.stop();
  }),

  // Last: from here on every request carries it.
  { name: 'the payload is over the limit', call: 'huge', runs: false, says: REASON, arrange: () => nothing },
  { name: 'control: a harmless call after all that', call: 'harmless', runs: true, says: /./, arrange: () => nothing },
];

/** As on a machine without a node of its own: the launcher would rightly use that one. */
function withoutOtherNode(gate: InstalledGate): Undo {
  const script = readFileSync(gate.hookScript, 'utf8');
  const lonely = script.replace(/^PATH=.*$/m, "PATH='/nonexistent'").replaceAll(/'\/(?:usr|opt)[^' ]*\/node'/g, "'/nonexistent/node'");
  return replaced(gate.hookScript, lonely);
}

/** The last good copy of the rules stands in for broken ones; these rows are about having neither. */
function withoutGoodCopy(gate: InstalledGate, undo: Undo): Undo {
  const undoCopy = existsSync(gate.goodRules) ? gone(gate.goodRules) : nothing;
  return async () => {
    await undo();
    await undoCopy();
  };
}
