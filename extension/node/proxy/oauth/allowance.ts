/** So many times within so many milliseconds, and no more. */
export interface Allowance {
  readonly most: number;
  readonly windowMs: number;
}

/** Each call that is answered with true uses one up. */
export function allowance({ most, windowMs }: Allowance): () => boolean {
  let times: readonly number[] = [];
  return () => {
    const now = Date.now();
    times = times.filter((at) => now - at < windowMs);
    if (times.length >= most) return false;
    times = [...times, now];
    return true;
  };
}
