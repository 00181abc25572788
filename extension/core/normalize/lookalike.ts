/** Host names a letter or a sign away from sites people trust. Sources: UTS #39 (confusables), RFC 3492 (Punycode). */
import { fold } from '#core/normalize/unicode.ts';

/** Sites that agents fetch from and people sign in to. */
const KNOWN: readonly string[] = [
  'github.com', 'githubusercontent.com', 'github.io', 'gitlab.com', 'bitbucket.org', 'npmjs.com', 'npmjs.org', 'pypi.org', 'pythonhosted.org',
  'crates.io', 'rubygems.org', 'docker.com', 'docker.io', 'google.com', 'googleapis.com', 'microsoft.com', 'microsoftonline.com', 'live.com',
  'office.com', 'azure.com', 'apple.com', 'icloud.com', 'amazon.com', 'amazonaws.com', 'cloudflare.com', 'facebook.com', 'instagram.com',
  'twitter.com', 'linkedin.com', 'paypal.com', 'stripe.com', 'coinbase.com', 'binance.com', 'metamask.io', 'openai.com', 'anthropic.com',
  'claude.ai', 'chatgpt.com', 'huggingface.co', 'slack.com', 'discord.com', 'telegram.org', 'whatsapp.com', 'dropbox.com', 'netflix.com',
  'wikipedia.org', 'stackoverflow.com', 'mozilla.org', 'ubuntu.com', 'debian.org', 'atlassian.com', 'okta.com', 'vercel.com', 'netlify.com',
  'heroku.com', 'digitalocean.com', 'youtube.com', 'gmail.com', 'outlook.com', 'yahoo.com', 'example.com', 'visualstudio.com',
]; // prettier-ignore
let bySkeleton: ReadonlyMap<string, string> | null = null;
const MAX_HOST = 253;

export function looksLikeKnown(shown: string): boolean {
  if (shown.length > MAX_HOST) return false;
  const unicode = shown.split('.').map(fromPunycode).join('.');
  bySkeleton ??= new Map(KNOWN.map((name) => [skeleton(name), name]));
  const labels = unicode.split('.');
  const plain = labels.map((label) => label.normalize('NFKC'));
  for (let from = 0; from < labels.length - 1; from++) {
    const known = bySkeleton.get(skeleton(labels.slice(from).join('.')));
    if (known !== undefined) return known !== plain.slice(from).join('.');
  }
  // A trusted name in front of another: `github.com.evil.example`. A country's ending makes it a branch of the same.
  const lead = plain.slice(plain[0] === 'www' ? 1 : 0);
  return lead.length > 3 && KNOWN.includes(`${lead[0] ?? ''}.${lead[1] ?? ''}`);
}

/** Lower-case letters that pass for Latin ones in a host; the rest `fold` knows. */
const SHAPES: ReadonlyMap<string, string> = new Map(
  [...'υuηnκkρpτtωwгrкkмmнhтtвbпnօoսuհhցgոnıiɪiɩiɑaɡgӏlłlßbʏyʀrɴnʟlɢgƅbᴏoꮯcøođdħhŧt'].reduce<[string, string][]>(
    (pairs, char, index, all) => {
      if (index % 2 === 0) pairs.push([char, all[index + 1] ?? char]);
      return pairs;
    },
    [],
  ),
);

/** What a name looks like at a glance: equal for two that a reader would take for the same. */
export function skeleton(name: string): string {
  const letters = fold(name)
    .text.toLowerCase()
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/gu, '');
  return [...letters]
    .map((char) => SHAPES.get(char) ?? char)
    .join('')
    .replaceAll('0', 'o')
    .replaceAll('1', 'l')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w');
}

/** One label of a host decoded; itself when it is not Punycode. Linear but for insertions, which the length of a label bounds. */
export function fromPunycode(label: string): string {
  if (!label.startsWith('xn--') || label.length > 63) return label;
  const text = label.slice(4);
  const cut = text.lastIndexOf('-');
  const out = cut > 0 ? Array.from(text.slice(0, cut), (char) => char.codePointAt(0) ?? 0) : [];
  let code = 128;
  let index = 0;
  let bias = 72;
  for (let at = cut > 0 ? cut + 1 : 0; at < text.length;) {
    const before = index;
    let weight = 1;
    for (let k = 36; ; k += 36) {
      const char = text.charCodeAt(at++);
      const digit = char >= 97 && char <= 122 ? char - 97 : char >= 48 && char <= 57 ? char - 22 : -1;
      if (digit < 0) return label;
      index += digit * weight;
      const least = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
      if (digit < least) break;
      weight *= 36 - least;
      if (weight > 0x7fffffff) return label;
    }
    const length = out.length + 1;
    bias = adapted(index - before, length, before === 0);
    code += Math.floor(index / length);
    index %= length;
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return label;
    out.splice(index++, 0, code);
  }
  return String.fromCodePoint(...out);
}

function adapted(delta: number, length: number, first: boolean): number {
  let rest = first ? Math.floor(delta / 700) : delta >> 1;
  rest += Math.floor(rest / length);
  let k = 0;
  for (; rest > 455; k += 36) rest = Math.floor(rest / 35);
  return k + Math.floor((36 * rest) / (rest + 38));
}
