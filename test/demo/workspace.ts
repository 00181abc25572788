/** The sample project that the demo opens: its README says the one visible step, its tasks do it. */
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '#kit/sandbox.ts';

export const CLAUDE_TASK = 'Run Claude Code: a dangerous call';
export const CODEX_TASK = 'Run Codex: a dangerous call';

const README = `# Sample project

**Press \`Ctrl+Shift+B\`** (\`⇧⌘B\` on a Mac).

It starts a real Claude Code in the terminal. Its model is a script on this machine, which makes it look
around and then pipe an installer from the network into a shell.

The first call passes without a word. The second one is **held**: look at the Callgate icon in the activity
bar on the left, or at the status bar. In the panel, read what would run and why it is held, then

- **Approve**: Claude Code goes on, and \`installed-by-claude.txt\` appears in this folder; or
- **Reject**: Claude Code is told why, and nothing runs.

The same with Codex: *Terminal › Run Task… › ${CODEX_TASK}*.

Everything here is thrown away at the next start; nothing outside of the \`.demo\` folder is touched.
`;

export function writeWorkspace(box: Sandbox): void {
  const runner = fileURLToPath(new URL('runAgent.ts', import.meta.url));
  const task = (label: string, agent: string, group: object): object => ({
    label,
    type: 'process',
    command: process.execPath,
    args: [runner, agent],
    problemMatcher: [],
    presentation: { reveal: 'always', panel: 'dedicated', clear: true, showReuseMessage: false },
    ...group,
  });
  const tasks = [task(CLAUDE_TASK, 'claude', { group: { kind: 'build', isDefault: true } }), task(CODEX_TASK, 'codex', {})];
  box.write('README.md', README);
  box.write('add.ts', 'export const add = (a: number, b: number): number => a + b;\n');
  box.write('.vscode/tasks.json', `${JSON.stringify({ version: '2.0.0', tasks }, null, 2)}\n`);
}
