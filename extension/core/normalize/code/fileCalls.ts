/** Calls that touch files, each with its own access; what has a command of the same meaning is handed on as that command. */
import type { Call } from '#core/normalize/code/call.ts';
import { addTo, type Found } from '#core/normalize/code/found.ts';
import { FETCHED, FILE, flat, madeOf, UNKNOWN, type Value } from '#core/normalize/code/value.ts';

const OPENS =
  /^(?:open|io\.open|codecs\.open|fs\.open|File\.open|File|fopen|SplFileObject|gzip\.open|bz2\.open|lzma\.open|aiofiles\.open|os\.fdopen|Path\(\)\.open|Pathname\(\)\.open|file|zipfile\.ZipFile|tarfile\.open|IO\.File)$/u;
const READS =
  /^(?:fs\.(?:readFile|createReadStream|readdir|readlink|readJson|opendir)|File\.(?:read|readlines|foreach|binread|readable)|IO\.(?:read|readlines|foreach|binread)|file_get_contents|readfile|highlight_file|show_source|io\.lines|os\.(?:ReadFile|Open|listdir|scandir|walk|readlink|fwalk)|ioutil\.ReadFile|readLines|readRDS|scan|read\.(?:csv|table|delim)|Deno\.(?:readTextFile|readFile|open|readDir)|Bun\.file|Path\(\)\.(?:read_text|read_bytes|iterdir|glob|rglob)|np\.(?:load|loadtxt|genfromtxt)|pd\.read_\w{1,12}|numpy\.load|pandas\.read_\w{1,12}|linecache\.getlines|fileinput\.input|dotenv_values|load_dotenv|glob\.i?glob|Dir\.(?:glob|entries|children|each_child)|scandir|parse_ini_file|YAML\.load_file|File\.Slurp\.read_file|read_file|slurp|path\(\)\.slurp|parse_config_file|configparser\.ConfigParser\(\)\.read|ConfigParser\(\)\.read|csv\.reader|CSV\.read|import_data|loadtxt|readtable)$/u;
const WRITES =
  /^(?:fs\.(?:writeFile|appendFile|createWriteStream|outputFile|writeJson|truncate|utimes|outputJson)|File\.(?:write|binwrite|truncate)|IO\.(?:write|binwrite)|file_put_contents|os\.(?:WriteFile|Create|truncate|mkfifo|utime)|ioutil\.WriteFile|writeLines|saveRDS|write\.(?:csv|table)|Deno\.(?:writeTextFile|writeFile|create)|Bun\.write|Path\(\)\.(?:write_text|write_bytes|touch)|Pathname\(\)\.write|np\.save|touch)$/u;
const REMOVES_TREES =
  /^(?:shutil\.rmtree|rmtree|remove_tree|File\.Path\.(?:rmtree|remove_tree)|FileUtils\.(?:rm_rf?|rmtree|remove_dir|remove_entry(?:_secure)?|remove_entry)|rimraf(?:\.rimraf)?|fs\.(?:remove|emptyDir)|del|os\.RemoveAll|Pathname\(\)\.rmtree|Dir\.(?:delete_tree))$/u;
const REMOVES =
  /^(?:os\.(?:remove|unlink|rmdir|removedirs|Remove)|fs\.(?:unlink|rmdir|rm)|File\.(?:delete|unlink)|FileUtils\.(?:rm|rm_f|remove|safe_unlink)|unlink|rmdir|Deno\.remove|Path\(\)\.(?:unlink|rmdir)|Pathname\(\)\.(?:unlink|delete)|Dir\.(?:rmdir|delete|unlink)|send2trash(?:\.send2trash)?|file\.remove|rm)$/u;
const TWO =
  /^(?:shutil\.(?:copy2?|copyfile|copytree|move)|os\.(?:rename|renames|replace|link|symlink|Rename|Symlink|Link)|fs\.(?:copyFile|copy|cp|rename|move|link|symlink)|FileUtils\.(?:cp|cp_r|copy|mv|move|ln|ln_s|ln_sf|install)|File\.(?:rename|symlink|link|copy)|rename|copy|symlink|link|move|file\.(?:copy|rename|symlink)|Deno\.(?:rename|copyFile|symlink)|File\.Copy\.(?:copy|move))$/u;
