/** The sample project that the demo opens: its README says the one visible step, its tasks do it. */
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '#kit/sandbox.ts';
import { updateOf } from './folders.ts';
import { CHANGED_TOOL, DANGEROUS_CALL, NOTES } from './story.ts';

export const CLAUDE_TASK = 'Run Claude Code: a dangerous call';
export const CODEX_TASK = 'Run Codex: a dangerous call';
export const CHANGED_TOOL_TASK = 'Run Claude Code: a tool that has changed';

const README = `# Sample project

**Press \`Ctrl+Shift+B\`** (\`⇧⌘B\` on a Mac).

It starts a real Claude Code in the terminal. Its model is a script on this machine, which makes it look
around and then pipe an installer from the network into a shell.

The first call passes without a word. The second one is **held**: look at the Callgate icon in the activity
bar on the left, or at the status bar. In the panel, read what would run and why it is held, then

- **Approve**: Claude Code goes on, and \`installed-by-claude.txt\` appears in this folder; or
- **Reject**: Claude Code is told why, and nothing runs.

The same with Codex: *Terminal › Run Task… › ${CODEX_TASK}*.

The MCP server \`${NOTES}\` of this project is behind the gate, too, and its tool was seen before. *Terminal › Run Task… ›
${CHANGED_TOOL_TASK}* starts Claude Code after an update of that server, which now says something
else of its tool: Claude is not shown the tool until you have looked at old and new in the panel.

Everything here is thrown away at the next start; nothing outside of the \`.demo\` folder is touched.
`;

export function writeWorkspace(box: Sandbox): void {
  const runner = fileURLToPath(new URL('runAgent.ts', import.meta.url));
  const task = (label: string, args: readonly string[], group: object): object => ({
    label,
    type: 'process',
    command: process.execPath,
    args: [runner, ...args],
    problemMatcher: [],
    presentation: { reveal: 'always', panel: 'dedicated', clear: true, showReuseMessage: false },
    ...group,
  });
  const tasks = [
    task(CLAUDE_TASK, ['claude', DANGEROUS_CALL], { group: { kind: 'build', isDefault: true } }),
    task(CODEX_TASK, ['codex', DANGEROUS_CALL], {}),
    task(CHANGED_TOOL_TASK, ['claude', CHANGED_TOOL], {}),
  ];
  const notes = {
    type: 'stdio',
    command: process.execPath,
    args: [fileURLToPath(new URL('notesServer.mjs', import.meta.url)), updateOf(box)],
  };
  box.write('.mcp.json', `${JSON.stringify({ mcpServers: { [NOTES]: notes } }, null, 2)}\n`);
  box.write('README.md', README);
  box.write('add.ts', 'export const add = (a: number, b: number): number => a + b;\n');
  box.write('.vscode/tasks.json', `${JSON.stringify({ version: '2.0.0', tasks }, null, 2)}\n`);
}
