/** Completion and hover for rule and policy files, from the schemas that ship; no other extension is needed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { helpAt, suggestionsAt, type Schema } from './ruleSuggestions.ts';
import { yamlPlace } from './yamlPlace.ts';

export const RULE_FILES: vscode.DocumentSelector = [{ scheme: 'file', pattern: '**/.callgate/rules/*.{yaml,yml}' }];
export const POLICY_FILES: vscode.DocumentSelector = [{ scheme: 'file', pattern: '**/.callgate/policy.yaml' }];

/** `distFolder`: where the schemas lie; they are read when they are first needed. */
export function ruleCompletion(distFolder: string, log: vscode.LogOutputChannel): vscode.Disposable {
  const one = (selector: vscode.DocumentSelector, name: 'rule' | 'policy'): vscode.Disposable => {
    let schema: Promise<Schema | null> | null = null;
    const load = (): Promise<Schema | null> =>
      (schema ??= readFile(join(distFolder, `${name}.schema.json`), 'utf8').then(
        (text) => JSON.parse(text) as Schema,
        (error: unknown) => {
          log.warn(`No completion in ${name} files: ${error instanceof Error ? error.message : String(error)}`);
          return null;
        },
      ));
    return vscode.Disposable.from(
      vscode.languages.registerCompletionItemProvider(
        selector,
        {
          provideCompletionItems: async (document, position) => {
            const root = await load();
            const place = root && yamlPlace(linesOf(document), position.line, position.character);
            if (!root || !place) return [];
            const replaced = new vscode.Range(position.translate(0, -place.typed.length), position);
            return suggestionsAt(place, root).map(({ label, insert, detail, kind, needed }) => {
              const item = new vscode.CompletionItem(
                label,
                kind === 'key' ? vscode.CompletionItemKind.Property : vscode.CompletionItemKind.EnumMember,
              );
              item.insertText = insert;
              item.range = replaced;
              item.sortText = `${needed ? 0 : 1}${label}`;
              if (detail !== '') item.documentation = detail;
              return item;
            });
          },
        },
        ' ',
        ':',
        '[',
        ',',
        '{',
      ),
      vscode.languages.registerHoverProvider(selector, {
        provideHover: async (document, position) => {
          const root = await load();
          const word = document.getWordRangeAtPosition(position, /[\w-]+(?= *:)/u);
          const place = root && word && yamlPlace(linesOf(document), position.line, word.end.character + 1);
          const help = root && place ? helpAt(place.keys, root) : null;
          return help === null ? null : new vscode.Hover(help, word);
        },
      }),
    );
  };
  return vscode.Disposable.from(one(RULE_FILES, 'rule'), one(POLICY_FILES, 'policy'));
}

const linesOf = (document: vscode.TextDocument): readonly string[] => document.getText().split(/\r?\n/u);
