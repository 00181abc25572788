/** Which codes of known taxonomies (ATT&CK, OWASP, CWE) the rules of today carry: the shipped ones, the user's and the project's. */
import type { CommandHost } from '#node/cli/command.ts';
import { compilerBeside, ownTexts, shippedTexts, type RuleText } from '#node/cli/ruleFiles.ts';

/** Reads a rule file when the first of its rules is asked for. A rule that is gone, or cannot be read any more, has none. */
export function rulesTaxonomy({ bundleFolder, layout, cwd }: CommandHost): (rule: string) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  const read = new Set<string>();
  let texts: readonly RuleText[] | null = null;
  return (rule) => {
    const prefix = rule.split('.')[0] ?? '';
    if (!read.has(prefix)) {
      read.add(prefix);
      try {
        texts ??= [...shippedTexts(bundleFolder), ...ownTexts(layout, cwd).texts];
        const { compileRules } = compilerBeside(bundleFolder);
        for (const { name, text } of texts.filter((one) => one.name.replace(/\.ya?ml$/u, '') === prefix))
          for (const [id, { taxonomy }] of compileRules([{ file: name, text }]).info) known.set(id, taxonomy);
      } catch {
        texts ??= []; // without its rule files the export says as much as the entries themselves
      }
    }
    return known.get(rule) ?? [];
  };
}
