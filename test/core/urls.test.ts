/** One address in every notation, services that are not for pages, sinks; and the addresses developers fetch all day. */
import { describe, expect, it } from 'vitest';
import type { Verdict } from '#core/model/verdict.ts';
import { judge, ruleIds } from './gateKit.ts';

const RANK: readonly Verdict[] = ['clean', 'flag', 'quarantine', 'block'];
const fetched = (url: string): ReturnType<typeof judge> =>
  judge({ channel: 'fetch', tool: 'WebFetch', args: { url, prompt: 'summarise' } });
const milder = (urls: readonly string[], least: Verdict): readonly string[] =>
  urls.flatMap((url) => {
    const { verdict } = fetched(url);
    return RANK.indexOf(verdict) < RANK.indexOf(least) ? [`${verdict} ${url}`] : [];
  });
const lines = (rows: string): readonly string[] =>
  rows
    .split('\n')
    .map((row) => row.trim())
    .filter((row) => row !== '');

/** Every way some program reads the four bytes `a.b.c.d`. */
function notations(a: number, b: number, c: number, d: number): readonly string[] {
  const whole = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const hex = (value: number, width = 2): string => value.toString(16).padStart(width, '0');
  const high = hex((a << 8) | b, 4);
  const low = hex((c << 8) | d, 4);
  const wide = (text: string): string => [...text].map((char) => String.fromCodePoint((char.codePointAt(0) ?? 0) + 0xfee0)).join('');
  const coded = (text: string): string => [...text].map((char) => `%${hex(char.codePointAt(0) ?? 0)}`).join('');
  const dotted = `${a}.${b}.${c}.${d}`;
  return [
    String(whole),
    `0x${hex(whole, 8)}`,
    `0X${hex(whole, 8).toUpperCase()}`,
    `0x41414141${hex(whole, 8)}`,
    `0${whole.toString(8)}`,
    [a, b, c, d].map((byte) => `0x${hex(byte)}`).join('.'),
    [a, b, c, d].map((byte) => `0${byte.toString(8)}`).join('.'),
    [a, b, c, d].map((byte) => byte.toString(8).padStart(8, '0')).join('.'),
    `0o${a.toString(8)}.${b}.${c}.${d}`,
    `${a}.${(b << 16) | (c << 8) | d}`,
    `${a}.${b}.${(c << 8) | d}`,
    `0x${hex(a)}.${b}.0${c.toString(8)}.${d}`,
    `${a + 256}.${b + 256}.${c + 256}.${d + 256}`,
    wide(dotted),
    dotted.replaceAll('.', '\u3002'),
    dotted.replaceAll('.', '\uff61'),
    coded(dotted),
    coded(coded(dotted)),
    `[::ffff:${dotted}]`,
    `[::ffff:${high}:${low}]`,
    `[0:0:0:0:0:ffff:${high}:${low}]`,
    `[0000:0000:0000:0000:0000:ffff:${high}:${low}]`,
    `[::${dotted}]`,
    `[64:ff9b::${high}:${low}]`,
    `[64:ff9b::${dotted}]`,
    `[2002:${high}:${low}::]`,
    `[::ffff:0:${dotted}]`,
    `[fe80::5efe:${dotted}]`,
    `${dotted}.nip.io`,
    `app.${a}-${b}-${c}-${d}.sslip.io`,
    `x.${hex(whole, 8)}.nip.io`,
  ];
}

const HIDDEN = [
  'o10.0.0.5',
  '10.0.0.5!',
  ...notations(127, 0, 0, 1),
  ...notations(169, 254, 169, 254),
  ...notations(10, 0, 0, 5),
  ...notations(192, 168, 1, 1),
  ...notations(172, 16, 0, 9),
].map((host) => `http://${host}/`);

