/**
 * A process of the lock's test: takes the lock, says that it is inside, and gives it back, until it is killed. Before it gives the lock
 * back it often leaves a lock whose owner is long gone in its place, which all the others then meet. Prints a line for each lock it
 * held; one that begins with `TWO` when another living process was inside.
 */
import { linkSync, lstatSync, readFileSync, readlinkSync, renameSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createJournalLock } from '#home/journal/journalLock.ts';
import { errorCode } from '#home/privateFile.ts';
import { isRunning, ownIdentity, parseIdentity } from '#home/processIdentity.ts';

const [folder = '', deadPid = ''] = process.argv.slice(2);
const identity = ownIdentity();
const lock = createJournalLock(folder, identity, 20_000);
const inside = join(folder, 'inside');
const own = join(folder, `inside-${process.pid}`);
const scope = `${hostname()}/${readlinkSync('/proc/self/ns/pid')}`;
writeFileSync(own, identity);
writeSync(1, 'ready\n');

const spin = (ms: number): void => {
  for (const until = performance.now() + ms; performance.now() < until;);
};

for (let turn = 0; ; turn += 1) {
  lock.acquire();
  let word = 'held';
  try {
    linkSync(own, inside);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    const other = parseIdentity(readFileSync(inside, 'utf8'));
    if (other !== null && isRunning(other)) word = `TWO ${other.pid} was inside when ${process.pid} came`;
    // Killed inside: its lock was broken, and its mark is ours to take away.
    unlinkSync(inside);
    linkSync(own, inside);
  }
  spin(Math.random() * 0.2);
  if (readFileSync(inside, 'utf8') !== identity || lstatSync(inside).ino !== lstatSync(own).ino)
    word = `TWO another came to ${process.pid}`;
  if (!lock.held()) word = `TWO the lock of ${process.pid} was broken`;
  unlinkSync(inside);
  if (Math.random() < 0.7) {
    const name = `planted-${process.pid}-${turn}`;
    const dead = join(folder, name);
    writeFileSync(dead, `${deadPid}:1 ${scope} ${name}\n`);
    // Some who came to break it have ended too.
    for (let claim = 0; Math.random() < 0.5; claim += 1) linkSync(dead, join(folder, `break-${name}-${claim}`));
    // By one rename, as if its owner had taken the lock from us and ended in the same moment.
    renameSync(dead, join(folder, 'lock'));
  } else lock.release();
  writeSync(1, `${word}\n`);
}
