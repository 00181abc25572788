/** Holds our own PowerShell reader against tree-sitter's grammar: every command the grammar names, ours has to name too. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { cmdletName } from '#core/normalize/powershell/names.ts';
import { newPsState, readStatements } from '#core/normalize/powershell/reader.ts';
import { cpuMs } from '#kit/cpuTime.ts';

interface SyntaxNode {
  readonly text: string;
  readonly hasError: boolean;
  descendantsOfType(type: string): readonly (SyntaxNode | null)[];
}
const require = createRequire(import.meta.url);
const treeSitter = require('@vscode/tree-sitter-wasm') as {
  readonly Parser: {
    init(options: object): Promise<void>;
    new (): { setLanguage(language: unknown): void; parse(text: string): { readonly rootNode: SyntaxNode } | null };
  };
  readonly Language: { load(bytes: Uint8Array): Promise<unknown> };
};
const wasm = (name: string): string => require.resolve(`@vscode/tree-sitter-wasm/wasm/${name}`);
await treeSitter.Parser.init({ locateFile: () => wasm('tree-sitter.wasm') });
const grammar = new treeSitter.Parser();
grammar.setLanguage(await treeSitter.Language.load(new Uint8Array(readFileSync(wasm('tree-sitter-powershell.wasm')))));

const LINES: readonly string[] = [
  'Get-ChildItem -Recurse | Where-Object { $_.Length -gt 1MB } | Select-Object Name',
  'if (Test-Path a) { Remove-Item a } else { New-Item a }',
  'foreach ($f in Get-ChildItem) { Write-Output $f.Name }',
  'for ($i = 0; $i -lt 3; $i++) { Start-Sleep 1 }',
  'while ($true) { Get-Date; break }',
  'try { Get-Item x } catch { Write-Error "no" } finally { Clear-Host }',
  'function f($a) { Get-Content $a | Sort-Object -Unique }',
  '$x = Get-Process; $x | Stop-Process -WhatIf',
  '$a = @(Get-Item a; Get-Item b)',
  '$h = @{ a = Get-Date; b = 1 }',
  'Write-Output "now $(Get-Date -Format o) and $(Get-Location)"',
  'Get-Item a; Get-Item b && Get-Item c || Get-Item d',
  'Get-Content a.txt | ForEach-Object { $_ -replace "a", "b" } | Set-Content b.txt',
  '(Get-Item a).Length + (Get-Item b).Length',
  'Invoke-Command -ScriptBlock { Get-Service | Where-Object Status -eq Running }',
  'Get-Content a `\n  -Raw | Out-File b',
  '<# Remove-Item x #> Get-Date # Remove-Item y',
  'switch (Get-Random) { 1 { Get-Date } default { Get-Location } }',
  'Write-Output @"\nRemove-Item x $(Get-Date)\n"@',
  "Write-Output @'\n$(Get-Date)\n'@",
  'git status; npm test | Tee-Object log.txt',
  'param([string]$a) Write-Output $a',
  'Start-Job { Get-Process } | Receive-Job',
  '[Math]::Max((Get-Random), 2)',
  '@(1, 2) | ForEach-Object { Get-Item $_ }',
  'Get-ChildItem *.log > out.txt 2>&1',
  'do { Get-Date } until ($true)',
  'return Get-Date',
];

it.each(LINES)('%s', (line) => {
  const tree = grammar.parse(line);
  const named =
    tree === null || tree.rootNode.hasError
      ? []
      : tree.rootNode.descendantsOfType('command_name').map((node) => cmdletName(node?.text ?? '').toLowerCase());
  const state = newPsState();
  readStatements(line, state);
  const ours = state.commands.map((command) => command.name.toLowerCase());
  expect(named.filter((name) => !ours.includes(name))).toEqual([]);
  expect(ours.length).toBeGreaterThanOrEqual(named.length);
});

/** A text, and the commands it comes to. */
const MEANT: readonly (readonly [string, readonly string[]])[] = [
  ["& ('i'+'ex') x", ['Invoke-Expression x']],
  ["& ('{1}{0}' -f 'ex','i') x", ['Invoke-Expression x']],
  ['. ($env:ComSpec[4,24,25] -join "") x', ['Invoke-Expression x']],
  ['& ($PSHome[4]+$PSHome[30]+"x") x', ['Invoke-Expression x']],
  ['i`e`x x', ['Invoke-Expression x']],
  ['& (-join [char[]](105,101,120)) x', ['Invoke-Expression x']],
  ['$a = "Get-"; $b = "Date"; & "$a$b"', ['Get-Date']],
  ["$a = 'Get-Xate'.Replace('X','D'); & $a", ['Get-Date']],
  ["& ('xei'[-1..-3] -join '') x", ['Invoke-Expression x']],
  ['ri -rec -fo a', ['Remove-Item -Recurse -Force a']],
  ['gc "$env:USERPROFILE\\.ssh\\id_rsa"', ['Get-Content ~\\.ssh\\id_rsa']],
  ["del 'a b'", ['Remove-Item a b']],
  ["gc 'it''s'", ["Get-Content it's"]],
];

it.each(MEANT)('%s', (text, commands) => {
  const state = newPsState();
  readStatements(text, state);
  expect(state.commands.map((command) => command.words.join(' '))).toEqual(commands);
});

const HOSTILE: readonly (readonly [string, (size: number) => string])[] = [
  ['deep brackets', (size) => '('.repeat(size)],
  ['deep blocks', (size) => '{'.repeat(size)],
  ['casts in a row', (size) => '[char]'.repeat(size / 6)],
  ['a text that never ends', (size) => `"${'$a '.repeat(size / 3)}`],
  ['joined texts', (size) => `$x = ${"'a'+".repeat(size / 4)}'b'`],
  ['a text that grows', (size) => `$x = "a"; ${'$x += $x; '.repeat(size / 10)}`],
  ['pipes', (size) => 'a|'.repeat(size / 2)],
  ['not not', (size) => `$x = ${'! '.repeat(size / 2)}1`],
];
it.each(HOSTILE)('grows with its length only: %s', (_, make) => {
  const text = make(200_000);
  expect(cpuMs(() => readStatements(text, newPsState()))).toBeLessThan(1500);
});
