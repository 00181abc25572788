/** The shell text in files that tasks are written in: `package.json`, makefiles, justfiles. */

const MAX_LINES = 8000;
const MAX_TARGETS = 200;

/** Scripts of a `package.json` by name; text that is no JSON has none. */
export function packageScripts(text: string, names: readonly string[]): string {
  let scripts: unknown;
  try {
    scripts = (JSON.parse(text) as { scripts?: unknown } | null)?.scripts;
  } catch {
    // The package manager cannot read it either, so nothing runs.
    return '';
  }
  if (typeof scripts !== 'object' || scripts === null) return '';
  return names
    .map((name) => (Object.hasOwn(scripts, name) ? (scripts as Record<string, unknown>)[name] : undefined))
    .filter((script) => typeof script === 'string')
    .join('\n');
}

interface Recipe {
  readonly needs: readonly string[];
  readonly lines: string[];
}

/** Recipe lines of the targets (of the first one when none is named) and of what they need, with make's own variables filled in. */
export function makeRecipes(text: string, targets: readonly string[]): string {
  const variables = new Map<string, string>();
  const recipes = new Map<string, Recipe>();
  let current: readonly Recipe[] = [];
  let first: string | null = null;
  for (const line of text.replace(/\\\n[ \t]{0,200}/gu, ' ').split('\n', MAX_LINES)) {
    if (line.startsWith('\t')) {
      for (const recipe of current) recipe.lines.push(line.slice(1).replace(/^[-@+ ]{1,8}/u, ''));
      continue;
    }
    const set = /^(?:export\s{1,9}|override\s{1,9})?([A-Za-z_][\w.-]{0,80})\s{0,9}(?::{0,3}|\?|\+)=\s{0,9}([^\n#]{0,2000})/u.exec(line);
    if (set) {
      if (variables.size < 500) variables.set(set[1] ?? '', (set[2] ?? '').trim());
      continue;
    }
    const rule = /^([^\s#:=][^:#=]{0,500}):{1,2}(?!=)([^\n#;]{0,2000})(?:;([^\n]{0,2000}))?/u.exec(line);
    if (!rule) {
      if (line.trim() !== '' && !line.startsWith('#')) current = [];
      continue;
    }
    const names = (rule[1] ?? '')
      .trim()
      .split(/\s{1,20}/u)
      .slice(0, MAX_TARGETS);
    current = names.map((name) => {
      const recipe: Recipe = { needs: (rule[2] ?? '').split(/\s{1,20}/u), lines: rule[3] === undefined ? [] : [rule[3]] };
      const known = recipes.get(name);
      recipes.set(name, known ? { needs: [...known.needs, ...recipe.needs], lines: known.lines } : recipe);
      return recipes.get(name) ?? recipe;
    });
    if (first === null && !/^[.%]/u.test(names[0] ?? '.')) first = names[0] ?? null;
  }
  return wanted(recipes, targets.length > 0 ? targets : first === null ? [] : [first])
    .flatMap((recipe) => recipe.lines)
    .map((line) => filled(line, variables))
    .join('\n');
}

/** `$(NAME)` of make is a variable, not a command; `$$` is the shell's dollar. */
function filled(line: string, variables: ReadonlyMap<string, string>): string {
  let text = line;
  for (let round = 0; round < 4 && /\$[({]/u.test(text) && text.length < 8000; round++)
    text = text.replace(
      /(?<!\$)\$[({]([A-Za-z_][\w.-]{0,80})[)}]/gu,
      (_, name: string) => variables.get(name) ?? `MAKE_${name.replace(/\W/gu, '_')}`,
    );
  return text
    .replace(/(?<!\$)\$[({]shell ([^()]{0,400})\)/gu, '$$$$($1)')
    .replace(/(?<!\$)\$[({][^(){}]{0,400}[)}]/gu, 'MAKE')
    .replace(/(?<!\$)\$[@<^*?+]/gu, 'MAKE_TARGET')
    .replaceAll('$$', '$');
}

function wanted(recipes: ReadonlyMap<string, Recipe>, targets: readonly string[]): readonly Recipe[] {
  const out = new Set<Recipe>();
  const queue = [...targets];
  for (let at = 0; at < queue.length && at < MAX_TARGETS; at++) {
    const recipe = recipes.get(queue[at] ?? '');
    if (!recipe || out.has(recipe)) continue;
    out.add(recipe);
    queue.push(...recipe.needs);
  }
  return [...out];
}

/** Recipe lines of a justfile: of the named recipes, or of the first. */
export function justRecipes(text: string, targets: readonly string[]): string {
  const recipes = new Map<string, Recipe>();
  let current: Recipe | null = null;
  let first: string | null = null;
  for (const line of text.split('\n', MAX_LINES)) {
    if (/^[ \t]/u.test(line)) {
      current?.lines.push(
        line
          .trim()
          .replace(/^[-@]{1,2}/u, '')
          .replace(/\{\{[^{}]{0,200}\}\}/gu, 'JUST_VALUE'),
      );
      continue;
    }
    const rule = /^@?([A-Za-z_][\w-]{0,80})(?:\s{1,9}[^:\n]{0,400})?:(?!=)([^\n]{0,1000})/u.exec(line);
    if (!rule) {
      if (line.trim() !== '' && !line.startsWith('#')) current = null;
      continue;
    }
    current = { needs: (rule[2] ?? '').split(/\s{1,20}/u), lines: [] };
    recipes.set(rule[1] ?? '', current);
    first ??= rule[1] ?? null;
  }
  return wanted(recipes, targets.length > 0 ? targets : first === null ? [] : [first])
    .flatMap((recipe) => recipe.lines)
    .join('\n');
}
