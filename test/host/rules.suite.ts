/** Writing a rule in the real editor: completion, hover, what is wrong, and a rule that counts as soon as it is saved. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { waitFor } from '#kit/sandbox.ts';
import { activated } from './activation.suite.ts';
import { ask } from './broker.suite.ts';

const file = join(homedir(), '.callgate', 'rules', 'host-test.yaml');
const RULE = `version: 1
rules:
  - id: host-test.word
    title: Says a word
    category: destruction
    severity: low
    confidence: high
    status: stable
    channels: [shell]
    match: { field: command, regex: 'host-test-word' }
    rationale: The test wants it.
    examples:
      match:
        - text: echo host-test-word
        - text: host-test-word
      no_match:
        - text: ls
          why: another
        - text: echo word
          why: another
`;

/** Written on disk only while no editor has it: one that has not heard of it yet refuses to save over the newer file. */
async function opened(text: string): Promise<vscode.TextDocument> {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, text, { mode: 0o600 });
  }
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
  await vscode.window.showTextDocument(document);
  await replaced(document, text);
  return document;
}

async function replaced(document: vscode.TextDocument, text: string): Promise<void> {
  if (document.getText() === text && !document.isDirty) return;
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
  assert.ok(await vscode.workspace.applyEdit(edit));
  assert.ok(await document.save());
}

suite('Rule files in the editor', () => {
  suiteSetup(async () => void (await activated()));
  suiteTeardown(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(file, { force: true });
  });

  test('offer the keys and words that may stand there', async () => {
    const document = await opened(`${RULE}  - `);
    const at = async (line: number, column: number): Promise<string[]> => {
      const list = await vscode.commands.executeCommand<vscode.CompletionList>(
        'vscode.executeCompletionItemProvider',
        document.uri,
        new vscode.Position(line, column),
      );
      return list.items.map(({ label }) => (typeof label === 'string' ? label : label.label));
    };
    const last = document.lineCount - 1;
    const offered = await at(last, 4);
    for (const key of ['id', 'title', 'severity', 'match', 'examples'])
      assert.ok(offered.includes(key), `${key} is not offered: ${offered.join(' ')}`);
    const words = await at(5, '    severity: '.length);
    for (const word of ['low', 'medium', 'high', 'critical']) assert.ok(words.includes(word), `${word} is not offered: ${words.join(' ')}`);
  });

  test('explain a key that is pointed at', async () => {
    const document = await opened(RULE);
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      document.uri,
      new vscode.Position(5, 6),
    );
    const text = hovers.flatMap(({ contents }) => contents.map((item) => (typeof item === 'string' ? item : item.value))).join('\n');
    assert.match(text, /critical blocks/);
  });

  test('say what is wrong and where, and stop saying it', async () => {
    const document = await opened(RULE);
    await replaced(document, RULE.replace('severity: low', 'severity: lw').replace('text: ls', 'text: host-test-word'));
    const found = await waitFor(
      'the misspelt word',
      () =>
        vscode.languages.getDiagnostics(document.uri).find(({ source, message }) => source === 'callgate' && message.includes('severity')),
      20_000,
    );
    assert.equal(found.range.start.line, 5);
    assert.match(found.message, /`severity` must be one of low, medium, high, critical/);
    await replaced(document, RULE.replace('text: ls', 'text: host-test-word'));
    const example = await waitFor(
      'the example that does not hold',
      () => vscode.languages.getDiagnostics(document.uri).find(({ message }) => /no_match/.test(message)),
      20_000,
    );
    assert.equal(example.range.start.line, 16);
    await replaced(document, RULE);
    await waitFor('no problem', () => vscode.languages.getDiagnostics(document.uri).length === 0, 20_000);
  });

  test('count as soon as they are saved', async () => {
    const document = await opened(RULE);
    const answer = async (): Promise<string | undefined> => (await ask('echo host-test-word').reply)?.kind;
    await replaced(document, RULE);
    await waitFor('the note', async () => (await answer()) === 'pass', 5000);
    await replaced(document, RULE.replace('severity: low', 'severity: critical'));
    await waitFor('the refusal', async () => (await answer()) !== 'pass', 5000);
  });
});
