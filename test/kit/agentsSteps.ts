/** Plays a list of calls as one conversation of a real agent and says of each whether it ran and what the model saw. */
import assert from 'node:assert/strict';
import type { Agent } from '#kit/agentsBoth.ts';
import type { Model, Turn } from '#kit/model.ts';
import { tail } from '#kit/sandbox.ts';
import type { Ran, Sandbox } from '#kit/sandbox.ts';

export interface Step {
  readonly what: string;
  readonly turn: Turn;
  /** Whether the call is to run. */
  readonly runs: boolean;
  /** Whether it did, by its trace outside of the agent or by what the model saw. */
  readonly happened: (seen: string) => boolean;
  /** What the model must see; by default only that no word of ours stands in it. */
  readonly sees?: RegExp;
  readonly before?: () => Promise<void> | void;
}

/** Plays the steps in one conversation and checks, after each, whether the call ran and what the model saw. */
export async function playSteps(
  agent: Agent,
  box: Sandbox,
  steps: readonly Step[],
  options: { readonly env: Readonly<Record<string, string>>; readonly args?: readonly string[] },
): Promise<Ran> {
  const problems: string[] = [];
  const ranAfter: boolean[] = [];
  const seen = (turn: number): string => model.results.find((candidate) => candidate.turn === turn)?.text ?? '';
  const beforeTurn = async (_scenario: string, turn: number): Promise<void> => {
    // At once, before a later step can leave the same trace.
    if (turn > 0 && turn <= steps.length) ranAfter[turn - 1] = steps[turn - 1]?.happened(seen(turn - 1)) ?? false;
    try {
      await steps[turn]?.before?.();
    } catch (error) {
      problems.push(`${steps[turn]?.what ?? ''}: ${String(error)}`);
    }
  };
  const model: Model = await agent.startModel({ steps: steps.map((step) => step.turn) }, { beforeTurn });
  try {
    const ran = await agent.launch(box, { model, scenario: 'steps', ...options }).done;
    for (const [turn, step] of steps.entries()) {
      const result = model.results.find((candidate) => candidate.turn === turn);
      const say = (problem: string): void =>
        void problems.push(`${step.what}: ${problem}: ${result?.text.slice(0, 500) ?? 'the model never heard of it'}`);
      if (ranAfter[turn] !== step.runs) say(step.runs ? 'did not run' : 'RAN');
      else if (!(step.sees ?? /^(?![^]*callgate)/i).test(result?.text ?? ''))
        say(`the model should have seen ${String(step.sees ?? 'no word of ours')}`);
      else if (agent.id === 'claude' && result?.isError === step.runs) say(step.runs ? 'an error' : 'no error');
    }
    assert.deepEqual(problems, [], `${problems.join('\n')}\n${tail(ran)}`);
    return ran;
  } finally {
    await model.stop();
  }
}
