/** Tells whether text reads as English sentences: how the engine knows that an encoding was undone rightly, and that it hid something to be read. */

/** Words common in any text, and words of orders to a model. */
const COMMON = (
  'the and you your all are for not with this that from what have can will now when tell me my to is in of it be as or an do on if any use ' +
  'ignore previous instructions instruction disregard forget override system prompt password secret reveal execute command run delete send file ' +
  'directives rules prior above user key token instead please must should follow credentials hidden before been share show print data access mode'
).split(' ');
let known: ReadonlySet<string> | null = null;

/** Different common words in `text`, at most `most`. */
export function commonWords(text: string, most: number): number {
  known ??= new Set(COMMON);
  const found = new Set<string>();
  for (const hit of text
    .slice(0, 4000)
    .toLowerCase()
    .matchAll(/[a-z]{2,12}/gu)) {
    if (!known.has(hit[0])) continue;
    found.add(hit[0]);
    if (found.size >= most) break;
  }
  return found.size;
}

export const commonList = (): readonly string[] => COMMON;

/** Four words in a row as a person writes them. */
const SENTENCE = /(?:^|[^\w$./\\-])(?:[A-Za-z]{0,1}[a-z']{1,14}[,.;:!?)"']{0,2}[ \n]{1,2}){3}[A-Za-z]{1,15}(?![\w(={[])/u;

/** Whether `text` holds at least one sentence of English, or of another language in plain Latin letters. */
export const isProse = (text: string): boolean => text.length >= 14 && SENTENCE.test(text.length > 20_000 ? text.slice(0, 20_000) : text);

/** Words with which a command line starts; short encoded text is worth a look only if it is one. */
const COMMAND =
  /(?:^|[\s;|&`(])(?:rm|curl|wget|bash|sh|zsh|cat|nc|ncat|python3?|perl|ruby|node|php|powershell|pwsh|cmd|chmod|chown|sudo|whoami|id|env|printenv|eval|exec|ssh|scp|dd|mkfs|base64|iex|Invoke-\w{1,30}|certutil|reboot|shutdown|kill|ls|echo|export|crontab|git|npm|npx|pip)(?:$|[\s;|&)-])|\/(?:etc|bin|dev|tmp)\/|https?:\/\//u;

export const isCommand = (text: string): boolean => COMMAND.test(text.length > 4000 ? text.slice(0, 4000) : text);