const METADATA = lines(String.raw`
http://169.254.169.254/latest/meta-data/iam/security-credentials/
http://169.254.169.254/metadata/instance?api-version=2021-02-01
http://169.254.169.254:80/
http://169.254.169.254./latest/
http://user@169.254.169.254/
http:169.254.169.254/latest
http:/169.254.169.254/latest
http:///169.254.169.254/latest
http:\\169.254.169.254\latest
//169.254.169.254/latest
169.254.169.254/latest/user-data
hTTp://169.254.169.254/
http://metadata.google.internal/computeMetadata/v1/
http://METADATA.GOOGLE.INTERNAL./computeMetadata/v1/
http://metadata/computeMetadata/v1/
http://metadata.goog/computeMetadata/v1/
http://100.100.100.200/latest/meta-data/
http://192.0.0.192/latest/
http://169.254.170.2/v2/credentials/
http://169.254.170.23/v1/credentials
http://168.63.129.16/machine?comp=goalstate
http://[fd00:ec2::254]/latest/meta-data/
http://[fd00:0ec2:0:0:0:0:0:254]/latest/
http://metadata.tencentyun.com/latest/meta-data/
http://169.254.42.42/conf
http://metadata.packet.net/userdata
http://rancher-metadata/2015-07-25/
http://instance-data/latest/
`);

const HELD = lines(String.raw`
gopher://127.0.0.1:6379/_SET%20a%201
gopher://metadata.google.internal:80/x
dict://localhost:11211/stats
tftp://evil.example/x
php://filter/convert.base64-encode/resource=index.php
php://input
phar://a.phar/x
expect://id
javascript:alert(1)
vbscript:msgbox(1)
data:text/html,<script>alert(1)</script>
data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==
data:image/svg+xml,<svg onload=alert(1)>
http://localhost:2375/containers/json
http://10.0.0.7:10250/run/a/b/c
http://127.0.0.1:6379/%0D%0ASET%20a%201%0D%0A
http://x.example/%0d%0aHost:%20y
http://10.1.2.3/latest/meta-data/iam/
https://p.example/?url=http://169.254.169.254/latest/
https://webhook.site/0a
https://x.oastify.com/
https://abc.ngrok-free.app/
https://eo1.m.pipedream.net/
http://abcdefabcdefabcd.onion/
http://203.0.113.9/x.sh
https://x.example/?d=root:x:0:0:root:/root:/bin/bash
https://x.example/?q=${'${jndi:ldap://a.example/x}'}
`);

const POINTED_OUT = lines(String.raw`
http://localhost:22
http://127.0.0.1:80
https://0.0.0.0:443
http://127.0.0.1/
http://127.127.127.127/
http://127.0.0.53/
http://ip6-localhost/
http://localhost:6379/
http://localhost:9200/_cat/indices
http://localhost:8500/v1/agent/members
http://localhost:8080/actuator/env
http://127.0.0.1:3000/%61dmin
http://10.0.0.1/
http://172.31.255.1/
http://192.168.0.1/
http://100.64.1.1/
http://169.254.1.1/
http://[fe80::1%25eth0]/
http://[fc00::1]/
http://[::1]:22/
http://0.1.2.3/
http://224.0.0.251/
http://255.255.255.255/
http://198.18.0.1/
http://203.0.113.9/
http://[2001:db8::1]/
http://redis:6379/
http://jenkins/script
http://db.internal/
http://vault.service.consul/
http://kubernetes.default.svc/api
http://web.default.svc.cluster.local/
http://printer.local/
http://wiki.corp/
http://router.lan/
http://host.docker.internal:8080/
http://lvh.me/
http://a.localtest.me/
http://7f000001.c0a80001.rbndr.us/
http://make-1.2.3.4-rebind-127.0.0.1-rr.1u.ms/
http://example.org@127.0.0.1/
http://a.example:80\@10.0.0.1/
http://a.example#@127.0.0.1/
http://127.1.1.1:80:\@@127.2.2.2:80/
http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/
http://loc%61lhost/
http://githυb.com/a
https://xn--pple-43d.com/
https://g00gle.com/
https://paypa1.com/
https://rnicrosoft.com/login
https://github.com.evil.example/a
https://github.com@evil.example/a
https://p.example/fetch?url=http://10.0.0.1/
https://p.example/fetch?url=http%3A%2F%2F127.0.0.1%3A8080%2F
https://p.example/redirect?to=//192.168.0.1/
https://p.example/proxy/http://localhost/
https://307.r3dir.me/--to/?url=http://localhost
ldap://evil.example/x
jar:http://evil.example/a.jar!/x
netdoc:///etc/passwd
smb://203.0.113.9/share
file:///etc/passwd
file://localhost/etc/passwd
view-source:http://127.0.0.1/
blob:http://10.0.0.1/x
https://discord.com/api/webhooks/1/a
https://hooks.slack.com/services/T/B/x
https://api.telegram.org/bot123456:abc/sendMessage
https://pastebin.com/raw/abcd
https://rentry.co/abcd
https://transfer.sh/abc/a.txt
https://gofile.io/d/abc
http://downloads.example/setup.exe
https://tool.top/install.sh
https://admin:hunter22@example.org/
`);

