/** Order of our own versions, `1.2.3` with an optional `-suffix` that comes before the plain one. */
const parts = (version: string): number[] => (/^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);

/** True when `a` comes after `b`. What is not a version comes before everything that is. */
export function newerVersion(a: string, b: string): boolean {
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? -1) - (right[index] ?? -1);
    if (difference !== 0) return difference > 0;
  }
  const [preA, preB] = [a.includes('-'), b.includes('-')];
  if (preA !== preB) return preB;
  return a > b;
}