const MODES = /^(?:os\.(?:l?chmod|Chmod)|fs\.l?chmod|File\.chmod|FileUtils\.chmod(?:_R)?|chmod|Deno\.chmod|Path\(\)\.chmod|Sys\.chmod)$/u;
const OWNERS = /^(?:os\.l?chown|fs\.l?chown|File\.chown|FileUtils\.chown(?:_R)?|chown|shutil\.chown)$/u;
const FOLDERS =
  /^(?:os\.(?:mkdir|makedirs|chdir|MkdirAll|Mkdir)|fs\.(?:mkdir|ensureDir|mkdtemp|access|exists|stat|lstat|existsSync)|FileUtils\.mkdir_p|mkdir|chdir|Path\(\)\.mkdir|process\.chdir|Dir\.(?:mkdir|chdir)|Deno\.(?:mkdir|stat))$/u;

export function fileCall(call: Call): Value | null {
  const { walk, name, last, receiver, args, keys } = call;
  const { found } = walk;
  const object =
    (receiver?.name === 'Path()' || receiver?.name === 'Pathname()') && receiver.text !== null && /\(\)\.\w+$/u.test(name)
      ? receiver
      : null;
  const first = object ?? args[0] ?? UNKNOWN;
  const path = pathIn(first);
  if (OPENS.test(name)) {
    const how = (object ? args[0] : args[1])?.text ?? keys.get('mode')?.text ?? 'r';
    return opened(call, path, how, args);
  }
  if (READS.test(name) || (object && /^(?:read|readlines|each_line|entries|children)$/u.test(last))) {
    if (path === null) return READS.test(name) ? madeOf(args) : null;
    if (/^(?:https?|ftp):/iu.test(path)) return null;
    addTo(found.paths, { text: path, access: 'read' }, found);
    return { ...UNKNOWN, from: FILE, files: [path] };
  }
  if (WRITES.test(name)) {
    // Some name what is written first.
    const target =
      name === 'writeLines' || name === 'saveRDS' || name.startsWith('write.')
        ? pathIn(args[1] ?? keys.get('file') ?? keys.get('con') ?? UNKNOWN)
        : path;
    if (target !== null) addTo(found.paths, { text: target, access: 'write' }, found);
    const foreign = args.slice(1).find((arg) => arg.from & FETCHED && arg.host !== '');
    if (foreign && target !== null) addTo(found.commands, ['curl', '-o', target, foreign.host], found);
    return UNKNOWN;
  }
  const recursive = /^(?:true|True|TRUE|1)$/u.test(keys.get('recursive')?.text ?? keys.get('recursive')?.name ?? '');
  if (REMOVES_TREES.test(name) || (REMOVES.test(name) && recursive)) return commands(call, [first], (one) => ['rm', '-rf', one]);
  if (REMOVES.test(name)) {
    if (name === 'rm' && walk.language !== 'julia') return null;
    return commands(call, object ? [first] : args, (one) => [/rmdir|removedirs/u.test(name) ? 'rmdir' : 'rm', one]);
  }
  if (TWO.test(name)) {
    const from = path;
    const to = pathIn(args[1] ?? UNKNOWN);
    if (/^(?:copy|move|link|rename)$/u.test(name) && !/^(?:perl|php)$/u.test(walk.language)) return null;
    if (from !== null && /^(?:https?|ftp):/iu.test(from)) {
      addTo(found.commands, ['curl', '-o', to ?? '$UNKNOWN', from], found);
      return UNKNOWN;
    }
    if (from !== null || to !== null) addTo(found.commands, [...verb(name), from ?? '$UNKNOWN', to ?? '$UNKNOWN'], found);
    return UNKNOWN;
  }
  if (MODES.test(name)) {
    const perl = walk.language === 'perl' || walk.language === 'ruby';
    const mode = octal((perl ? args[0] : object ? args[0] : args[1]) ?? UNKNOWN);
    for (const target of perl ? args.slice(1) : [first]) {
      const text = pathIn(target);
      if (text !== null && mode !== null) addTo(found.commands, ['chmod', mode, text], found);
      else if (text !== null) addTo(found.paths, { text, access: 'write' }, found);
    }
    return UNKNOWN;
  }
  if (OWNERS.test(name)) {
    if (path !== null) addTo(found.paths, { text: path, access: 'write' }, found);
    return UNKNOWN;
  }
  if (name === 'sqlite3.connect') {
    if (path !== null) addTo(found.paths, { text: path, access: 'use' }, found);
    return UNKNOWN;
  }
  if (FOLDERS.test(name)) return UNKNOWN;
  return null;
}

