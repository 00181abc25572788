/** Calls that only make values: joining, decoding, asking for folders. Sources: the standard libraries' references. */
import { decodeBase32Text, decodeBase64Text } from '#core/normalize/decoders/base64.ts';
import { decodeHexText, decodePercent } from '#core/normalize/decoders/codes.ts';
import {
  DECODED,
  ENVIRONMENT,
  INPUT,
  joined,
  joinedPath,
  formatted,
  LOCAL,
  madeOf,
  named,
  SECRET,
  textValue,
  UNKNOWN,
  withText,
  type Value,
} from '#core/normalize/code/value.ts';

const HOME =
  /^(?:os\.homedir|Path\.home|pathlib\.Path\.home|Dir\.home|homedir|os\.UserHomeDir|File\.homedir|Etc\.getpwuid\.dir|Deno\.homeDir)$/u;
const HERE = /^(?:os\.getcwdb?|process\.cwd|Path\.cwd|pathlib\.Path\.cwd|Dir\.pwd|Deno\.cwd|getcwd|getwd|os\.Getwd|cwd)$/u;
const TEMPORARY = /^(?:os\.tmpdir|tempfile\.gettempdir|Dir\.tmpdir|sys_get_temp_dir|os\.TempDir|tempdir)$/u;
const JOIN_PATH =
  /^(?:os\.path\.join|path\.(?:posix\.|win32\.)?(?:join|resolve)|join|filepath\.Join|File\.(?:join|expand_path)|file\.path|joinpath|posixpath\.join|ntpath\.join|pathlib\.(?:Pure)?(?:Posix|Windows)?Path|(?:Pure)?(?:Posix)?Path|Pathname\.new|Path\(\)\.joinpath|File\.catfile|File\.Spec\.catfile)$/u;
const SAME =
  /^(?:str|bytes|bytearray|String|os\.path\.(?:expanduser|expandvars|abspath|realpath|normpath|dirname\(\))|path\.normalize|os\.fspath|shlex\.quote|shellescape|escapeshellarg|list|tuple|Buffer\.from|TextEncoder\(\)\.encode|new|path\.expand|normalizePath|os\.ExpandEnv|strings\.TrimSpace|URL|encodeURI|pathToFileURL|fileURLToPath|Array\.from|url\.parse|io\.(?:StringIO|BytesIO)|iter|chr\(\)|lambda|await|trim|untaint|to_s|Shellwords\.escape|inet_aton)$/u;
const FROM_CODE = /^(?:chr|unichr|String\.from(?:CharCode|CodePoint)|string\.char|utf8\.char|intToUtf8|mb_chr|rune|Char)$/u;
const BASE64 =
  /(?:^|\.)(?:b64decode|urlsafe_b64decode|standard_b64decode|decodebytes|decodestring|a2b_base64|atob|base64_decode|decode_base64|(?:strict_|urlsafe_)?decode64|base64decode|base64Decode|mime\.unb64|DecodeString|base64\.decode)$/u;
const BASE32 = /(?:^|\.)b32decode$/u;
const HEX = /(?:^|\.)(?:fromhex|unhexlify|a2b_hex|hex2bin|hexdecode|b16decode|hex\.DecodeString)$/u;
const UNPACKED =
  /(?:^|\.)(?:decompress|inflate(?:Raw)?|gunzip|unzip|brotliDecompress|gz(?:inflate|uncompress|decode)|zlib_decode|uncompress|a85decode|b85decode|convert_uudecode|str_rot13|decrypt|rot13|marshal\.loads|unpack1?)$/u;
const CLEARED =
  /^(?:len|bool|isinstance|hasattr|type|typeof|sizeof|count|int|float|Number|parseInt|sorted|range|max|min|sum|abs|round|Boolean|isset|empty|defined|strlen|nchar|length)$/u;
