/**
 * A login that CI hands over in a variable and a script puts where programs look for it:
 * `echo "$KUBECONFIG_DATA" > ~/.kube/config`. Only the login is a variable's; a program to run, a proxy or a helper named in the text is none of it.
 * Variables the call sets itself stand in the text as what they hold, and do not count.
 */
const VARIABLE = String.raw`\$(?:[A-Z][A-Z0-9_]{1,60}|\{[A-Z][A-Z0-9_]{1,60}\})`;
const HOST = String.raw`(?:[\w-]{1,60}(?:\.[\w-]{1,60}){0,6}|${VARIABLE})`;
const NAME = String.raw`(?:[\w.@+-]{1,80}|${VARIABLE})`;

const LOGINS: readonly RegExp[] = [
  new RegExp(`^["']?${VARIABLE}["']?$`, 'u'),
  new RegExp(String.raw`^(?:machine ${HOST}|default)\s{1,4}login ${NAME}\s{1,4}password ${VARIABLE}$`, 'u'),
  new RegExp(String.raw`^machine ${HOST}$|^login ${NAME}$|^password ${VARIABLE}$`, 'u'),
  new RegExp(`^https://(?:${NAME}:)?${VARIABLE}@${HOST}$`, 'u'),
  new RegExp(
    String.raw`^\[(?:default|profile )?[\w-]{0,40}\]$|^aws_(?:access_key_id|secret_access_key|session_token)\s?=\s?${VARIABLE}$|^region\s?=\s?${NAME}$`,
    'u',
  ),
];

/** Whether `text` is nothing but such lines and one of them names a variable. More than is read counts as no. */
export function isVariableLogin(text: string): boolean {
  if (text.length > 2048 || !text.includes('$')) return false;
  const lines = text
    .split(/\\n|\n/u)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.length > 0 && lines.length <= 40 && lines.every((line) => LOGINS.some((regex) => regex.test(line)));
}

/** Files programs read a login from. */
export const LOGIN_FILE =
  /(?:^|\/)(?:\.netrc|\.git-credentials|\.pypirc|\.kube\/config|\.docker\/config\.json|\.aws\/(?:credentials|config)|\.config\/gh\/hosts\.yml)$/u;
