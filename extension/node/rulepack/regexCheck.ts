import { stepsOf } from '#node/rulepack/regexCost.ts';

/** Most steps from one place of a text, as overestimated from the regex's form; `slowness` measures what lies below. */
const MAX_STEPS = 1e12;
/** Longest repeat a rule may ask for. */
const MAX_REPEAT = 4096;

/** Why a rule's regex may not be used; null when it may. */
export function regexProblem(regex: string, flags: string): string | null {
  try {
    new RegExp(regex, `${flags}u`);
  } catch (error) {
    return `not a valid regex with the u flag (${error instanceof Error ? error.message : String(error)})`;
  }
  const bare = withoutClasses(regex);
  if (/(?:[^\\]|^)(?:\\\\)*[*+]/u.test(bare)) return 'unbounded repeats (* and +) are not allowed; write {0,200} or the like';
  if (/\{\d+,\}/u.test(bare)) return 'an open repeat {n,} is not allowed; give an upper bound';
  for (const [, low, high] of bare.matchAll(/\{(\d+)(?:,(\d+))?\}/gu)) {
    if (Number(high ?? low) > MAX_REPEAT) return `a repeat of more than ${MAX_REPEAT} is not allowed`;
  }
  const steps = stepsOf(regex, flags);
  if (steps === null) return 'a form that cannot be checked for speed (inline modifiers?)';
  return steps > MAX_STEPS
    ? 'repeats nested in repeats can match one text in too many ways; make one of them shorter or put something fixed between'
    : null;
}

/** The regex with character classes and escapes blanked out, so that only its operators are left to look at. */
function withoutClasses(regex: string): string {
  return regex.replace(/\\(?:[pPu]\{[^}]*\}|[\s\S])/gu, 'x').replace(/\[[^\]]*\]/gu, 'x');
}
