/** Calls that reach other machines: what they fetch, where they send, and what goes with it. */
import type { Call } from '#core/normalize/code/call.ts';
import { addTo, type Found } from '#core/normalize/code/found.ts';
import {
  CONNECTION,
  ENVIRONMENT,
  FETCHED,
  FILE,
  flat,
  INPUT,
  LOCAL,
  madeOf,
  SECRET,
  UNKNOWN,
  type Value,
} from '#core/normalize/code/value.ts';

const FETCHES =
  /^(?:requests\.(?:get|head|options)|urllib\.request\.(?:urlopen|Request)|urllib2?\.(?:urlopen|Request)|urlopen|httpx\.(?:get|stream|head)|http\.get|https\.get|axios(?:\.(?:get|head|request))?|got(?:\.(?:get|stream))?|needle(?:\.get)?|superagent\.get|undici\.(?:request|fetch)|fetch|globalThis\.fetch|node-fetch|node-fetch\.default|ky(?:\.get)?|phin|bent|request(?:\.get)?|Net\.HTTP\.(?:get|get_response|get_print)|URI\.open|OpenURI\.open_uri|HTTParty\.get|RestClient\.get|Faraday\.get|Excon\.get|HTTP\.get|LWP\.Simple\.get|LWP\.UserAgent\(\)\.get|HTTP\.Tiny\(\)\.get|get|file_get_contents|curl_init|fopen|simplexml_load_file|socket\.http\.request|http\.request|http\.Get|resty\.New\(\)\.R\(\)\.Get|httr\.GET|GET|url|Downloads\.download|download|HTTP\.request|Deno\.open|Bun\.fetch|aiohttp\.request|pycurl\.Curl|XMLHttpRequest\(\)\.open|wget\.download|gdown\.download|dlt\.download|urllib3\.request|PoolManager\(\)\.request)$/u;
const DOWNLOADS =
  /^(?:urllib\.request\.urlretrieve|urllib\.urlretrieve|urlretrieve|wget\.download|LWP\.Simple\.(?:getstore|mirror)|getstore|mirror|download\.file|Downloads\.download|gdown\.download|LWP\.UserAgent\(\)\.mirror|HTTP\.Tiny\(\)\.mirror)$/u;
const SENDS =
  /^(?:requests\.(?:post|put|patch|delete)|httpx\.(?:post|put|patch|delete)|axios\.(?:post|put|patch|delete)|got\.(?:post|put|patch)|ky\.(?:post|put)|superagent\.(?:post|put)|needle\.(?:post|put)|request\.(?:post|put)|Net\.HTTP\.(?:post|post_form|put)|HTTParty\.(?:post|put)|RestClient\.(?:post|put)|Faraday\.(?:post|put)|HTTP\.(?:post|put)|LWP\.UserAgent\(\)\.(?:post|put)|HTTP\.Tiny\(\)\.(?:post|put|post_form)|http\.(?:Post|PostForm)|httr\.(?:POST|PUT)|navigator\.sendBeacon|sendBeacon|WebSocket|websockets\.connect|websocket\.create_connection|io\.connect)$/u;
/** A method of some object that is a client of the web: `session.get`, `client.post`. */
const CLIENT =
  /(?:Session|Client|ClientSession|HTTPS?Connection|UserAgent|Tiny|Axios|create|Http|agent|session|client|PoolManager)(?:\(\))?\.(get|post|put|patch|request|head|delete|send)$/u;
const CONNECTS =
  /^(?:net\.(?:connect|createConnection|Socket\(\)\.connect|Dial|DialTimeout)|tls\.(?:connect|Dial)|TCPSocket(?:\.open)?|TCPSocket|UDPSocket\(\)\.(?:connect|send)|Socket\.tcp|IO\.Socket\.INET|IO\.Socket\.SSL|IO\.Socket\.IP|fsockopen|pfsockopen|stream_socket_client|socket_connect|socket\.(?:create_connection|tcp\(\)\.connect)|Deno\.connect|Deno\.connectTls|Bun\.connect|asyncio\.open_connection|telnetlib\.Telnet|paramiko\.SSHClient\(\)\.connect|ftplib\.FTP|smtplib\.SMTP(?:_SSL)?|socketConnection|connect|Sockets\.connect|nodemailer\.createTransport|Socket\.connect|socket\.connect)$/u;
const LOOKUPS =
  /^(?:socket\.(?:gethostbyname(?:_ex)?|getaddrinfo)|dns\.(?:lookup|resolve\w{0,5}|promises\.resolve)|Resolv\.getaddress|gethostbyname|dns_get_record|dns\.resolver\.(?:resolve|query)|net\.LookupHost|Deno\.resolveDns|nslookup|IPSocket\.getaddress)$/u;
const URL = /^(?:https?|wss?|ftp):\/\//iu;
const HOST = /^(?:[\w-]{1,63}\.){1,8}[\w-]{1,63}$|^(?:\d{1,3}\.){3}\d{1,3}$|^\[?(?=[0-9a-f]{0,4}:)[0-9a-f:]{3,40}\]?$|^localhost$/iu;

