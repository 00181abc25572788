/** Times as people read them. Callers pass `now`. */

/** Minutes and seconds left, `4:05`; never negative. */
export function timeLeft(until: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** The same for a screen reader. */
export function timeLeftSpoken(until: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  const minutes = Math.floor(seconds / 60);
  const words = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? '' : 's'}`;
  return minutes === 0 ? words(seconds, 'second') : `${words(minutes, 'minute')} ${words(seconds % 60, 'second')}`;
}

/** Clock time today, date and time otherwise, in the reader's own zone. */
export function whenText(time: number, now: number): string {
  const date = new Date(time);
  const clock = date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  return date.toDateString() === new Date(now).toDateString() ? clock : `${date.toLocaleDateString()} ${clock}`;
}
