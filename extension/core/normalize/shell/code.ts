/**
 * What inline code of other languages visibly does: shell commands it starts, paths and addresses in its literals.
 * A scan, not a parser: computed values are out of its reach.
 */
const RUNS =
  /(?:\bos\.(?:system|popen|exec\w{1,3})|\bsubprocess\.\w{1,20}|\bPopen|\bcommands\.getoutput|\bexec(?:Sync|File|FileSync)?|\bspawn(?:Sync)?|\bsystem|\bpopen|\bshell_exec|\bpassthru|\bproc_open|\bqx|\bexecute|do shell script)\s{0,5}\(?\s{0,5}(\[?)\s{0,5}(?:f|r|b)?((?:"(?:[^"\\\n]|\\.){1,4000}"|'(?:[^'\\\n]|\\.){1,4000}'|`[^`]{1,4000}`)(?:\s{0,5},\s{0,5}(?:"[^"\n]{0,400}"|'[^'\n]{0,400}')){0,20})/gu;
/** Commands without quotes: `%x(…)`, `qw(…)` after `exec` or `system`, backticks of Perl and Ruby. */
const BARE_RUNS = /(?:%x|\b(?:exec|system)\s{0,3}\(?qw)\s{0,3}[({[|/]([^)}\]|\n]{1,1000})|(?:^|[\s=(;])`([^`\n]{1,1000})`/gu;
const LITERAL = /"((?:[^"\\\n]|\\.){1,1000})"|'((?:[^'\\\n]|\\.){1,1000})'|`([^`]{1,1000})`/gu;
const WRITES =
  /\bopen\s{0,3}\(?[^)\n]{0,300},\s{0,5}(?:mode\s{0,3}=\s{0,3})?["'](?:[wax]|r\+|>)|\bopen\b[^\n]{0,60}["']>|\bwrite(?:File|_text|_bytes)|\bappendFile|\bfile_put_contents|\bFile\.write|\bIO\.write|createWriteStream|\b(?:rename|renames|replace|chmod|lchmod|chown|move|copy\w{0,4}|copyFile|cp|symlink|link|truncate|touch|symlink_to|hardlink_to|utime|mkdir|makedirs)(?:Sync)?\s{0,3}[("']/u;
const DELETES = /\b(?:unlink(?:Sync)?|rmtree|rm(?:Sync|dirSync)?|remove|removedirs|rimraf)\s{0,3}\(/u;

const MAX_CODE = 256 * 1024;
const MAX_LITERALS = 4096;

export interface CodeReading {
  /** Shell text the code hands to a shell. */
  readonly scripts: readonly string[];
  /** Words of programs it starts without a shell. */
  readonly commands: readonly (readonly string[])[];
  readonly paths: readonly { readonly text: string; readonly access: 'read' | 'write' | 'delete' }[];
  /** Some of the code was too long to be looked at. */
  readonly cut: boolean;
}

export function readCode(code: string): CodeReading {
  const text = withHome(code.slice(0, MAX_CODE), JOINED_HOME);
  const scripts: string[] = [];
  const commands: string[][] = [];
  for (const hit of text.matchAll(RUNS)) {
    const words = literals(hit[2] ?? '');
    if (words.length === 0) continue;
    if (hit[1] === '[' || words.length > 1) commands.push(words);
    if (hit[1] !== '[') scripts.push(words[0] ?? '');
  }
  for (const hit of text.matchAll(BARE_RUNS)) scripts.push(hit[1] ?? hit[2] ?? '');
  const access = DELETES.test(text) ? 'delete' : WRITES.test(text) ? 'write' : 'read';
  const paths = [...new Set([...literals(text), ...literals(withHome(text, JOINED_PARTS))])]
    .filter(
      (literal) => /^(?:~|(?:\/|~|\.{1,2}\/)[^\s]{1,300})$/u.test(literal) || /^\.[a-z][\w.-]{1,40}(?:\/[\w.-]{1,60}){0,5}$/u.test(literal),
    )
    .slice(0, 256)
    .map((literal) => ({ text: literal, access }) as const);
  return { scripts, commands, paths, cut: code.length > MAX_CODE };
}

const HOME_CALL =
  /(?:\brequire\(["'](?:node:)?os["']\)|\bos)\.homedir\(\)|\bhomedir\(\)|\bPath\.home\(\)|\bprocess\.env(?:\.HOME|\[["']HOME["']\])|\bos\.(?:environ\[["']HOME["']\]|getenv\(["']HOME["']\)|path\.expanduser\(["']~["']\))|\bENV\[["']HOME["']\]|\$ENV\{["']?HOME["']?\}|\bDir\.home|\bgetenv\(["']HOME["']\)/gu;
const JOINED_HOME = /["'](~[^"'\n]{0,300})["']\)?\s{0,5}[+/.]\s{0,5}["']\/?([^"'\n]{1,200})["']/gu;
/** `path.join("~", ".ssh", "id_rsa")`: a comma may also stand between arguments that are not one path. */
const JOINED_PARTS = /["'](~[^"'\n]{0,300})["']\)?\s{0,5}[+/.,]\s{0,5}["']\/?([^"'\n]{1,200})["']/gu;
const MAX_JOINS = 6;

/** The home folder, asked for in the ways of each language, written `~`, and what is joined to it joined. */
function withHome(code: string, join: RegExp): string {
  let text = code.replace(HOME_CALL, '"~"');
  for (let round = 0; round < MAX_JOINS && text.includes('~'); round++) {
    const joined = text.replace(join, '"$1/$2"');
    if (joined === text) break;
    text = joined;
  }
  return text;
}

function literals(text: string): string[] {
  const out: string[] = [];
  for (const hit of text.matchAll(LITERAL)) {
    out.push(
      (hit[1] ?? hit[2] ?? hit[3] ?? '').replace(/\\(["'\\nt])/gu, (_, char: string) => (char === 'n' ? '\n' : char === 't' ? '\t' : char)),
    );
    if (out.length >= MAX_LITERALS) break;
  }
  return out;
}