const ONE_VARIABLE =
  /^(?:os\.getenv|os\.environ(?:\.copy\(\))?\.(?:get|setdefault|pop)|getenv|ENV\.(?:fetch|dig)|Deno\.env\.get|os\.(?:Getenv|LookupEnv)|env\.get|Sys\.getenv|os\.getenvb)$/u;
const WHOLE_ENVIRONMENT =
  /^(?:Deno\.env\.toObject|os\.Environ|os\.environ\.(?:copy|items|values)|ENV\.(?:to_h|to_hash|each|map|inspect|to_a)|getenv|Sys\.getenv)$/u;
const LOCALS =
  /^(?:socket\.(?:gethostname|getfqdn)|os\.(?:uname|getlogin|hostname|userInfo|networkInterfaces)|getpass\.getuser|platform\.(?:node|uname|platform)|Etc\.getlogin|Socket\.gethostname|gethostname|php_uname|get_current_user|whoami|os\.Hostname|pwd\.getpwall|os\.cpus)$/u;
const INPUTS = /^(?:input|raw_input|sys\.stdin\.(?:read|readline)|gets|STDIN\.(?:read|gets)|io\.read|readline|prompt|readLines)$/u;
const SECRET_NAME = /(?:KEY|TOKEN|SECRET|PASSW(?:OR)?D|CREDENTIAL|AUTH|PRIVATE)/iu;

/** Objects and modules that a text may name. */
const LOADS =
  /^(?:__import__|require|importlib\.import_module|process\.mainModule\.require|module\.require|import|process\.getBuiltinModule|createRequire\(\)|import_module)$/u;
const LOOKS_UP = /^(?:getattr|Reflect\.get|operator\.attrgetter)$/u;

export const moduleName = (name: string): string => name.replace(/^(?:node|bun):/u, '').replaceAll('/', '.');

/** A member or a variable: the environment, home and temporary folders. */
export function memberValue(owner: Value, member: string): Value | null {
  if (owner.from & ENVIRONMENT && owner.list === null && /(?:^|\.)(?:environ|env|ENV|_ENV|copy\(\)|environb)$/u.test(owner.name)) {
    if (/^(?:get|setdefault|pop|copy|items|values|keys|fetch|to_h|to_hash|update|each|map|toObject|inspect|to_a|dig)$/u.test(member))
      return null;
    return environmentValue(member);
  }
  return null;
}

function environmentValue(variable: string, otherwise?: Value): Value {
  if (/^(?:HOME|USERPROFILE)$/iu.test(variable)) return textValue('~');
  if (/^(?:TMPDIR|TEMP|TMP)$/iu.test(variable)) return textValue('/tmp');
  if (SECRET_NAME.test(variable)) return { ...UNKNOWN, from: SECRET };
  return otherwise?.text === undefined || otherwise.text === null ? UNKNOWN : textValue(otherwise.text);
}

