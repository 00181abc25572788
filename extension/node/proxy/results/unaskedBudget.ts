/** A server that floods its client with log messages has every one judged, and that takes the time of whoever else the broker serves. */

/** In one window; beyond it the server is not read until the window is over. A message costs about as much as its text is long. */
const WINDOW_MS = 100;
const MESSAGES = 200;
const BYTES_AS_ONE = 2048;

/** `pause` is called when a server has said more than its share, `resume` when it may go on. Timers keep no process alive. */
export function unaskedBudget(pause: () => void, resume: () => void): (bytes: number) => void {
  let began = 0;
  let spent = 0;
  let paused = false;
  return (bytes) => {
    const now = performance.now();
    if (now - began >= WINDOW_MS) {
      began = now;
      spent = 0;
    }
    spent += 1 + bytes / BYTES_AS_ONE;
    if (spent < MESSAGES || paused) return;
    paused = true;
    pause();
    setTimeout(() => {
      paused = false;
      resume();
    }, WINDOW_MS).unref();
  };
}
