/** YAML text → its tree, for text that may come from anybody: nothing in it makes reading it take long. */
import { Lexer, parseDocument, type LineCounter, type Node } from 'yaml';

/** A rule file of a thousand rules has fewer. */
const MAX_TOKENS = 250_000;
const MAX_DEPTH = 40;
const MAX_ERRORS = 20;
/** The lexer's mark that the next token is a scalar's text. */
const SCALAR = '\u001f';

export interface YamlText {
  readonly root: Node | null;
  /** `line` counts from 1. */
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

/** Fills `lines`. Never throws. Keys that stand twice are left to `checkKeys`, which finds them in linear time. */
export function parseYaml(text: string, lines: LineCounter): YamlText {
  const one = (message: string): YamlText => ({ root: null, problems: [{ line: 1, message }] });
  try {
    const wrong = shapeProblem(text);
    if (wrong !== null) return one(wrong);
    const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, merge: false, logLevel: 'silent', prettyErrors: false });
    return {
      root: document.contents,
      problems: document.errors
        .slice(0, MAX_ERRORS)
        .map((error) => ({ line: Math.max(1, lines.linePos(error.pos[0]).line), message: error.message.split('\n', 1)[0] ?? error.code })),
    };
  } catch (error) {
    return one(`it cannot be read as YAML (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** What would make the parser slow or run out of stack, seen from its tokens alone. */
function shapeProblem(text: string): string | null {
  let tokens = 0;
  let depth = 0;
  let scalar = false;
  for (const token of new Lexer().lex(text)) {
    const content = scalar;
    scalar = token === SCALAR;
    if (content) continue;
    if (++tokens > MAX_TOKENS) return `it has more than ${MAX_TOKENS} YAML tokens; split it`;
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > MAX_DEPTH) return `it nests more than ${MAX_DEPTH} brackets`;
    if (token.startsWith('&') || (token.startsWith('*') && token.length > 1))
      return `anchors and aliases (${token.slice(0, 40)}) are not used in rules; write it out`;
  }
  return null;
}
