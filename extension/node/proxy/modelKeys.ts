/**
 * Keys to models that a client hands down to every server it starts although no server asked for them. Claude Code gives
 * servers its whole environment; a server that is to have a key has it named in its own entry, or by policy (`giveKeys`).
 */
import { readFileSync } from 'node:fs';

/**
 * Sources of the names: the vendors' documentation of their command-line agents and SDKs (Anthropic, OpenAI, Google, Cursor,
 * GitHub Copilot CLI, AWS Bedrock, Azure OpenAI, xAI, Mistral, Groq, DeepSeek, OpenRouter, Moonshot, Alibaba, Zhipu). Tokens that
 * servers commonly live on (GITHUB_TOKEN, AWS_ACCESS_KEY_ID, …) are not among them.
 */
const MODEL_KEYS: ReadonlySet<string> = new Set([
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_FOUNDRY_API_KEY',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CODE_OAUTH_REFRESH_TOKEN',
  'CLAUDE_CODE_SESSION_ACCESS_TOKEN',
  'AWS_BEARER_TOKEN_BEDROCK',
  'OPENAI_API_KEY',
  'CODEX_API_KEY',
  'CODEX_ACCESS_TOKEN',
  'AZURE_OPENAI_API_KEY',
  'GEMINI_API_KEY',
  'GOOGLE_API_KEY',
  'GOOGLE_GENERATIVE_AI_API_KEY',
  'CURSOR_API_KEY',
  'COPILOT_PROVIDER_API_KEY',
  'COPILOT_PROVIDER_BEARER_TOKEN',
  'XAI_API_KEY',
  'MISTRAL_API_KEY',
  'GROQ_API_KEY',
  'DEEPSEEK_API_KEY',
  'OPENROUTER_API_KEY',
  'MOONSHOT_API_KEY',
  'DASHSCOPE_API_KEY',
  'ZHIPUAI_API_KEY',
]);

/**
 * For an entry that does not say which variables it sets: those that differ from the client's own, which it did not inherit. Null
 * when the client's cannot be looked at (it can on Linux): then nothing can be told to be inherited.
 */
export function namedByComparing(env: Readonly<Record<string, string>>, clientPid: number): readonly string[] | null {
  let theirs: ReadonlySet<string>;
  try {
    theirs = new Set(readFileSync(`/proc/${clientPid}/environ`, 'utf8').split('\0'));
  } catch {
    return null; // another system, another user's process, or one that is gone
  }
  return Object.keys(env).filter((name) => !theirs.has(`${name}=${env[name] ?? ''}`));
}

export interface ServerEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** Names of what was taken out. */
  readonly withheld: readonly string[];
}

/**
 * `named`: the variables that the server's own entry sets, by its `CALLGATE_ENTRY_ENV` or by comparing. Null when nobody knows:
 * the server then keeps what it has.
 */
export function withoutModelKeys(
  env: Readonly<Record<string, string>>,
  named: readonly string[] | null,
  givesKey: (variable: string) => boolean,
): ServerEnvironment {
  if (named === null) return { env, withheld: [] };
  // Windows does not tell upper from lower case in names of variables.
  const kept = new Set(named.map((name) => name.toUpperCase()));
  const withheld = Object.keys(env).filter(
    (name) => MODEL_KEYS.has(name.toUpperCase()) && !kept.has(name.toUpperCase()) && !givesKey(name),
  );
  return withheld.length === 0
    ? { env, withheld }
    : { env: Object.fromEntries(Object.entries(env).filter(([name]) => !withheld.includes(name))), withheld };
}

/** One line for whoever looks why a server lacks its key. */
export const withheldText = (server: string, withheld: readonly string[]): string =>
  `"${server}" was started without ${withheld.join(', ')}, inherited from the client. If the server needs it, name it under "env" in its configuration, or under giveKeys in Callgate's policy.yaml`;
