/**
 * What inline code of other languages visibly does: shell commands it starts, paths and addresses in its literals.
 * A scan, not a parser: computed values are out of its reach.
 */
const RUNS = /(?:\bos\.(?:system|popen|exec\w{1,3})|\bsubprocess\.\w{1,20}|\bPopen|\bcommands\.getoutput|\bexec(?:Sync|File|FileSync)?|\bspawn(?:Sync)?|\bsystem|\bpopen|\bshell_exec|\bpassthru|\bproc_open|\bqx|do shell script)\s{0,5}\(?\s{0,5}(\[?)\s{0,5}(?:f|r|b)?((?:"(?:[^"\\\n]|\\.){1,4000}"|'(?:[^'\\\n]|\\.){1,4000}'|`[^`]{1,4000}`)(?:\s{0,5},\s{0,5}(?:"[^"\n]{0,400}"|'[^'\n]{0,400}')){0,20})/gu;
const LITERAL = /"((?:[^"\\\n]|\\.){1,1000})"|'((?:[^'\\\n]|\\.){1,1000})'|`([^`]{1,1000})`/gu;
const WRITES = /\bopen\s{0,3}\([^)\n]{0,300},\s{0,5}(?:mode\s{0,3}=\s{0,3})?["'][wax]|\bwrite(?:File|_text|_bytes)|\bappendFile|\bfile_put_contents|\bFile\.write/u;
const DELETES = /\b(?:unlink(?:Sync)?|rmtree|rm(?:Sync|dirSync)?|remove|removedirs|rimraf)\s{0,3}\(/u;

export interface CodeReading {
  /** Shell text the code hands to a shell. */
  readonly scripts: readonly string[];
  /** Words of programs it starts without a shell. */
  readonly commands: readonly (readonly string[])[];
  readonly paths: readonly { readonly text: string; readonly access: 'read' | 'write' | 'delete' }[];
}

export function readCode(code: string): CodeReading {
  const text = code.slice(0, 64 * 1024);
  const scripts: string[] = [];
  const commands: string[][] = [];
  for (const hit of text.matchAll(RUNS)) {
    const words = literals(hit[2] ?? '');
    if (words.length === 0) continue;
    if (hit[1] === '[' || words.length > 1) commands.push(words);
    if (hit[1] !== '[') scripts.push(words[0] ?? '');
  }
  const access = DELETES.test(text) ? 'delete' : WRITES.test(text) ? 'write' : 'read';
  const paths = literals(text)
    .filter((literal) => /^(?:\/|~|\.{1,2}\/)[^\s]{1,300}$/u.test(literal) || /^\.[a-z][\w.-]{1,40}(?:\/[\w.-]{1,60}){0,5}$/u.test(literal))
    .slice(0, 64)
    .map((literal) => ({ text: literal, access }) as const);
  return { scripts, commands, paths };
}

function literals(text: string): string[] {
  const out: string[] = [];
  for (const hit of text.matchAll(LITERAL)) {
    out.push((hit[1] ?? hit[2] ?? hit[3] ?? '').replace(/\\(["'\\nt])/gu, (_, char: string) => (char === 'n' ? '\n' : char === 't' ? '\t' : char)));
    if (out.length >= 256) break;
  }
  return out;
}
