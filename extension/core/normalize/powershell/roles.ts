/** What cmdlets and .NET members do with the paths they are given. Source: their pages at learn.microsoft.com. */
import type { Access } from '#core/detect/rulePack.ts';

interface Roles {
  /** By place, after the name. */
  readonly places: readonly (Access | null)[];
  readonly named: Readonly<Record<string, Access>>;
}

const roles = (places: readonly (Access | null)[], named: Readonly<Record<string, Access>> = {}): Roles => ({ places, named });
const READ = roles(['read'], { '-Path': 'read', '-LiteralPath': 'read' });
const WRITE = roles(['write'], { '-Path': 'write', '-LiteralPath': 'write', '-FilePath': 'write' });
const MOVE = roles(['delete', 'write'], { '-Path': 'delete', '-LiteralPath': 'delete', '-Destination': 'write' });
const RUN = roles(['execute'], { '-Path': 'execute', '-FilePath': 'execute', '-LiteralPath': 'execute', '-Name': 'execute' });
const WEB = roles([null], { '-OutFile': 'write', '-InFile': 'read' });

const ROLES: ReadonlyMap<string, Roles> = new Map<string, Roles>([
  ...[
    'get-content',
    'get-item',
    'get-childitem',
    'import-csv',
    'import-clixml',
    'get-filehash',
    'get-acl',
    'resolve-path',
    'format-hex',
    'get-itemproperty',
  ].map((name): [string, Roles] => [name, READ]),
  ...[
    'set-content',
    'add-content',
    'clear-content',
    'out-file',
    'tee-object',
    'export-csv',
    'export-clixml',
    'new-item',
    'set-item',
    'set-acl',
    'set-itemproperty',
  ].map((name): [string, Roles] => [name, WRITE]),
  ['remove-item', roles(['delete'], { '-Path': 'delete', '-LiteralPath': 'delete' })],
  ['copy-item', roles(['read', 'write'], { '-Path': 'read', '-LiteralPath': 'read', '-Destination': 'write' })],
  ['move-item', MOVE],
  ['rename-item', MOVE],
  ['invoke-item', RUN],
  ['import-module', RUN],
  ['start-process', RUN],
  ['invoke-webrequest', WEB],
  ['invoke-restmethod', WEB],
  ['start-bitstransfer', roles([null, 'write'], { '-Destination': 'write' })],
  ['select-string', roles([null, 'read'], { '-Path': 'read', '-LiteralPath': 'read' })],
  ['compress-archive', roles(['read', 'write'], { '-Path': 'read', '-LiteralPath': 'read', '-DestinationPath': 'write' })],
  ['expand-archive', roles(['read', 'write'], { '-Path': 'read', '-LiteralPath': 'read', '-DestinationPath': 'write' })],
  ['.downloadfile', roles([null, 'write'])],
  ['.downloadfileasync', roles([null, 'write'])],
  ['.uploadfile', roles([null, 'read'])],
  ...['readalltext', 'readallbytes', 'readalllines', 'openread', 'opentext', 'readlines'].map((name): [string, Roles] => [
    `[io.file]::${name}`,
    roles(['read']),
  ]),
  ...['writealltext', 'writeallbytes', 'writealllines', 'appendalltext', 'create', 'openwrite', 'setattributes'].map(
    (name): [string, Roles] => [`[io.file]::${name}`, roles(['write'])],
  ),
  ['[io.file]::delete', roles(['delete'])],
  ['[io.directory]::delete', roles(['delete'])],
  ['[io.file]::copy', roles(['read', 'write'])],
  ['[io.file]::move', roles(['delete', 'write'])],
  ['[reflection.assembly]::loadfile', roles(['execute'])],
  ['[reflection.assembly]::loadfrom', roles(['execute'])],
]);

/** Switches have no value after them. */
const SWITCH =
  /^-(?:Recurse|Force|Confirm|WhatIf|Verbose|Hidden|File|Directory|System|ReadOnly|UseBasicParsing|UseDefaultCredentials|Append|NoClobber|NoNewline|Wait|PassThru|NoNewWindow|Raw|AsJob|Asynchronous|Container|SkipCertificateCheck|AllowClobber|Quiet|List|Update)$/u;
/** Places that are no files. */
const PROVIDER =
  /^(?:HK(?:LM|CU|CR|U|CC|EY_\w{1,30})|Registry|Cert|Env|Function|Alias|Variable|WSMan|AD|Microsoft\.\w{1,40}\\\w{1,30}::\w{0,20}):/iu;

export function pathsOf(words: readonly string[]): readonly { readonly text: string; readonly access: Access }[] {
  const role = ROLES.get((words[0] ?? '').toLowerCase());
  if (!role) return [];
  const out: { text: string; access: Access }[] = [];
  const add = (text: string, access: Access | null | undefined): void => {
    if (
      access &&
      text !== '' &&
      text.length < 4096 &&
      !text.includes('\n') &&
      !/^\$UNKNOWN|^-?\d+$/u.test(text) &&
      !PROVIDER.test(text) &&
      !/^[a-z]{2,9}:\/\//iu.test(text)
    )
      out.push({ text, access });
  };
  let place = 0;
  const many = role === READ || (words[0] ?? '').toLowerCase() === 'remove-item';
  for (let index = 1; index < words.length; index++) {
    const word = words[index] ?? '';
    if (/^-[A-Z]\w+$/u.test(word)) {
      if (SWITCH.test(word)) continue;
      index++;
      add(words[index] ?? '', role.named[word]);
      continue;
    }
    add(word, role.places[many ? 0 : place]);
    place++;
  }
  return out;
}
