/** Ends a server whose broker was killed before it could: one that does not heed the end of its input would stay for ever. */
import { processStart, type ProcessIdentity } from '#home/processIdentity.ts';
import { noteOffspring, processTable, remaining, signalAll } from '#node/proxy/transports/offspring.ts';
import type { Offspring, ProcessTable } from '#node/proxy/transports/offspring.ts';

/** For leaving by itself, and again after it was asked to. */
const HEED_MS = 400;
const LOOK_MS = 40;

/** @param server the leader of its process group; what is not there any more is left alone. Nothing is known of processes on Windows. */
export async function endAbandoned(server: ProcessIdentity): Promise<void> {
  const { pid: leader, start } = server;
  const now = processStart(leader);
  // It left long ago, and its number is somebody else's.
  if (now !== null && now !== start) return;
  const seen: Offspring = new Map();
  let table: ProcessTable = new Map();
  const left = (): readonly number[] => {
    table = processTable();
    noteOffspring(leader, seen, table);
    const group = [...table.values()].filter((row) => row.session === leader).map((row) => row.pid);
    return [...new Set([...group, ...remaining(seen, table)])];
  };
  for (const signal of [null, 'SIGTERM', 'SIGKILL'] as const) {
    const pids = left();
    if (pids.length === 0) return;
    if (signal !== null) signalAll(pids, signal);
    for (const deadline = Date.now() + HEED_MS; Date.now() < deadline && left().length > 0;)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
