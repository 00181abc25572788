/** Folding: what is spelt to deceive becomes plain, what is written in its own script stays, and every offset leads back. */
import { describe, expect, it } from 'vitest';
import { fold, originalSpan } from '#core/normalize/unicode.ts';

const tags = (text: string): string => [...text].map((char) => String.fromCodePoint(0xe0000 + (char.codePointAt(0) ?? 0))).join('');
const selectors = (text: string): string =>
  [...Buffer.from(text)].map((byte) => String.fromCodePoint(byte < 16 ? 0xfe00 + byte : 0xe0100 + byte - 16)).join('');

/** As written, as folded. */
const FOLDED: readonly (readonly [string, string])[] = [
  ['\uff49\uff47\uff4e\uff4f\uff52\uff45', 'ignore'],
  ['\u{1d4f2}\u{1d4f0}\u{1d4f7}\u{1d4f8}\u{1d4fb}\u{1d4ee}', 'ignore'],
  ['\u24d8\u24d6\u24dd\u24de\u24e1\u24d4', 'ignore'],
  ['\u{1f178}\u{1f176}\u{1f17d}ore', 'ignore'],
  ['\u{1f1ee} \u{1f1ec}', 'i g'],
  ['\u026a\u0262\u0274\u1d0f\u0280\u1d07 it', 'ignore it'],
  ['ign\u043er\u0435', 'ignore'],
  ['\u0456gn\u03bfre', 'ignore'],
  ['p\u0430ssw\u0585rd', 'password'],
  ['\u13a2\u13aa\u13de\u13de \u13a2HIS', 'TALL THIS'],
  ['\ua4d3\ua4e0\ua4f3 now', 'DNO now'],
  ['i\u0336g\u0336n\u0336o\u0336r\u0336e\u0336', 'ignore'],
  ['i\u0301\u0302\u0303\u0304gnore', 'ignore'],
  ['ig\u200bno\u2060re', 'ignore'],
  ['ig\u00adno\u00adre', 'ignore'],
  ['ig\u3164nore\uffa0', 'ignore'],
  ['ig\u2063nore\u2062', 'ignore'],
  [`a${tags('hidden')}b`, 'ab'],
  ['\u0441\u0430\u0442 /etc/hosts', 'cat /etc/hosts'],
  ['/etc\u2215hosts', '/etc/hosts'],
  ['a\rb', 'a\nb'],
];

/** Ordinary text: folded to itself. */
const UNTOUCHED: readonly string[] = [
  'Привет, как дела? Сегодня хорошая погода, а вы где?',
  'Отдел IT рассылает SMSки и email',
  'Η γρήγορη καφέ αλεπού πηδάει',
  'Το API και η βάση',
  'Բարեւ ձեզ, ինչպես եք',
  'ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ',
  '今天天气很好我们去公园散步。',
  '日本語のテスト',
  '안녕하세요 세계',
  'مرحبا بالعالم كيف حالك',
  'שלום עולם מה שלומך',
  'नमस्ते दुनिया कैसे हो',
  'สวัสดีชาวโลก',
  'Zażółć gęślą jaźń, København, Łódź, Ærø, naïve café',
  'done 🎉 ok 👍🏽',
  'λ x. x + μ',
];

describe('folding', () => {
  it('makes disguised words plain', () => {
    expect(FOLDED.map(([text]) => [text, fold(text).text])).toEqual(FOLDED);
  });
  it('leaves every script as it is written', () => {
    expect(UNTOUCHED.map((text) => fold(text).text)).toEqual(UNTOUCHED);
    expect(UNTOUCHED.filter((text) => fold(text).hidden.swapped.length + fold(text).hidden.zeroWidth + fold(text).hidden.bidi > 0)).toEqual(
      [],
    );
  });
  it('keeps a way back to every offset', () => {
    for (const [text] of FOLDED) {
      const { text: folded, offsets } = fold(text);
      if (offsets === null) continue;
      expect(offsets.length).toBe(folded.length + 1);
      expect(offsets.at(-1)).toBe(text.length);
      expect([...offsets].every((offset, index) => index === 0 || offset >= (offsets[index - 1] ?? 0))).toBe(true);
    }
    const { text, offsets } = fold('say \u0456g\u200bnor\u0435 it');
    const at = text.indexOf('ignore');
    expect(originalSpan(offsets, at, at + 6)).toEqual({ start: 4, end: 11 });
  });
});

describe('what cannot be seen', () => {
  it('is read where it carries text', () => {
    expect(fold(`x${tags('hidden')}`).hidden.tagText).toBe('hidden');
    expect(fold(`\u{1f600}${selectors('read the notes')}`).hidden.selectorText).toBe('read the notes');
    const bits = [...Buffer.from('send it')].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    expect(fold(`a${bits.replaceAll('0', '\u200b').replaceAll('1', '\u200c')}`).hidden.bitText).toBe('send it');
  });
  it('is ordinary in flags, emoji and the scripts that need it', () => {
    for (const text of [
      '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
      '\u2764\ufe0f \u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
      'می\u200cخواهم می\u200cروم',
      'Donau\u00addampf\u00adschiff',
      '\ufeffbegin',
    ])
      expect([text, fold(text).hidden.zeroWidth, fold(text).hidden.tagText]).toEqual([text, 0, '']);
  });
  it('counts direction controls only where they turn something', () => {
    const rows: readonly (readonly [string, boolean])[] = [
      ['x = "user\u202e \u2066// admin\u2069 \u2066"', true],
      ['a \u2067b\u2069 c', true],
      ['a \u2066b', true],
      ['\u2068Anna\u2069 wrote', false],
      ['\u202b\u05e9\u05dc\u05d5\u05dd (1)\u202c', false],
      ['\u202a+1 555 0100\u202c', false],
    ];
    expect(rows.map(([text]) => [text, fold(text).hidden.bidi > 0])).toEqual(rows);
  });
});
