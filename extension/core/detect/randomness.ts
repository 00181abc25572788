/** Tells characters drawn at random from names, words and numbers that people write: for values no issuer's format vouches for. */
import { entropy } from '#core/detect/entropy.ts';

/** For every letter those that commonly follow it in English words and in the names of code. */
const FOLLOWS: Readonly<Record<string, string>> = {
  a: 'bcdgiklmnprstuvy',
  b: 'aeilorujbys',
  c: 'acehiklortuys',
  d: 'adeiorsuybm',
  e: 'abcdefgilmnpqrstvxwyk',
  f: 'aefilorut',
  g: 'aeghilnorus',
  h: 'aeiortu',
  i: 'abcdefgklmnoprstvz',
  j: 'aeous',
  k: 'einsy',
  l: 'adefilostuyv',
  m: 'abeimopusyl',
  n: 'acdefgiklnostuvy',
  o: 'abcdefgiklmnoprstuvw',
  p: 'aehiloprstuyi',
  q: 'u',
  r: 'acdefgiklmnorstuvy',
  s: 'acehiklmopqstuwy',
  t: 'aehiorstuwyp',
  u: 'abcdegilmnprst',
  v: 'aeio',
  w: 'aehinors',
  x: 'acehipt',
  y: 'aeimnopst',
  z: 'aeioz',
};
const UNLIKELY = 0.36;
const MIN_LENGTH = 8;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu;
/** Values that are long and odd, but say what they are. */
const KNOWN_FORM =
  /^(?:\d{4}-\d\d-\d\d.*|v?\d{1,4}(?:\.\d{1,5}){1,4}.*|[a-z]{2,10}:\/\/.*|data:.*|(?:sha\d{1,3}|md5)[-:].*|\/.*|\.{1,2}\/.*|#[0-9a-f]{3,8}|[\d.,:+-]*|arn:.*|-----.*|(?:pk|pub|public)[_-].*|.*insecure.*|AAAA[BCE]3NzaC.*|[\w.+-]{1,60}@[\w-]{1,60}\.[\w.]{2,60}|[^=]{1,60}\.(?:json|ya?ml|js|ts|py|go|rb|txt|md|pem|crt|key|html?|css|png|svg|sh|php|java|xml|toml|lock))$/iu;
const NAME = /^(?:[A-Za-z][a-z]{1,20}){1,8}\d{0,2}$|^[A-Za-z]{1,20}(?:[-_.:/][A-Za-z]{0,20}){1,10}\d{0,3}$/u;

/** Whether the value looks drawn at random: keys, tokens, generated passwords. Of 8 characters at least. */
export function looksRandom(value: string): boolean {
  if (value.length < MIN_LENGTH || KNOWN_FORM.test(value)) return false;
  if (UUID.test(value)) return entropy(value) > 2.5;
  const digits = value.replace(/\D/gu, '').length;
  if (digits === 0 && value.length < 16) return false;
  // Names break no rule of spelling; keys break one at every third pair.
  const limit = NAME.test(value) ? UNLIKELY + 0.12 : UNLIKELY;
  return oddness(value) >= limit && entropy(value) >= Math.min(2.9, Math.log2(value.length) - 1);
}

/** Share of neighbouring pairs that words and names do not have, 0 to 1. */
function oddness(value: string): number {
  let pairs = 0;
  let odd = 0;
  for (let index = 1; index < value.length; index++) {
    const a = kindOf(value.charCodeAt(index - 1));
    const b = kindOf(value.charCodeAt(index));
    if (a === 'other' || b === 'other') continue;
    pairs++;
    if (a === 'digit' && b === 'digit') odd += 0.35;
    else if (a === 'digit' || b === 'digit') odd++;
    else if (a === 'lower' && b === 'upper') odd += 0.35;
    else if (!(FOLLOWS[(value[index - 1] ?? '').toLowerCase()] ?? '').includes((value[index] ?? '').toLowerCase())) odd++;
  }
  return pairs === 0 ? 0 : odd / pairs;
}

function kindOf(code: number): 'lower' | 'upper' | 'digit' | 'other' {
  if (code >= 97 && code <= 122) return 'lower';
  if (code >= 65 && code <= 90) return 'upper';
  return code >= 48 && code <= 57 ? 'digit' : 'other';
}

/** What tutorials, fixtures and local set-ups use; whoever reads these learns nothing. */
const COMMON_PASSWORD =
  /^(?:(?:my|the|your|test|some|new|old|super|top|db|user|admin|root|guest|demo|local|dev|default|app|strong|very|secure|example|sample|fake|dummy|wrong|bad|invalid|correct|valid|another|different|plain|hashed|temp|initial|current|confirm|p[a4@]ss(?:w[o0]rd|wd|phrase|code)?|pwd|secret|token|key|changeme|change|change_?it|letmein|qwerty|abc|foo|bar|baz|hello|world|welcome|postgres|mysql|redis|mongo|rabbitmq|minio|minioadmin|sa|elastic|grafana|nobody|null|none|undefined|empty|required|value|string|input|field|hunter2|monkey|dragon|me|it|is|a|please|now)[-_ .]?){1,6}[\d!.?*@#$]{0,8}$/iu;

/** Whether somebody could have chosen or been given this as a password: letters and more, or drawn at random, and not a common placeholder. */
export function looksPassword(value: string): boolean {
  if (value.length < 6 || KNOWN_FORM.test(value) || COMMON_PASSWORD.test(value)) return false;
  const classes = [/[a-z]/u, /[A-Z]/u, /\d/u, /[^\w\s]/u].filter((pattern) => pattern.test(value)).length;
  if (value.length >= 8 && looksRandom(value)) return true;
  if (/[(){}[\]<>\s;]/u.test(value) || /^[$%&*.]/u.test(value)) return false;
  // A name followed by a number, `user1`, is a name; a word with digits inside or with marks is a password.
  const marks = /[!@#$%^&*?~+=]/u.test(value);
  return (
    value.length >= 8 &&
    /[A-Za-z]/u.test(value) &&
    ((classes >= 3 && (marks || /\d/u.test(value))) || (marks && /\d/u.test(value))) &&
    !/^[\w.-]{1,60}[:/][\w./:-]{1,200}$/u.test(value)
  );
}
