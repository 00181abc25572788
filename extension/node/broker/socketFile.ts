/** A server's socket in the file system: put there in one step, missed when it is gone or another's, and put back. */
import { chmodSync, lstatSync, renameSync } from 'node:fs';
import type { Server } from 'node:net';
import { dirname, join } from 'node:path';
import { errorCode, removeIfThere } from '#home/privateFile.ts';

export interface SocketFile {
  /** Only this user may use it. @throws Error when the server cannot listen. */
  readonly listen: () => Promise<void>;
  /** Whether the name still leads to this server. */
  readonly isThere: () => boolean;
  /** Takes the name away, if it is still ours. */
  readonly remove: () => void;
}

export function socketFile(server: Server, path: string): SocketFile {
  if (process.platform === 'win32') {
    // Pipes go with their server, and nobody can put another in their place.
    return { listen: () => listenOn(server, path), isThere: () => true, remove: () => undefined };
  }
  let own: string | null = null;
  const isThere = (): boolean => own !== null && identityOf(path) === own;
  return {
    listen: async () => {
      // A server that lost its name listens once more; connections it has already go on.
      if (server.listening) server.close();
      // When a server closes, libuv unlinks the path it was given, whoever's socket is there by then; so it is given
      // another. No longer than our shortest name: a socket's path is bounded.
      const temporary = join(dirname(path), `n${process.pid}`);
      removeIfThere(temporary);
      await listenOn(server, temporary);
      chmodSync(temporary, 0o600);
      own = identityOf(temporary);
      renameSync(temporary, path);
    },
    isThere,
    remove: () => void (isThere() && removeIfThere(path)),
  };
}

function listenOn(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Null when nothing is there. A number of an inode may be used again, so the time of its making counts too. */
function identityOf(path: string): string | null {
  try {
    const { dev, ino, birthtimeMs } = lstatSync(path);
    return `${dev}:${ino}:${birthtimeMs}`;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null;
    throw error;
  }
}
