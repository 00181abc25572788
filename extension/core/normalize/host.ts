/** Folds host names and numeric addresses in any notation to one form. Source: WHATWG URL, host parsing; inet_aton(3); IANA special-purpose registries. */
import type { HostKind } from '#core/detect/rulePack.ts';
import { parseV4, parseV6 } from '#core/normalize/address.ts';
import { looksLikeKnown } from '#core/normalize/lookalike.ts';

/** Where clouds hand out credentials to whoever can reach them. */
const METADATA: ReadonlySet<string> = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '168.63.129.16',
  '100.100.100.200',
  '100.96.0.96',
  '192.0.0.192',
  '169.254.42.42',
  '169.254.0.23',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  'fd00:42::42',
  'fd00:a9fe:a9fe::1',
  'metadata',
  'metadata.internal',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.tencentyun.com',
  'metadata.azure.internal',
  'metadata.azure.com',
  'metadata.packet.net',
  'metadata.platformequinix.com',
  'api.metadata.cloud.ibm.com',
  'rancher-metadata',
  'rancher-metadata.rancher.internal',
]);
/** Public names that resolve to whatever address is written in them. */
const WILDCARD_DNS =
  /^(?:.{0,200}[.-])?((?:\d{1,3}[.-]){3}\d{1,3}|[0-9a-f]{8})(?:[.-][a-z0-9.-]{0,100})?\.(?:nip\.io|sslip\.io|xip\.io|traefik\.me|1u\.ms|rbndr\.us|rebind\.network|rebind\.it|backname\.io|ipq\.co|local-ip\.co|local-ip\.sh|localip\.sh|my\.local-ip\.co|ip\.addr\.tools|requestrepo\.com|dnsrebind\.it|hackpar\.com)$/u;
const REBINDING = /\.(?:rbndr\.us|1u\.ms|rebind\.network|rebind\.it|dnsrebind\.it|rebinder\.net|singularity\.(?:me|club))$/u;
/** Public names whose every subdomain is this machine. */
const LOOPBACK_NAMES =
  /^(?:.{0,200}\.)?(?:localtest\.me|lvh\.me|vcap\.me|lacolhost\.com|local\.gd|localho\.st|localh\.st|fuf\.me|smackaho\.st|loopback\.jp|lvh\.io|127-0-0-1\.org\.uk|spoofed\.burpcollaborator\.net|bugbounty\.dod\.network|mail\.ebc\.apple\.com|yoogle\.com|ulh\.us|xip\.name|local\.sisteminha\.com)$/u;
const LOCAL =
  /^(?:(?:.{0,200}\.)?localhost(?:[46]|\.localdomain[46]?)?|ip6-(?:localhost|loopback)|localhost6?\.localdomain6?|loopback|broadcasthost)$/u;
/** Suffixes no public resolver answers for. Sources: RFC 6762, RFC 8375, ICANN's `internal`, and what products ship with. */
const INTERNAL =
  /(?:^|\.)(?:internal|intranet|intra|local|localdomain|lan|corp|private|home|home\.arpa|svc|consul|cluster\.local|in-addr\.arpa|ip6\.arpa|priv|localnet|mesh|kubernetes\.default|docker)$/u;
/** A name without a dot is looked up inside; what documents write in its place is not meant to be looked up. */
const ONE_WORD =
  /^(?!(?:your|my|the|some|example|host|hostname|server|domain|foo|bar|url|site|test|x{3,9})(?:[-_]|$))[a-z][a-z0-9_-]{0,62}$/u;
export interface Host {
  readonly name: string;
  readonly kinds: ReadonlySet<HostKind>;
}

