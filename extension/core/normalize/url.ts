/** Reads an address leniently, as programs that fetch it would. Source: WHATWG URL; what it says about backslashes and tabs too. */
import { readHost } from '#core/normalize/host.ts';
import type { Place, UrlField } from '#core/normalize/fields.ts';

const SHAPE = /^([a-z][a-z0-9+.-]{0,30}):(?:(?<=^file:)\/{2}|[\\/]{1,4})([^\\/?#]*)([^?#]*)(?:\?([^#]*))?/isu;
const AUTHORITY = /^(?:(.*)@)?(\[[^\]]*\]|[^:@]*)(?::(\d{0,5}))?$/su;
const IN_TEXT = /\b(?:https?|ftp|wss?|gopher|dict|ldaps?|file|tftp):[\\/]{2}[^\s'"<>`|{}]{1,2048}/giu;

/** The address `written` holds; null when it has no scheme and authority. */
export function readUrl(written: string, place: Place): UrlField | null {
  const text = written.trim().replace(/[\t\r\n]/gu, '');
  const shape = SHAPE.exec(text.slice(0, 8192));
  if (!shape) return null;
  const [, scheme = '', authority = '', path = '', query = ''] = shape;
  const parts = AUTHORITY.exec(authority);
  const host = readHost(decoded((parts?.[2] ?? authority).slice(0, 512)));
  return {
    ...place,
    href: text.slice(0, 8192),
    scheme: scheme.toLowerCase(),
    host: host.name,
    kinds: host.kinds,
    port: parts?.[3] ?? '',
    path: path.replaceAll('\\', '/'),
    query,
    userinfo: parts?.[1] ?? '',
  };
}

/** Addresses standing in running text, with their offsets. */
export function urlsIn(text: string, most: number): readonly { readonly text: string; readonly start: number; readonly end: number }[] {
  const out: { text: string; start: number; end: number }[] = [];
  for (const hit of text.matchAll(IN_TEXT)) {
    const trimmed = hit[0].replace(/[),.;:!?\]]+$/u, '');
    out.push({ text: trimmed, start: hit.index, end: hit.index + trimmed.length });
    if (out.length >= most) break;
  }
  return out;
}

function decoded(host: string): string {
  return host.replace(/%([0-9a-f]{2})/giu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