function pathIn(value: Value): string | null {
  const text = value.text ?? value.list?.find((one) => one.text !== null)?.text ?? null;
  return text === null || text.trim() === '' || text.length > 4096 || text.includes('\n') || /^\$UNKNOWN\/?$/u.test(text) ? null : text;
}

function opened({ walk, name, last }: Call, path: string | null, how: string, args: readonly Value[]): Value {
  const { found } = walk;
  if (walk.language === 'perl' && name === 'open') return openedInPerl(found, args);
  if (path === null) return madeOf(args);
  if (/^(?:https?|ftp):\/\//iu.test(path)) {
    addTo(found.urls, path, found);
    return { ...UNKNOWN, from: FETCHED, host: path };
  }
  if (walk.language === 'ruby' && /^\s{0,9}\|/u.test(path)) {
    addTo(found.scripts, path.replace(/^\s{0,9}\|/u, ''), found);
    return UNKNOWN;
  }
  const writes = /[wax>+]/u.test(how);
  addTo(found.paths, { text: path, access: writes ? 'write' : 'read' }, found);
  return { ...UNKNOWN, name: writes ? `${last}()` : '', from: writes ? 0 : FILE, files: writes ? [] : [path] };
}

/** `open(F, ">", p)`, `open(F, ">p")`, `open(F, "cmd |")`, `open(F, "-|", "cmd", …)`. */
function openedInPerl(found: Found, args: readonly Value[]): Value {
  const texts = args.flatMap((arg) => (arg.text === null ? [] : [arg.text.trim()]));
  const [first = '', ...rest] = texts;
  if (first === '-|' || first === '|-') {
    if (rest.length === 1) addTo(found.scripts, rest[0] ?? '', found);
    else if (rest.length > 1) addTo(found.commands, rest, found);
    return UNKNOWN;
  }
  if (first.length > 1 && (first.startsWith('|') || first.endsWith('|'))) {
    addTo(found.scripts, first.replace(/^\||\|$/gu, ''), found);
    return UNKNOWN;
  }
  const mode = /^\+?[<>]{1,2}&?(?::\S{0,30})?/u.exec(first)?.[0] ?? '';
  const path = first.slice(mode.length).trim() || (rest[0] ?? '');
  if (path === '' || mode.includes('&')) return UNKNOWN;
  const writes = /[>+]/u.test(mode);
  addTo(found.paths, { text: path, access: writes ? 'write' : 'read' }, found);
  return { ...UNKNOWN, from: writes ? 0 : FILE, files: writes ? [] : [path] };
}

function commands({ walk }: Call, targets: readonly Value[], make: (target: string) => readonly string[]): Value {
  for (const one of flat(targets, 64)) {
    const text =
      one.text === null ||
      one.text.includes('\n') ||
      one.text.length > 4096 ||
      /^\$UNKNOWN(?:\/|$)/u.test(one.text) ||
      one.text.trim() === ''
        ? null
        : one.text;
    if (text !== null && one.keys === null && !text.startsWith('-')) addTo(walk.found.commands, make(text), walk.found);
  }
  return UNKNOWN;
}

function verb(name: string): readonly string[] {
  if (/symlink|ln_s/iu.test(name)) return ['ln', '-s'];
  if (/link|\.ln$/iu.test(name)) return ['ln'];
  return /rename|move|mv|replace/iu.test(name) ? ['mv'] : ['cp', '-r'];
}

function octal(mode: Value): string | null {
  if (mode.text === null) return null;
  const written = /^(?:0o?)?([0-7]{3,4})$/u.exec(mode.text)?.[1];
  if (written !== undefined && (mode.text.startsWith('0') || Number(mode.text) > 999)) return written;
  const number = Number(mode.text);
  return Number.isInteger(number) && number > 0 && number < 4096 ? number.toString(8) : (written ?? null);
}
