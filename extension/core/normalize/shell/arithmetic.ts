/** Integer arithmetic of `$(( … ))` over known variables: characters are made of it. Source: POSIX XCU 2.6.4, bash manual 6.5. */
const MAX_EXPRESSION = 200;
const TOKEN =
  /\s{0,200}(?:(0[xX][0-9a-fA-F]{1,12}|\d{1,2}#[0-9a-zA-Z]{1,12}|\d{1,15})|(\$?\{?[A-Za-z_]\w{0,60}\}?)|(\*\*|<<|>>|[-+*/%()&|^~]))/uy;

/** The value of `expression`; null when it holds anything but numbers, known names and the usual operators. */
export function evaluated(expression: string, variables: ReadonlyMap<string, string>): number | null {
  if (expression.length > MAX_EXPRESSION) return null;
  const tokens: (number | string)[] = [];
  TOKEN.lastIndex = 0;
  const text = expression.trimEnd();
  while (TOKEN.lastIndex < text.length) {
    const hit = TOKEN.exec(text);
    if (!hit) return null;
    if (hit[1] !== undefined) tokens.push(numberOf(hit[1]));
    else if (hit[2] !== undefined) {
      const value = variables.get(hit[2].replace(/[${}]/gu, ''));
      if (value === undefined || !/^-?\d{1,15}$/u.test(value)) return null;
      tokens.push(Number(value));
    } else tokens.push(hit[3] ?? '');
  }
  const state = { tokens, at: 0 };
  const value = binary(state, 0);
  return value === null || state.at < tokens.length || !Number.isSafeInteger(value) ? null : value;
}

function numberOf(text: string): number {
  const based = /^(\d{1,2})#(.+)$/u.exec(text);
  if (based) return Number.parseInt(based[2] ?? '', Math.min(36, Math.max(2, Number(based[1]))));
  return /^0\d/u.test(text) ? Number.parseInt(text, 8) : Number(text);
}

interface Tokens {
  readonly tokens: readonly (number | string)[];
  at: number;
}

const LEVELS: readonly (readonly string[])[] = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/', '%'], ['**']];

function binary(state: Tokens, level: number): number | null {
  const operators = LEVELS[level];
  if (!operators) return unary(state);
  let left = binary(state, level + 1);
  for (;;) {
    const operator = state.tokens[state.at];
    if (left === null || typeof operator !== 'string' || !operators.includes(operator)) return left;
    state.at++;
    const right = binary(state, level + 1);
    left = right === null ? null : applied(operator, left, right);
  }
}

function unary(state: Tokens): number | null {
  const token = state.tokens[state.at++];
  if (typeof token === 'number') return token;
  if (token === '(') {
    const value = binary(state, 0);
    return state.tokens[state.at++] === ')' ? value : null;
  }
  if (token !== '-' && token !== '+' && token !== '~') return null;
  const value = unary(state);
  return value === null ? null : token === '-' ? -value : token === '~' ? ~value : value;
}

function applied(operator: string, left: number, right: number): number | null {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return right === 0 ? null : Math.trunc(left / right);
    case '%':
      return right === 0 ? null : left % right;
    case '**':
      return right < 0 ? null : left ** right;
    case '<<':
      return left << right;
    case '>>':
      return left >> right;
    case '&':
      return left & right;
    case '|':
      return left | right;
    default:
      return left ^ right;
  }
}
