/** Reads an address leniently, as programs that fetch it would. Source: WHATWG URL; what it says about backslashes and tabs too. */
import type { HostKind } from '#core/detect/rulePack.ts';
import { readHost, type Host } from '#core/normalize/host.ts';
import type { Place, UrlField } from '#core/normalize/fields.ts';
import { pointsInside } from '#core/normalize/innerAddress.ts';

const SHAPE = /^([a-z][a-z0-9+.-]{0,30}):(?:(?<=^file:)\/{2}|[\\/]{1,40})([^\\/?#]*)([^?#]*)(?:\?([^#]*))?/isu;
/** Programs take these with any number of slashes, or none. */
const WITHOUT_SLASHES = /^(https?|wss?|ftp):(?![\\/])/iu;
/** Addresses without a host, and those that hold another address. */
const OPAQUE =
  /^(data|javascript|vbscript|livescript|view-source|jar|blob|netdoc|php|phar|expect|zip|zlib|compress\.\w{2,8}|glob|ogg|rar|ssh2(?:\.\w{2,6})?|url|feed|intent|ms-\w{2,20}|about|filesystem|wrap|cid|mid|res|mhtml|its|mk|shell|resource|chrome|javascript&colon;):(.*)$/isu;
const AUTHORITY = /^(?:(.*)@)?(\[[^\]]*\]|[^:@]*)(?::([^:@]{0,12}))?$/su;
const IN_TEXT =
  /\b(?:https?|ftps?|sftp|wss?|gophers?|dict|ldaps?|ldapi|file|tftp|smb|cifs|nfs|telnet|ssh|imap|pop3|smtp|rtsp|mqtt|redis|mysql|postgres(?:ql)?|mongodb(?:\+srv)?|amqp|memcached|php|phar|expect|netdoc|jar:\w{2,6}):[\\/]{2}[^\s'"<>`|{}]{1,2048}/giu;
const MAX_HREF = 8192;

/** The address `written` holds; null when it has no scheme and authority. */
export function readUrl(written: string, place: Place): UrlField | null {
  let text = written
    .trim()
    .replace(/[\t\r\n]/gu, '')
    .replace(/^[\u0000-\u0020]{1,40}/u, '')
    .slice(0, MAX_HREF);
  if (/^[\\/]{2}[^\\/]/u.test(text)) text = `http:${text}`;
  else if (/^[\w.-]{1,253}:\d{1,5}(?:[/?#]|$)/u.test(text)) text = `http://${text}`;
  text = text.replace(WITHOUT_SLASHES, '$1://');
  const opaque = OPAQUE.exec(text);
  if (opaque) return withoutHost(text, opaque[1] ?? '', opaque[2] ?? '', place);
  const shape = SHAPE.exec(text);
  if (!shape) return null;
  const [, scheme = '', authority = '', path = '', query = ''] = shape;
  const parts = AUTHORITY.exec(authority);
  const host = readHost((parts?.[2] ?? authority).slice(0, 512));
  const kinds = new Set<HostKind>(host.kinds);
  const other = otherReading(text);
  if (other !== null && other.name !== host.name) {
    kinds.add('encoded-name');
    for (const kind of other.kinds) kinds.add(kind);
  }
  if (pointsInside(path, query)) kinds.add('points-inside');
  return {
    ...place,
    href: text,
    scheme: scheme.toLowerCase(),
    host: host.name,
    kinds,
    port: parts?.[3] ?? '',
    path: plainPart(path.replaceAll('\\', '/')),
    query,
    userinfo: parts?.[1] ?? '',
  };
}

/** The host of the address inside counts, as that is what is fetched in the end. */
function withoutHost(text: string, scheme: string, rest: string, place: Place): UrlField {
  const inner = /^(?:[a-z][a-z0-9+.-]{0,30}:){1,4}[\\/]{2}/iu.exec(rest) ? readUrl(rest, place) : null;
  const bare = inner === null ? /^[\\/]{2}([^\\/?#]{1,253})/u.exec(rest)?.[1] : undefined;
  const host = inner === null && bare !== undefined ? readHost(bare) : null;
  return {
    ...place,
    href: text,
    scheme: scheme.toLowerCase(),
    host: inner?.host ?? host?.name ?? '',
    kinds: inner?.kinds ?? host?.kinds ?? new Set(),
    port: inner?.port ?? '',
    path: plainPart(inner === null ? rest : inner.path),
    query: inner?.query ?? '',
    userinfo: inner?.userinfo ?? '',
  };
}

/**
 * Readers differ about `http://a\@b/`, `http://a#@b/` and `http://a &@b/`: some go to `b`. Null when there is one reading.
 * Source: Orange Tsai, "A New Era of SSRF", 2017.
 */
function otherReading(text: string): Host | null {
  const hit = /^[a-z][a-z0-9+.-]{0,30}:[\\/]{1,40}[^\\/?#@\s]{1,253}[\\#\s?&]{1,4}[^/@\w]{0,8}@{1,4}([^\\/?#@\s:]{1,253})/iu.exec(text);
  return hit ? readHost(hit[1] ?? '') : null;
}

/** Letters need no code: `/%61dmin` is `/admin`. */
function plainPart(path: string): string {
  return path.includes('%')
    ? path.replace(/%(?:25){0,2}(3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9a]|2[de])/giu, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      )
    : path;
}

/** Addresses standing in running text, with their offsets. */
export function urlsIn(text: string, most: number): readonly { readonly text: string; readonly start: number; readonly end: number }[] {
  const out: { text: string; start: number; end: number }[] = [];
  for (const hit of text.matchAll(IN_TEXT)) {
    const trimmed = hit[0].replace(/[),.;:!?\]]{1,2048}$/u, '');
    out.push({ text: trimmed, start: hit.index, end: hit.index + trimmed.length });
    if (out.length >= most) break;
  }
  return out;
}
