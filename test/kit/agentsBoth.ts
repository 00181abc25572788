/** Claude Code and Codex behind one face, for tests whose rows hold for both. */
import { launchClaude, launchCodex } from '#kit/agents.ts';
import type { AgentRun } from '#kit/agents.ts';
import type { Model, ModelOptions, ModelStep, Scenarios } from '#kit/model.ts';
import { startAnthropic } from '#kit/modelAnthropic.ts';
import { startOpenai } from '#kit/modelOpenai.ts';
import type { Running, Sandbox } from '#kit/sandbox.ts';

export interface Agent {
  readonly id: 'claude' | 'codex';
  readonly name: string;
  readonly startModel: (scenarios: Scenarios, options?: ModelOptions) => Promise<Model>;
  readonly launch: (box: Sandbox, options: AgentRun) => Running;
  /** The call that runs a command line. */
  readonly shell: (command: string) => ModelStep;
  /** The call that makes a new file. */
  readonly create: (file: string, content: string) => ModelStep;
  /** The call of an MCP server's tool. */
  readonly mcp: (server: string, tool: string, input: Readonly<Record<string, string>>) => ModelStep;
}

export const claudeAgent: Agent = {
  id: 'claude',
  name: 'Claude Code',
  startModel: startAnthropic,
  launch: launchClaude,
  shell: (command) => ({ tool: 'Bash', input: { command, description: 'part of a test' } }),
  create: (file, content) => ({ tool: 'Write', input: { file_path: file, content } }),
  mcp: (server, tool, input) => ({ tool: `mcp__${server}__${tool}`, input }),
};

export const codexAgent: Agent = {
  id: 'codex',
  name: 'Codex',
  startModel: startOpenai,
  launch: launchCodex,
  shell: (command) => ({ tool: 'exec_command', input: { cmd: command } }),
  create: (file, content) => ({
    freeform: 'apply_patch',
    text: `*** Begin Patch\n*** Add File: ${file}\n${content
      .split('\n')
      .map((line) => `+${line}`)
      .join('\n')}\n*** End Patch`,
  }),
  mcp: (server, tool, input) => ({ tool, namespace: `mcp__${server}`, input }),
};

export const agents: readonly Agent[] = [claudeAgent, codexAgent];