/** The value of a call that has no effect; null when the call is no such one. `name`: dotted, of methods with their receiver. */
export function pureCall(name: string, receiver: Value | null, args: readonly Value[], keys: ReadonlyMap<string, Value>): Value | null {
  const first = args[0] ?? UNKNOWN;
  const last = name.slice(name.lastIndexOf('.') + 1);
  if (HOME.test(name)) return { ...textValue('~'), name: 'Path()' };
  if (HERE.test(name)) return { ...textValue('.'), name: 'Path()' };
  if (TEMPORARY.test(name)) return textValue('/tmp');
  if (JOIN_PATH.test(name) && (name !== 'join' || args.length > 1))
    return joinedPath(receiver?.name === 'Path()' ? [receiver, ...args] : args);
  if (receiver?.name === 'Path()' && receiver.text !== null) {
    if (
      last === 'expanduser' ||
      last === 'resolve' ||
      last === 'absolute' ||
      last === 'as_posix' ||
      last === 'to_s' ||
      last === 'expand_path'
    )
      return receiver;
    if (last === 'join') return joinedPath([receiver, ...args]);
  }
  if (LOADS.test(name) && first.text !== null) return named(moduleName(first.text));
  if (LOOKS_UP.test(name)) {
    const member = args[1]?.text;
    if (member !== undefined && member !== null) return named(first.name === '' ? member : `${first.name}.${member}`);
  }
  if (FROM_CODE.test(name)) {
    const codes = (first.list ?? args).map((arg) => Number(arg.text ?? Number.NaN));
    if (codes.length > 0 && codes.every((code) => code >= 0 && code <= 0x10_ffff))
      return withText(codes.map((code) => String.fromCodePoint(code)).join(''), args);
  }
  const codes = name === 'map' && FROM_CODE.test(first.name) ? args[1]?.list : undefined;
  if (codes !== undefined && codes !== null)
    return { ...madeOf(codes), list: codes.map((code) => pureCall(first.name, null, [code], keys) ?? UNKNOWN) };
  if (name === 'Buffer.from' || name === 'codecs.decode' || last === 'codecs.decode') {
    const how = args[1]?.text ?? keys.get('encoding')?.text ?? '';
    if (how.startsWith('base64')) return decoded(first, decodeBase64Text);
    if (how.startsWith('hex')) return decoded(first, decodeHexText);
    if (how.startsWith('rot')) return decoded(first, rot13);
    const bytes = first.list?.map((one) => Number(one.text ?? Number.NaN));
    if (bytes !== undefined && bytes.length > 2 && bytes.every((byte) => byte >= 0 && byte < 256))
      return textValue(String.fromCharCode(...bytes.slice(0, 4096)), DECODED);
  }
  if ((last === 'bytes' || last === 'bytearray') && first.list !== null) {
    const bytes = first.list.map((one) => Number(one.text ?? Number.NaN));
    if (bytes.every((byte) => byte >= 0 && byte < 256)) return textValue(String.fromCharCode(...bytes.slice(0, 4096)));
  }
  if (BASE64.test(name))
    return decoded(args.find((arg) => arg.text !== null) ?? (first.text === null && receiver?.text ? receiver : first), decodeBase64Text);
  if (BASE32.test(name)) return decoded(first, decodeBase32Text);
  if (HEX.test(name)) return decoded(first, decodeHexText);
  if (last === 'pack' && (args[0]?.text ?? '').startsWith('H')) return decoded(args[1] ?? UNKNOWN, decodeHexText);
  if ((last === 'unpack' || last === 'unpack1') && (first.text ?? '').startsWith('m') && receiver)
    return decoded(receiver, decodeBase64Text);
  if (name === 'str_rot13') return decoded(first, rot13);
  if (UNPACKED.test(name)) {
    const of = args.find((arg) => arg.text !== null || arg.from > 0) ?? receiver ?? first;
    return { ...madeOf([of]), text: of.from & DECODED ? of.text : null, from: of.from | DECODED };
  }
  if (/^(?:unquote|unquote_plus|decodeURIComponent|unescape|urldecode|rawurldecode)$/u.test(last))
    return withText(first.text === null ? null : (decodePercent(first.text) ?? first.text), [first]);
  if (
    CLEARED.test(name) ||
    /^(?:keys|length|startswith|endsWith|startsWith|includes|has|index|indexOf|count|exists|isfile|isdir)$/u.test(last)
  )
    return name === 'int' || name === 'Number' || name === 'parseInt' ? textOnly(first) : UNKNOWN;
  if (ONE_VARIABLE.test(name) && first.text !== null) return environmentValue(first.text, args[1]);
  if (WHOLE_ENVIRONMENT.test(name)) return { ...UNKNOWN, name: 'env', from: ENVIRONMENT };
  if (LOCALS.test(name)) return { ...UNKNOWN, from: LOCAL };
  if (INPUTS.test(name)) return { ...UNKNOWN, from: INPUT };
  if (SAME.test(name)) return first;
  if (receiver !== null) return method(last, receiver, args, keys);
  if (/^(?:format|sprintf|fmt\.Sprintf|string\.format|util\.format|paste0?|implode|printf)$/u.test(name)) {
    if (name === 'implode') return joined(args[1]?.list ?? [], first.text ?? '');
    if (name.startsWith('paste')) return joined(args, name === 'paste' ? (keys.get('sep')?.text ?? ' ') : '');
    return formatted(first, args.slice(1), keys);
  }
  if (/^(?:strrev|reverse|string\.reverse)$/u.test(name)) return withText(first.text === null ? null : turned(first.text), [first]);
  if (name === 'join' || name === 'table.concat')
    return name === 'join'
      ? joined(
          args.slice(1).flatMap((arg) => arg.list ?? [arg]),
          first.text ?? '',
        )
      : joined(first.list ?? [], args[1]?.text ?? '');
  return null;
}

