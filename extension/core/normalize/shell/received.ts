/** What commands leave in files: text that is known, and what was downloaded. */
import type { CommandField, Place } from '#core/normalize/fields.ts';
import type { Collector } from '#core/normalize/collector.ts';
import type { Built, Job } from '#core/normalize/shell/job.ts';

/** Programs whose words leave this machine: what a substitution puts into them is sent. */
export const SENDERS: ReadonlySet<string> = new Set(
  'curl wget http https xh nc ncat netcat telnet dig nslookup host ping drill resolvectl'.split(' '),
);
/** Programs that print or keep what comes from elsewhere. */
export const FETCHERS: ReadonlySet<string> = new Set(
  'curl wget wget2 fetch aria2c axel lynx w3m http https xh nc ncat netcat socat invoke-webrequest invoke-restmethod iwr irm scp sftp ftp tftp'.split(
    ' ',
  ),
);

/** Files a command fills with text that is known. */
export function remember(field: Built | undefined, printed: string, written: Map<string, string>): void {
  const appends = field?.redirects.some((redirect) => redirect.op === '>>') === true;
  for (const path of field?.paths ?? []) {
    if (path.access === 'write') written.set(path.text, appends ? `${written.get(path.text) ?? ''}\n${printed}` : printed);
  }
}

const BARE_HOST =
  /^(?:[\w.-]+\.[a-z]{2,24}|(?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-f:.]+\]|0x[0-9a-f]{8}|\d{8,10}|localhost)(?::\d{1,5})?(?:[/?].*)?$/iu;
/** Flags of these programs whose value is something else than an address. */
const VALUED =
  /^(?:-[a-zA-Z]{0,6}[oTKbcDdFHAueXmwEUCrtQOP]|--(?:output|upload-file|config|cookie|cookie-jar|dump-header|data(?:-raw|-binary|-ascii|-urlencode)?|json|form(?:-string)?|header|user-agent|user|referer|request|max-time|connect-timeout|write-out|cert|key|cacert|resolve|retry|retry-delay|output-document|directory-prefix|post-data|post-file|body-file|method|input-file|dir|out))$/u;
const TAKES_HOSTS: ReadonlySet<string> = new Set(['curl', 'wget', 'http', 'https', 'xh', 'fetch', 'aria2c']);

export function addUrls(field: Built, place: Place, collector: Collector): void {
  for (const [index, word] of field.words.entries()) {
    if (index === 0) continue;
    const at = word.includes('://') ? word.slice(0, 8192).search(/[a-z][a-z0-9+.-]{0,30}:\/\//iu) : -1;
    const written =
      at >= 0
        ? word.slice(at)
        : TAKES_HOSTS.has(field.program) && !word.startsWith('-') && BARE_HOST.test(word) && !VALUED.test(field.words[index - 1] ?? '')
          ? `http://${word}`
          : null;
    const url = written === null ? null : collector.url(place, written);
    if (url) field.urls.push(url);
  }
}

/** Files a download leaves behind, so that running one of them later counts as running what was downloaded. */
export function rememberDownloads(field: Built, job: Job): void {
  const keep = (written: string): void => {
    for (const path of job.collector.path({ at: field.at, span: field.span }, written, 'write', job.here.folder))
      job.downloads.set(path.text, field);
  };
  for (const path of field.paths) if (path.access === 'write') job.downloads.set(path.text, field);
  for (const redirect of field.redirects) if (redirect.op.startsWith('>')) keep(redirect.target);
  if (field.program === 'wget' || field.flags.has('O') || field.flags.has('remote-name')) {
    for (const url of field.urls) {
      const name = url.path.split('/').at(-1) ?? '';
      if (name !== '') keep(name);
    }
  }
}

/** A downloaded file that is copied, renamed or unpacked stays a downloaded one. */
export function passOn(field: CommandField, downloads: Map<string, CommandField>): void {
  if (downloads.size === 0 || !/^(?:cp|mv|install|ln|tar|unzip|gunzip|tee|cat|base64|dd|7z)$/u.test(field.program)) return;
  const source = field.paths
    .map((path) => (path.access === 'read' ? downloads.get(path.text) : undefined))
    .find((one) => one !== undefined);
  if (source === undefined || downloads.size > 256) return;
  for (const path of field.paths) if (path.access === 'write') downloads.set(path.text, source);
}
