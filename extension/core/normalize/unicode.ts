/**
 * Folds text to what a reader or a shell would take it for, keeping a way back to the original offsets.
 * Sources: UAX #15 (NFKC), UAX #9 (bidi controls), UTS #39 (confusables; only letters used to spell commands and paths).
 */
export interface Folded {
  readonly text: string;
  /** Original offset of each unit of `text`, and of its end; null when nothing changed. */
  readonly offsets: Int32Array | null;
  readonly hidden: Hidden;
}

/** Invisible characters seen, by kind. */
export interface Hidden {
  readonly zeroWidth: number;
  readonly bidi: number;
  readonly nul: number;
  /** ASCII text spelt in Unicode tag characters, outside flag emoji. */
  readonly tagText: string;
  /** Offset of the first hidden character; -1 if none. */
  readonly first: number;
}

const NONE: Hidden = { zeroWidth: 0, bidi: 0, nul: 0, tagText: '', first: -1 };
/** Longer compatibility forms are whole words in one sign; nothing is spelt with them, and they would make the text many times longer. */
const MAX_COMPOSED = 3;
const PLAIN = /^[\t\n\u0020-\u007e]*$/u;

/** Letters of other scripts that look like Latin ones. */
const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  [...'аaеeоoрpсcуyхxіiјjѕsԁdһhԛqԝwАAВBЕEКKМMНHОOРPСCТTХXΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοoνvαaιi∕/⁄/∖\\'].reduce<[string, string][]>(
    (pairs, char, index, all) => {
      if (index % 2 === 0) pairs.push([char, all[index + 1] ?? char]);
      return pairs;
    },
    [],
  ),
);

export function fold(text: string): Folded {
  if (PLAIN.test(text)) return { text, offsets: null, hidden: NONE };
  const out: string[] = [];
  const offsets: number[] = [];
  let zeroWidth = 0;
  let bidi = 0;
  let nul = 0;
  let tagText = '';
  let first = -1;
  let inFlag = false;
  let index = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const at = index;
    index += char.length;
    if (code < 0x80) {
      inFlag = false;
      if (code === 0) {
        nul++;
        if (first < 0) first = at;
        continue;
      }
      // A lone carriage return hides what came before it on a terminal; treat it as the line break it looks like.
      out.push(code === 0x0d ? '\n' : char);
      offsets.push(at);
      continue;
    }
    if (code >= 0xe0000 && code <= 0xe007f) {
      if (!inFlag) {
        if (code >= 0xe0020 && code < 0xe007f) tagText += String.fromCodePoint(code - 0xe0000);
        if (first < 0) first = at;
      }
      continue;
    }
    inFlag = code === 0x1f3f4;
    if (isBidiControl(code)) {
      bidi++;
      if (first < 0) first = at;
      continue;
    }
    if (isInvisible(code)) {
      zeroWidth++;
      if (first < 0) first = at;
      continue;
    }
    const composed = LOOK_ALIKES.get(char) ?? char.normalize('NFKC');
    const plain = composed.length > MAX_COMPOSED ? char : composed;
    for (const unit of plain) {
      const replaced = LOOK_ALIKES.get(unit) ?? unit;
      for (let piece = 0; piece < replaced.length; piece++) offsets.push(at);
      out.push(replaced);
    }
  }
  offsets.push(text.length);
  return { text: out.join(''), offsets: Int32Array.from(offsets), hidden: { zeroWidth, bidi, nul, tagText, first } };
}

/** Overrides, embeddings and isolates; the plain direction marks U+200E and U+200F are ordinary in right-to-left text. */
function isBidiControl(code: number): boolean {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

function isInvisible(code: number): boolean {
  return (
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2060 && code <= 0x2064) ||
    (code >= 0x206a && code <= 0x206f) ||
    code === 0xfeff ||
    code === 0x00ad ||
    code === 0x180e ||
    code === 0x034f ||
    code === 0x115f ||
    code === 0x1160 ||
    code === 0x3164 ||
    code === 0xffa0 ||
    (code >= 0xfe00 && code <= 0xfe0f) ||
    (code >= 0xe0100 && code <= 0xe01ef)
  );
}

/** The original span of a stretch of folded text. */
export function originalSpan(offsets: Int32Array | null, start: number, end: number): { start: number; end: number } {
  if (offsets === null) return { start, end };
  const last = offsets[offsets.length - 1] ?? end;
  const from = offsets[start] ?? last;
  return { start: from, end: Math.max(from, end > start ? (offsets[end] ?? last) : from) };
}
