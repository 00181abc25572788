/** Points in time as people type them. */
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const DATE_AND_TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:?\d\d)?$/;

export const TIME_FORMS = 'a time such as 2026-01-31, 2026-01-31T14:05, 2h (ago), yesterday or today';

/** `90s`, `5m`, `2h`, `7d`, `1w` in milliseconds; null for anything else. */
export function parseSpan(text: string): number | null {
  const [, count, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  const ms = UNIT_MS[unit ?? ''];
  return count === undefined || ms === undefined ? null : Number(count) * ms;
}

/** Milliseconds since 1970; days begin at midnight here unless a zone is named. Null when it is no time. */
export function parseTime(text: string, now: number): number | null {
  const span = parseSpan(text);
  if (span !== null) return now - span;
  const midnight = (days: number): number => {
    const date = new Date(now);
    return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days).getTime();
  };
  if (text === 'now') return now;
  if (text === 'today') return midnight(0);
  if (text === 'yesterday') return midnight(-1);
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (year !== undefined) {
    const date = new Date(Number(year), Number(month) - 1, Number(day));
    return date.getMonth() === Number(month) - 1 && date.getDate() === Number(day) ? date.getTime() : null;
  }
  if (!DATE_AND_TIME.test(text)) return null;
  const time = Date.parse(text.replace(' ', 'T'));
  return Number.isNaN(time) ? null : time;
}