/** `written`: what stands between userinfo and port, as written. */
export function readHost(written: string): Host {
  const kinds = new Set<HostKind>();
  const spelt = spelling(written);
  let name = spelt.name;
  if (spelt.coded) kinds.add('encoded-name');
  const wildcard = WILDCARD_DNS.exec(name)?.[1];
  if (REBINDING.test(name) || LOOPBACK_NAMES.test(name)) kinds.add('named-ip');
  if (wildcard !== undefined) {
    kinds.add('named-ip');
    name = /^[0-9a-f]{8}$/u.test(wildcard) ? `0x${wildcard}` : wildcard.replaceAll('-', '.');
  }
  const six = name.includes(':') ? parseV6(name) : null;
  const four = six === null ? parseV4(name) : six.four;
  if (four !== null) {
    const canonical = [four >>> 24, (four >>> 16) & 255, (four >>> 8) & 255, four & 255].join('.');
    if (canonical !== name || wildcard !== undefined) kinds.add('encoded-ip');
    name = canonical;
    kinds.add('ip');
    const kind = rangeOf(four);
    kinds.add(kind ?? 'public-ip');
    // Everybody writes 127.0.0.1; the rest of its network is for getting past a list.
    if (kind === 'loopback' && !/^(?:127\.0\.[01]\.1|0\.0\.0\.0)$/u.test(canonical)) kinds.add('encoded-name');
  } else if (name.includes(':')) {
    name = six?.text ?? name;
    kinds.add('ip');
    if (name === '::1' || name === '::') kinds.add('loopback');
    else if (/^f[cd][0-9a-f]{2}:|^fe[89a-f][0-9a-f]:|^64:ff9b:1:/u.test(name)) kinds.add('private');
    else kinds.add(/^ff[0-9a-f]{2}:|^100:(?::|0:)/u.test(name) ? 'reserved' : 'public-ip');
  } else if (LOCAL.test(name) || LOOPBACK_NAMES.test(name)) {
    kinds.add('loopback');
    if (/^(?:ip6-|broadcasthost|loopback|localhost[46])/u.test(name)) kinds.add('encoded-name');
  }
  // No name on the internet ends in a number; some program takes this for an address.
  else if (/\.\d{1,10}[^a-z0-9.]{0,3}$/u.test(name)) kinds.add('encoded-ip');
  else if (INTERNAL.test(name) || ONE_WORD.test(name)) kinds.add('internal');
  else if (looksLikeKnown(spelt.shown)) kinds.add('lookalike');
  if (METADATA.has(name) || /^instance-data\.[a-z0-9-]{1,30}\.compute\.internal$/u.test(name)) kinds.add('metadata');
  return { name, kinds };
}

/** `shown`: as a person sees it, before compatibility forms are folded. */
function spelling(written: string): { readonly name: string; readonly shown: string; readonly coded: boolean } {
  let text = written.toLowerCase();
  let coded = false;
  const zone = /^\[?[0-9a-f:.]{2,60}(%(?:25)?[\w.~-]{1,60})\]?$/u.exec(text)?.[1];
  if (zone !== undefined) text = text.replace(zone, '');
  for (let round = 0; round < 3 && text.includes('%'); round++) {
    const plain = percentDecoded(text).toLowerCase();
    coded ||= plain !== text;
    text = plain;
  }
  const shown = text;
  // Programs drop what cannot be seen; each stands alone, as a class of them would join some. Here rather than above: reading this regex
  // takes every process longer than reading all others of the file, and few hosts need it.
  if (/[^\u0021-\u007e]/u.test(text)) text = text.replace(/\p{Cf}|\p{Default_Ignorable_Code_Point}/gu, '');
  text = text
    .replace(/[\u3002\uff0e\uff61]/gu, '.')
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('\u2044', '/');
  // Signs that browsers fold to ASCII; a name in another script stays what it is.
  coded ||= shown !== text && /^[\u0020-\u007e]*$/u.test(text);
  text = text
    .replace(/[\u0000-\u0020]/gu, '')
    .replace(/\.{1,8}$/u, '')
    .replace(/^\[{1,2}([^[\]]*)\]{1,2}$/u, '$1');
  return { name: text, shown: shown.replace(/\.{1,8}$/u, ''), coded };
}

function percentDecoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2}){1,400}/giu, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run.replace(/%([0-9a-f]{2})/giu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    }
  });
}

function rangeOf(four: number): HostKind | null {
  const a = four >>> 24;
  const b = (four >>> 16) & 255;
  if (a === 127 || four === 0) return 'loopback';
  if (
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b < 128)
  )
    return 'private';
  // 0/8 means "this network", 192.0.0/24 protocol assignments, 198.18/15 test beds, 224/3 multicast and unassigned.
  if (a === 0 || a >= 224 || (a === 198 && (b === 18 || b === 19)) || (a === 192 && b === 0 && ((four >>> 8) & 255) === 0))
    return 'reserved';
  return null;
}
