import { checkedSample } from '#node/rulepack/sampleChecksums.ts';

/**
 * Samples of secrets are written as generators, `${alnum:36}`, and expanded the same way every time:
 * the repository holds nothing that a secret scanner, or a person, could take for a real one.
 */
const ALPHABETS: Readonly<Record<string, string>> = {
  alnum: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  lower: 'abcdefghijklmnopqrstuvwxyz0123456789',
  hex: '0123456789abcdef',
  digits: '0123456789',
  caps: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  letters: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
  base64: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
};

/**
 * Expands `${<alphabet>:<length>}`, `${b64:<text>}` (base64 of the text), `${hexof:<text>}`, `${char:<hex code>}` and
 * `${repeat:<text>:<times>}`, `${checked:<checksum>:<pattern>}` (a text that passes it). Unknown names are left alone: shells write `${HOME}` too.
 */
export function expandSample(text: string): string {
  return text.replace(/\$\{([a-z0-9]+):([^{}]*)\}/gu, (whole, name: string, rest: string) => {
    const alphabet = ALPHABETS[name];
    if (alphabet !== undefined && /^\d+$/u.test(rest)) return draw(alphabet, Number(rest), `${name}:${rest}`);
    if (name === 'b64') return Buffer.from(rest, 'utf8').toString('base64');
    if (name === 'hexof') return Buffer.from(rest, 'utf8').toString('hex');
    if (name === 'char') return String.fromCodePoint(Number.parseInt(rest, 16));
    const checked = name === 'checked' ? /^([a-z0-9-]+):(.*)$/su.exec(rest) : null;
    if (checked) return checkedSample(checked[1] ?? '', checked[2] ?? '', draw) ?? whole;
    const repeat = name === 'repeat' ? /^(.*):(\d+)$/su.exec(rest) : null;
    return repeat ? (repeat[1] ?? '').repeat(Number(repeat[2])) : whole;
  });
}

/** Characters that look random (no run, even spread) but are the same on every machine. */
function draw(alphabet: string, length: number, seed: string): string {
  let state = 0x9e3779b9;
  for (const char of seed) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 0x85ebca6b) >>> 0;
  let out = '';
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out += alphabet[(state >>> 8) % alphabet.length] ?? '';
  }
  return out;
}
