/** How often a word stands in ordinary text: about, from counts over prose, source code, JSON, logs and manuals. Only whoever builds an index asks. */

/** Lists of words, and how often each of them stands in 1024 units; what is in no list is rarer than the last. */
const LISTS: readonly (readonly [often: number, words: string])[] = [
  [6, 'the'],
  [2, 'to and of in is a it for if com this that be'],
  [
    0.9,
    'on as or with from not by an at are was you string const return import name type value text function null number true false id use user file all http https github new data key no',
  ],
  [
    0.4,
    'have has will can we your its they their been which when then than into more only one each every also any other some such these those would should could may must about after before first over out up so do does what who how but end start list read write open close get set add run call test code line path url key item items error result results message status order orders total index option options config content string object array map export default class public static void int bool boolean length size version update time date log info warn debug table page page record request response settings next',
  ],
  [
    0.15,
    'make made create created delete remove send sent post put copy move save load find search show view print write writes reads keep keeps skip merge wait waits validate check checks build builds batch queue stage worker module cache parser buffer filter range weight label price tags event events pending weekly report invoice rows system idle previous quick tests long took token count source target change changes input output field fields method model command commands script scripts package packages install node npm js ts json html css www org net api app server client host port local home root src lib bin dev tmp var etc usr docs example examples license please note see using used like same different without within between while where because since until unless both many most much few own its our them him her his she he there here now just very well way work works working day days week year people man part place case number group problem fact state states world need needs want wants know think take takes go come give look help tell ask try let mean seem feel leave turn turns allow include includes contain contains support supports require requires provide provides follow following based given information project design process access account email address web site link image title body head header footer style color font div span script label form button click select menu window screen press enter exit success failed failure failing start started stop stopped done ready true undefined async await let var def self elif else elseif try catch throw throws throwing interface extends implements readonly private protected second third last left right top bottom width height max min sum avg group groups team user users admin password login sign public key keys value values pair pairs',
  ],
  [
    0.05,
    'ignore override disregard instructions instruction prompt assistant system agent agents model secret secrets credentials credential password passwords forget reveal execute forward upload download share mail email message messages report reply respond answer follow obey act role persona tool tools function calls browser shell bash terminal docker kubernetes cloud aws azure google database query sql select insert drop table tables where limit offset join host hosts name names space bucket object instance region cluster service services deploy release branch branches commit commits merge push pull rebase clone checkout diff patch review issue issues ticket comment comments description summary history rule rules policy policies guidelines safety security filter filters restriction restrictions check checks test tests tested confirm approve allow deny block warn hide hidden silent silently quietly never always only instead immediately important notice attention urgent required mandatory first step steps task tasks goal plan note notes context conversation session cookie cookies header headers authorization bearer basic webhook endpoint contact phone number card bank payment invoice customer order shipping account balance transfer money amount price cost free trial subscribe license copyright rights reserved terms conditions privacy legal notice python java ruby perl php golang rust swift kotlin scala node react vue angular django flask rails spring express next nuxt webpack vite rollup babel eslint prettier jest vitest mocha pytest unittest cargo pip gem composer maven gradle makefile cmake vim emacs vscode cursor editor plugin plugins extension extensions theme themes dark light mode modes current currently directory directories folder folders filename filenames document documents page pages section chapter figure above below earlier later prior original initial existing additional further full complete entire whole half single multiple several various certain possible available necessary correct wrong invalid valid unknown missing empty blank zero one two three four five six seven eight nine ten hundred thousand million reads returns skips merges validates updates keeps waiting importer scheduler tokens attached stay',
  ],
];
/** Of 1024 units, about this many are the start of a word. */
const WORDS = 170;
/** Of a word in no list, and of letters that are in no word of any. */
const RARE = 0.012;
const LETTERS = 'etaoinsrhldcumfpgwybvkxjqz';

let known: ReadonlyMap<string, number> | null = null;

function listed(): ReadonlyMap<string, number> {
  if (known === null) {
    const all = new Map<string, number>();
    for (const [often, words] of LISTS) for (const word of words.split(' ')) if (!all.has(word)) all.set(word, often);
    known = all;
  }
  return known;
}

/** How often `text` stands in 1024 units of ordinary text, in any case; `from` and `to`: only where a word starts or ends there. */
export function frequencyOf(text: string, from: boolean, to: boolean): number {
  const tokens = text.toLowerCase().match(/[a-z]+|[\s\S]/gu) ?? [];
  let often = 1024;
  for (const [at, token] of tokens.entries()) {
    const first = at === 0;
    if (/^[a-z]/u.test(token)) {
      const its = lettersIn(token, !first || from, at < tokens.length - 1 || to);
      // What follows a sign starts a word anyway.
      often *= its / (first ? 1024 : WORDS);
    } else often *= signIn(token, first);
  }
  return often;
}

const cache = new Map<string, number>();

function lettersIn(letters: string, from: boolean, to: boolean): number {
  const key = `${from ? '^' : ''}${letters}${to ? '$' : ''}`;
  const before = cache.get(key);
  if (before !== undefined) return before;
  // Letters that follow each other by chance, more likely than apart.
  let chance = 1024;
  for (const letter of letters) chance *= Math.min(0.25, (0.24 * (26 - LETTERS.indexOf(letter))) / 60);
  let sum = from && to ? Math.min(RARE, chance / 4) : Math.min(chance, 20);
  for (const [word, often] of listed()) {
    if (from && to ? word === letters : from ? word.startsWith(letters) : to ? word.endsWith(letters) : word.includes(letters))
      sum += often;
  }
  cache.set(key, sum);
  return sum;
}

let pieces: ReadonlyMap<string, number> | null = null;

/** How often two to four units stand in 1024: quicker than `frequencyOf`, and good enough to compare them. */
export function pieceFrequency(text: string): number {
  if (pieces === null) {
    const all = new Map<string, number>();
    for (const [word, often] of listed()) {
      const padded = ` ${word} `;
      for (let at = 0; at < padded.length; at++)
        for (let size = 2; size <= 4 && at + size <= padded.length; size++) {
          const piece = padded.slice(at, at + size);
          all.set(piece, (all.get(piece) ?? 0) + often);
        }
    }
    pieces = all;
  }
  let chance = 1024;
  for (const unit of text) chance *= /[a-z]/u.test(unit) ? (0.24 * (26 - LETTERS.indexOf(unit))) / 60 : signIn(unit, true);
  return (pieces.get(text) ?? 0) + chance;
}

/** How likely a sign stands at a place, or follows a word. */
function signIn(sign: string, first: boolean): number {
  if (sign === ' ') return first ? 0.15 : 0.6;
  if (sign === '\n') return first ? 0.025 : 0.1;
  if (/[.,/:()='"-]/u.test(sign)) return first ? 0.013 : 0.1;
  if (/[0-9]/u.test(sign)) return first ? 0.008 : 0.05;
  return /[[\]{}<>;|#*_`]/u.test(sign) ? 0.004 : 0.0006;
}