export function networkCall(call: Call): Value | null {
  const { walk, name, last, receiver, args, keys } = call;
  const { found } = walk;
  if (LOOKUPS.test(name)) {
    const asked = args[0] ?? UNKNOWN;
    noteCarried(found, asked.text ?? '', [asked]);
    return UNKNOWN;
  }
  if (DOWNLOADS.test(name)) {
    const url = args[0]?.text ?? null;
    const to = args[1]?.text ?? keys.get('filename')?.text ?? keys.get('destfile')?.text ?? keys.get('out')?.text ?? null;
    if (url !== null && URL.test(url)) addTo(found.commands, to === null ? ['curl', '-O', url] : ['curl', '-o', to, url], found);
    return { ...UNKNOWN, from: FETCHED, host: url ?? '', files: to === null ? [] : [to] };
  }
  if (connects(call)) return connection(call);
  if (receiver && receiver.from & CONNECTION) {
    if (/^(?:send|sendall|sendto|write|puts|print|end|sendmail|storbinary|storlines|put|send_message|sendMail)$/u.test(last)) {
      noteCarried(found, receiver.host, args);
      return UNKNOWN;
    }
    if (/^(?:recv|recv_into|read|gets|readline|receive|recvfrom|on)$/u.test(last))
      return { ...UNKNOWN, from: CONNECTION | (last === 'on' ? 0 : INPUT), host: receiver.host };
  }
  const client = CLIENT.exec(name)?.[1];
  // Most calls reach nothing: what they are given is looked at only for those that may.
  if (client === undefined && !FETCHES.test(name) && !SENDS.test(name) && !/^(?:requests|httpx)\.request$/u.test(name)) return null;
  const url =
    [...args, keys.get('url'), keys.get('uri'), keys.get('baseURL')]
      .map((arg) => arg?.text ?? arg?.list?.[0]?.text ?? null)
      .find((text) => text !== null && (URL.test(text) || /^\$UNKNOWN.{0,20}\/\//u.test(text))) ?? null;
  const carried = [...args, ...keys.values()];
  if (SENDS.test(name) || (client !== undefined && /^(?:post|put|patch|send)$/u.test(client) && (url !== null || receiver?.host)))
    return exchanged(found, 'send', url ?? receiver?.host ?? '', carried);
  if (!FETCHES.test(name) && !(client !== undefined && url !== null) && !/^(?:requests|httpx)\.(?:request)$/u.test(name)) return null;
  // These names are also those of functions that fetch nothing.
  if (
    url === null &&
    /^(?:get|GET|url|download|http\.get|fopen|file_get_contents|request|HTTP\.request|XMLHttpRequest\(\)\.open|socket\.http\.request|simplexml_load_file|Deno\.open|open)$/u.test(
      name,
    )
  )
    return null;
  const method =
    keys.get('method')?.text ??
    (/(?:^|\.)(?:request|open)$/u.test(name) ? args.find((arg) => /^[A-Za-z]{3,7}$/u.test(arg.text ?? ''))?.text : undefined) ??
    '';
  const body =
    ['data', 'json', 'body', 'files', 'form', 'content'].some((key) => keys.has(key)) ||
    (/urlopen$|Request$/u.test(name) && args[1] !== undefined && args[1].keys === null);
  return exchanged(found, /^(?:POST|PUT|PATCH)$/iu.test(method) || body ? 'send' : 'fetch', url ?? hostOf(args), carried);
}

function connects({ name, last, receiver }: Call): boolean {
  if (last === 'connect' && receiver && /socket|Socket/u.test(receiver.name)) return true;
  return CONNECTS.test(name) && (name !== 'connect' || receiver === null);
}

function connection({ walk, name, args, keys }: Call): Value {
  const { found } = walk;
  const all = flat([...args, ...keys.values()], 32);
  const host = hostOf(all);
  if (name === 'connect' && host === '' && !/^(?:perl|php|ruby)$/u.test(walk.language)) return madeOf(args);
  if (/^(?:nodemailer|smtplib|ftplib)/u.test(name) || host !== '') {
    addTo(found.effects, { effect: 'send', target: host }, found);
    if (!/^(?:localhost|127\.|::1|0\.0\.0\.0)/u.test(host) && !/^(?:nodemailer|smtplib|ftplib|paramiko)/u.test(name))
      found.connected = host;
  } else if (!/paramiko/u.test(name)) found.connected ??= '';
  return { ...UNKNOWN, name: 'connection', from: CONNECTION, host };
}

function hostOf(values: readonly Value[]): string {
  for (const value of flat(values, 32)) {
    const text = value.text?.replace(/^(?:tcp|udp|ssl|tls):\/\//u, '').replace(/:\d{1,5}$/u, '') ?? '';
    if (HOST.test(text)) return text.toLowerCase();
  }
  return '';
}

function exchanged(found: Found, effect: 'send' | 'fetch', url: string, carried: readonly Value[]): Value {
  if (URL.test(url)) addTo(found.urls, url, found);
  const host = URL.test(url) ? (/^[a-z]+:\/\/(?:[^/?#@]{0,200}@)?([^/?#:]{1,255})/iu.exec(url)?.[1] ?? '').toLowerCase() : url;
  if (!/UNKNOWN/u.test(host)) addTo(found.effects, { effect, target: host.slice(0, 300) }, found);
  noteCarried(found, URL.test(url) ? url : host, carried);
  return { ...UNKNOWN, name: 'response', from: FETCHED, host: url };
}

/** What goes out with a request: files, the environment, secrets of it. */
function noteCarried(found: Found, target: string, carried: readonly Value[]): void {
  const values = flat(carried, 64);
  const from = values.reduce((all, one) => all | one.from, 0);
  const local = /^(?:[a-z]+:\/\/)?(?:localhost|127\.|0\.0\.0\.0|\[?::1)/iu.test(target);
  if (local) return;
  if (from & ENVIRONMENT) addTo(found.effects, { effect: 'reveal', target: 'environment sent' }, found);
  if (from & LOCAL) addTo(found.effects, { effect: 'reveal', target: 'machine sent' }, found);
  if (from & SECRET && !URL.test(target)) addTo(found.effects, { effect: 'reveal', target: 'secret sent' }, found);
  if (from & FILE && URL.test(target))
    for (const file of new Set(values.flatMap((one) => one.files)))
      addTo(found.commands, ['curl', '--data-binary', `@${file}`, target], found);
}
