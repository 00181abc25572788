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
  return nestedProblem(bare);
}

/** Repeats inside repeats multiply: more tries than this at one place is too slow on text made for it. */
const MAX_PRODUCT = 1000;

/** A long repeat of a group that is itself made of long repeats with nothing fixed beside them: the usual super-linear shape. */
function nestedProblem(bare: string): string | null {
  for (const [, body = '', high] of bare.matchAll(/\((?:\?:)?([^()]*)\)\{\d+(?:,(\d+))?\}/gu)) {
    const inner = /^x?\w?\{\d+,(\d+)\}$/u.exec(body);
    if (inner && Number(inner[1]) * Number(high ?? 1) > MAX_PRODUCT / 2)
      return `a repeat nested in a repeat can match in too many ways (${inner[1]} × ${high}); make one of them shorter or put something fixed between`;
  }
  return null;
}

/** The regex with character classes and escapes blanked out, so that only its operators are left to look at. */
function withoutClasses(regex: string): string {
  return regex.replace(/\\(?:[pPu]\{[^}]*\}|[\s\S])/gu, 'x').replace(/\[[^\]]*\]/gu, 'x');
}
