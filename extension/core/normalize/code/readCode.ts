/**
 * What code of other languages does: programs it starts, files it touches, machines it reaches, text it runs.
 * A scan, not a parser: what is only known when the program runs is out of its reach.
 */
import { awkActions } from '#core/normalize/code/awk.ts';
import { newFound, type Found } from '#core/normalize/code/found.ts';
import { languageOf } from '#core/normalize/code/languages.ts';
import { walkCode } from '#core/normalize/code/walker.ts';

const MAX_CODE = 256 * 1024;
const MAX_PATHS = 256;

export type CodeReading = Pick<Found, 'scripts' | 'commands' | 'paths' | 'urls' | 'effects' | 'inner' | 'cut'>;

/** `hint`: the interpreter's name, or the file's. Never throws; what is too long or too deep is `cut`. */
export function readCode(code: string, hint: string): CodeReading {
  const text = code.slice(0, MAX_CODE);
  const language = languageOf(hint, text);
  const found = newFound();
  if (code.length > MAX_CODE) found.cut = true;
  // AppleScript's command has a name of three words.
  walkCode(language === 'applescript' ? text.replace(/do shell script/giu, 'system') : text, language, found);
  if (language === 'awk') awkActions(text, found);
  if (found.connected !== null && (found.shell || /\bdup2\b/u.test(text)) && (found.shell || /["'\x60][^"'\x60\n]{0,20}sh\b/u.test(text)))
    found.effects.push({ effect: 'join-shell', target: found.connected });
  const known = new Set(found.paths.map((path) => path.text));
  for (const command of found.commands) for (const word of command) known.add(word);
  for (const literal of found.literals) {
    if (found.paths.length >= MAX_PATHS) break;
    if (!known.has(literal) && LOOKS_LIKE_PATH.test(literal)) found.paths.push({ text: literal, access: 'read' });
  }
  return found;
}

/** A text that can hardly be anything but a path: what is done with it is not known, so it may be read. */
const LOOKS_LIKE_PATH =
  /^(?:~|(?:\/|~|\.{1,2}\/)[^\s]{1,300})$|^\.[a-z][\w.-]{1,40}(?:\/[\w.-]{1,60}){0,5}$|^[A-Za-z]:\\[^\s*?"<>|]{2,300}$/u;
