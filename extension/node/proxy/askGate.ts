/** Takes a call to the judge and keeps the client patient while a person is asked. */
import type { Judge, Judgement } from '#contract/judgement.ts';
import type { ToolCall } from '#core/model/call.ts';
import { progressLine } from '#node/proxy/answers.ts';
import type { Request } from '#node/proxy/inFlight.ts';

/** Never rejects: a judge that fails is a refusal. `onHeld` is called when a person is being asked. */
export type AskGate = (call: ToolCall, request: Request, onHeld: () => void, waiting: string) => Promise<Pick<Judgement, 'outcome' | 'reason'>>;

export interface AskGateOptions {
  readonly judge: Judge;
  readonly server: string;
  readonly progressMs: number;
  readonly tell: (line: Buffer) => void;
  /** False once nobody can be waiting for an answer: a hold is then given up at once. */
  readonly clientThere: () => boolean;
  readonly log: (line: string) => void;
}

/** Small, so that the server's own progress (usually 1, 2, 3 …) still grows after ours. */
const PROGRESS_STEP = 0.001;

export function gateAsker({ judge, server, progressMs, tell, clientThere, log }: AskGateOptions): AskGate {
  return async (call, request, onHeld, waiting) => {
    const { signal } = request.abort;
    let ticking: NodeJS.Timeout | null = null;
    const stopTicking = (): void => clearInterval(ticking ?? undefined);
    const held = (): void => {
      request.held = true;
      onHeld();
      if (!clientThere()) request.abort.abort();
      const token = request.progressToken;
      if (token === null || signal.aborted || ticking !== null) return;
      const tick = (): void => {
        request.progress += PROGRESS_STEP;
        tell(progressLine(token, Number(request.progress.toFixed(6)), waiting));
      };
      tick();
      ticking = setInterval(tick, progressMs);
      signal.addEventListener('abort', stopTicking, { once: true });
    };
    try {
      return await judge(call, { signal, onHeld: held });
    } catch (error) {
      log(`${server}: judging "${call.tool}" failed: ${error instanceof Error ? error.message : String(error)}`);
      return { outcome: 'refused', reason: `Callgate could not judge "${call.tool}" on "${server}" and refused it. The reason is in Callgate's log.` };
    } finally {
      stopTicking();
    }
  };
}
