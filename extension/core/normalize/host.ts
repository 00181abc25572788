/** Folds host names and numeric addresses in any notation to one form. Source: WHATWG URL, host parsing; inet_aton(3). */
import type { HostKind } from '#core/detect/rulePack.ts';

/** Where clouds hand out credentials to whoever can reach them. */
const METADATA: ReadonlySet<string> = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  'fd00:ec2::254',
  'fd20:ce::254',
  '100.100.100.200',
  '192.0.0.192',
  '169.254.42.42',
  '169.254.0.23',
  'metadata.google.internal',
  'metadata',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.tencentyun.com',
  'metadata.azure.internal',
  'metadata.packet.net',
  'metadata.platformequinix.com',
]);
/** Public names that resolve to whatever address is written in them. */
const WILDCARD_DNS = /^(?:.*[.-])?((?:\d{1,3}[.-]){3}\d{1,3})\.(?:nip\.io|sslip\.io|xip\.io|traefik\.me|1u\.ms)$/u;

export interface Host {
  readonly name: string;
  readonly kinds: ReadonlySet<HostKind>;
}

export function readHost(written: string): Host {
  const kinds = new Set<HostKind>();
  let name = written
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\u3002\uff0e\uff61]/gu, '.')
    .replace(/\.+$/u, '')
    .replace(/^\[|\]$/gu, '')
    .replace(/%(?:25)?[\w.-]+$/u, '');
  const wildcard = WILDCARD_DNS.exec(name)?.[1];
  if (wildcard !== undefined) name = wildcard.replaceAll('-', '.');
  const v4 = name.includes(':') ? mappedV4(name) : numericV4(name);
  if (v4 !== null) {
    const canonical = [v4 >>> 24, (v4 >>> 16) & 255, (v4 >>> 8) & 255, v4 & 255].join('.');
    if (canonical !== name || wildcard !== undefined) kinds.add('encoded-ip');
    name = canonical;
    kinds.add('ip');
    const a = v4 >>> 24;
    const b = (v4 >>> 16) & 255;
    if (a === 127 || v4 === 0) kinds.add('loopback');
    else if (
      a === 10 ||
      (a === 172 && b >= 16 && b < 32) ||
      (a === 192 && b === 168) ||
      (a === 169 && b === 254) ||
      (a === 100 && b >= 64 && b < 128)
    )
      kinds.add('private');
  } else if (name.includes(':')) {
    name = compressV6(name);
    kinds.add('ip');
    if (name === '::1' || name === '::') kinds.add('loopback');
    else if (/^f[cd][0-9a-f]{2}:|^fe[89ab][0-9a-f]:/u.test(name)) kinds.add('private');
  } else if (
    name === 'localhost' ||
    name === 'ip6-localhost' ||
    name === 'ip6-loopback' ||
    name.endsWith('.localhost') ||
    name === 'localtest.me' ||
    name.endsWith('.localtest.me')
  )
    kinds.add('loopback');
  if (METADATA.has(name)) kinds.add('metadata');
  return { name, kinds };
}

/** An IPv4 address written as one to four decimal, octal or hex numbers; null when it is not one. */
function numericV4(name: string): number | null {
  const parts = name.split('.');
  if (parts.length > 4 || parts.length === 0) return null;
  const numbers: number[] = [];
  for (const part of parts) {
    if (!/^(?:0x[0-9a-f]{0,16}|\d{1,20})$/u.test(part)) return null;
    const value = part.startsWith('0x')
      ? Number.parseInt(part.slice(2) || '0', 16)
      : /^0[0-7]+$/u.test(part)
        ? Number.parseInt(part, 8)
        : Number(part);
    numbers.push(value);
  }
  // A single short number is far more often a port or an id than an address.
  if (parts.length === 1 && (numbers[0] ?? 0) < 0x1000000) return parts[0] === '0' ? 0 : null;
  const last = numbers.pop() ?? 0;
  let value = 0;
  // Too large parts wrap in some readers (`425.510.425.510` is a known form); take them modulo 256 as those do.
  for (const number of numbers) value = value * 256 + (number % 256);
  const room = 256 ** (4 - numbers.length);
  return (value * room + (last % room)) >>> 0;
}

/** The IPv4 address inside `::ffff:a.b.c.d`, `::ffff:aabb:ccdd`, `::a.b.c.d` or `64:ff9b::…`; null when there is none. */
function mappedV4(name: string): number | null {
  const hit =
    /^(?:::(?:ffff:(?:0:)?)?|(?:0{1,4}:){5}(?:ffff|0{1,4}):|64:ff9b::)(?:((?:\d{1,3}\.){3}\d{1,3})|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/u.exec(
      name,
    );
  if (!hit) return null;
  if (hit[1] !== undefined) return numericV4(hit[1]);
  return ((Number.parseInt(hit[2] ?? '0', 16) << 16) | Number.parseInt(hit[3] ?? '0', 16)) >>> 0;
}

function compressV6(name: string): string {
  const [head = '', tail] = name.split('::', 2);
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const fill = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: fill }, () => '0'), ...right].map((group) => group.replace(/^0+(?=.)/u, ''));
  return groups
    .join(':')
    .replace(/(?:^|:)0(?::0)+(?=:|$)/u, '::')
    .replace(/:{3,}/u, '::');
}