/** Methods of texts and lists. */
function method(last: string, receiver: Value, args: readonly Value[], keys: ReadonlyMap<string, Value>): Value | null {
  const first = args[0] ?? UNKNOWN;
  switch (last) {
    case 'join':
      if (receiver.list !== null) return joined(receiver.list, first.text ?? ',');
      return receiver.text === null || first.list === null ? madeOf([receiver, ...args]) : joined(first.list, receiver.text);
    case 'format':
      return formatted(receiver, args, keys);
    case 'replace':
    case 'replaceAll':
    case 'gsub':
    case 'tr': {
      const to = args[1]?.text;
      if (
        receiver.text === null ||
        first.text === null ||
        first.text === '' ||
        to === undefined ||
        to === null ||
        receiver.text.length > 8192
      )
        return madeOf([receiver, ...args]);
      return withText(
        receiver.text.replaceAll(first.text, () => to),
        [receiver, ...args],
      );
    }
    case 'concat':
      return receiver.text === null ? madeOf([receiver, ...args]) : joined([receiver, ...args], '');
    case 'reverse':
      return receiver.list !== null
        ? { ...receiver, list: [...receiver.list].reverse() }
        : withText(receiver.text === null ? null : turned(receiver.text), [receiver]);
    case 'split':
      if (receiver.text === null || receiver.text.length > 8192) return madeOf([receiver]);
      return {
        ...madeOf([receiver]),
        list: (first.text === null || (first.text === '' && args.length === 0)
          ? receiver.text.trim().split(/\s+/u)
          : receiver.text.split(first.text)
        )
          .slice(0, 512)
          .map((text) => textValue(text, receiver.from)),
      };
    case 'repeat':
      return withText(
        receiver.text === null ? null : receiver.text.repeat(Math.min(64, Math.max(0, Math.floor(Number(first.text ?? 0)) || 0))),
        [receiver],
      );
    case 'decode':
    case 'encode':
    case 'strip':
    case 'trim':
    case 'toString':
    case 'chomp':
    case 'rstrip':
    case 'lstrip':
    case 'freeze':
    case 'to_s':
    case 'copy':
      return receiver.name === '' || receiver.text !== null ? { ...receiver, name: receiver.name === 'Path()' ? 'Path()' : '' } : null;
    case 'lower':
    case 'toLowerCase':
    case 'downcase':
      return withText(receiver.text?.toLowerCase() ?? null, [receiver]);
    default:
      return null;
  }
}

const textOnly = (value: Value): Value => (value.text === null ? UNKNOWN : textValue(value.text));

function decoded(of: Value, decode: (text: string) => string | null): Value {
  const text = of.text === null || of.text.length > 65_536 ? null : decode(of.text.trim());
  return { ...madeOf([of]), text, from: of.from | DECODED };
}

export const turned = (text: string): string => [...text].reverse().join('');

function rot13(text: string): string {
  return text.replace(/[a-z]/giu, (char) => {
    const base = char <= 'Z' ? 65 : 97;
    return String.fromCharCode(((char.charCodeAt(0) - base + 13) % 26) + base);
  });
}