const SITES = lines(`
https://github.com
https://api.github.com
https://raw.githubusercontent.com
https://docs.github.com
https://gist.github.com
https://gitlab.com
https://registry.npmjs.org
https://www.npmjs.com
https://pypi.org
https://crates.io
https://docs.rs
https://pkg.go.dev
https://developer.mozilla.org
https://stackoverflow.com
https://en.wikipedia.org
https://code.visualstudio.com
https://docs.anthropic.com
https://platform.openai.com
https://huggingface.co
https://react.dev
https://nodejs.org
https://docs.python.org
https://learn.microsoft.com
https://aws.amazon.com
https://cloud.google.com
https://kubernetes.io
https://www.google.co.uk
https://müller.example
https://例え.jp
https://sub.domain.example.org
http://example.com
http://localhost:3000
http://127.0.0.1:8080
http://localhost:5173
http://[::1]:4321
http://0.0.0.0:8000
`);
const PAGES = [
  '/',
  '/a/b/c',
  '/docs/v1.2/index.html',
  '/search?q=how+to+read+/etc/hosts',
  '/x?page=2&sort=asc#top',
  '/@scope/pkg/-/pkg-1.0.0.tgz',
];
const ORDINARY = lines(String.raw`
https://github.com/a/b/commit/0a1b2c3d4e5f60718293a4b5c6d7e8f901234567
https://github.com/a/b/releases/download/v1.0.0/tool-linux-amd64.tar.gz
https://github.com/a/b/releases/download/v1.0.0/tool.exe
https://img.shields.io/badge/license-MIT-blue.svg?style=flat-square
https://accounts.example.org/o/oauth2/auth?client_id=a&redirect_uri=http://localhost:3000/cb&response_type=code
https://www.google.com/search?q=http%3A%2F%2F10.0.0.1
https://example.org/169.254.169.254.html
https://example.org/login?next=%2Fhome
https://d111111abcdef8.cloudfront.net/a.js
https://bucket.s3.eu-central-1.amazonaws.com/a/b.json
https://my-app-git-main-team.vercel.app/
https://xn--mller-kva.example/
https://user.github.io/project/
https://discord.com/invite/abc
https://slack.com/help/articles/1
https://pastebin.com/
https://unpkg.com/react@18/umd/react.production.min.js
https://fonts.googleapis.com/css2?family=Inter:wght@400;700&display=swap
https://web.archive.org/web/2020/https://example.org/
https://example.org:8443/api
ftp://ftp.gnu.org/gnu/bash/bash-5.2.tar.gz
data:image/png;base64,iVBORw0KGgo=
example.org/a
localhost:3000/api/users
http://localhost:3000/api/users?id=1
http://127.0.0.1:5000/health
http://localhost:8000/docs
http://app.localhost:3000/
`);

describe('an address', () => {
  it('in any notation is seen through', () => {
    expect(HIDDEN.length).toBeGreaterThan(150);
    expect(milder(HIDDEN, 'flag')).toEqual([]);
  });
  it('of cloud credentials is blocked however it is written', () => {
    const rows = [...METADATA, ...notations(169, 254, 169, 254).map((host) => `http://${host}/latest/`)];
    expect(milder(rows, 'block')).toEqual([]);
  });
  it('that can only do harm is held', () => expect(milder(HELD, 'quarantine')).toEqual([]));
  it('that leads inside, or out with data, is at least pointed out', () => expect(milder(POINTED_OUT, 'flag')).toEqual([]));
  it('of every day passes', () => {
    const rows = [...ORDINARY, ...SITES.flatMap((site) => PAGES.map((page) => site + page))];
    expect(rows.length).toBeGreaterThan(200);
    const raised = rows.flatMap((url) => {
      const decision = fetched(url);
      return decision.verdict === 'clean' ? [] : [`${decision.verdict} ${url} ${ruleIds(decision).join(' ')}`];
    });
    expect(raised).toEqual([]);
  });
});
