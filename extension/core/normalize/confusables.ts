/**
 * Letters that look like Latin ones, as one compact table. Facts from UTS #39 (confusables) and from what fonts draw;
 * full-width, circled, mathematical and superscript letters are not here, since NFKC already makes them Latin.
 */

/** Per Latin letter: the letters that are drawn the same in common fonts. A word spelt with them was meant to deceive. */
const SAME: readonly string[] = [
  'aаạ',
  'cсϲᴄⲥ',
  'dԁ',
  'eеҽ',
  'gց',
  'hһհ',
  'iіӏᎥ',
  'jјϳ',
  'lǀ',
  'nոռ',
  'oоοօⲟ',
  'pрⲣ',
  'qԛզգ',
  'sѕꜱ',
  'uս',
  'vѵᴠ',
  'wԝᴡ',
  'xхⅹ',
  'yуүʏყ',
  'zᴢ',
  'AАΑᎪꓮᗅ',
  'BВΒᏴꓐᗷ',
  'CСϹᏟꓚⲤ',
  'DᎠꓓᗪ',
  'EЕΕᎬꓰ',
  'FꓝᖴϜ',
  'GԌᏀꓖ',
  'HНΗᎻꓧᕼⲎ',
  'IІΙⵏꓲ',
  'JЈᎫꓙᒍ',
  'KКΚᏦꓗⲔ',
  'LᏞꓡᒪ',
  'MМΜᎷꓟⲘ',
  'NΝꓠⲚ',
  'OОΟՕꓳⲞ',
  'PРΡᏢꓑᑭⲢ',
  'QԚ',
  'RᎡꓣᖇ',
  'SЅՏᏚꓢ',
  'TТΤᎢꓔⲦ',
  'UՍꓴᑌ',
  'VѴᏙꓦ',
  'WԜᎳꓪ',
  'XХΧꓫⲬ',
  'YУΥҮꓬ',
  'ZΖᏃꓜ',
];

/** Letters that are read as Latin ones although they are drawn somewhat differently: small capitals, turned, decorated, Greek small. */
const LIKE: readonly string[] = [
  'aαɑᴀ₳ᗩ',
  'bвʙƅᏏЬ฿',
  'cᑕ₵',
  'dᴅ',
  'eєᴇɛ℮ҿεɆɇЄ',
  'fꜰƒϝ₣',
  'gɡɢᏻ₲',
  'hʜнⱧⱨћᏂᎻ',
  'iıɩιɪ',
  'jᴊʝ',
  'kκкᴋ₭қ',
  'lʟⱠɭ',
  'mмᴍᗰ₥',
  'nηᴎɴпᑎ₦Ꮑ',
  'oσᴏөᎾ',
  'pᴘρ₱',
  'qǫᑫ',
  'rʀгⱤя',
  'sꙅ₴ʂ',
  'tтᴛτ₮',
  'uʋᴜυʉɄ',
  'vνᐯ',
  'wωшᗯѡ₩щ',
  'xχ᙭Ӿӿ',
  'yγɎɏ',
  'zᘔȥⱫⱬʐ',
  '/∕⁄⧸',
  '\\∖⧵',
];

/** Enclosed letters that NFKC leaves alone: the first of each row of 26. */
const ENCLOSED: readonly number[] = [0x1f150, 0x1f170, 0x1f1e6];

const tableOf = (rows: readonly string[]): Map<string, string> => {
  const table = new Map<string, string>();
  for (const row of rows) {
    const [latin = '', ...others] = row;
    for (const other of others) if (!table.has(other)) table.set(other, latin);
  }
  return table;
};

let same: ReadonlyMap<string, string> | null = null;
let like: ReadonlyMap<string, string> | null = null;

/** The Latin letter that `char` cannot be told from; undefined if there is none. */
export function sameAs(char: string): string | undefined {
  same ??= tableOf(SAME);
  return same.get(char);
}

/** The Latin letter that a reader takes `char` for; undefined if there is none. */
export function readAs(char: string): string | undefined {
  like ??= tableOf(LIKE);
  return sameAs(char) ?? like.get(char) ?? enclosed(char);
}

function enclosed(char: string): string | undefined {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x1f150 || code > 0x1f1ff) return undefined;
  for (const first of ENCLOSED) if (code >= first && code < first + 26) return String.fromCharCode(97 + code - first);
  return undefined;
}
