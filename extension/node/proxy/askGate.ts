/** Takes a call to the judge and keeps the client patient while a person is asked. */
import { CLIENT_TIMED_OUT, type Judge, type JudgeOptions, type Judgement } from '#contract/judgement.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { Request } from '#node/proxy/inFlight.ts';
import { progressLine } from '#node/proxy/messages/answers.ts';

export interface Asking extends Pick<JudgeOptions, 'quarantined' | 'quiet' | 'needsHook' | 'refusedBecause'> {
  /** Called when a person is being asked. */
  readonly onHeld: () => void;
  /** What the client is told meanwhile. */
  readonly waiting: string;
}

/** Never rejects: a judge that fails is a refusal. */
export type AskGate = (
  call: ToolCall,
  request: Request,
  asking: Asking,
) => Promise<Pick<Judgement, 'id' | 'outcome' | 'reason'> & Partial<Pick<Judgement, 'decision'>>>;

export interface AskGateOptions {
  readonly judge: Judge;
  readonly server: string;
  readonly progressMs: number;
  readonly tell: (line: Buffer) => void;
  /** How many calls of this client wait for a person, and how many may. */
  readonly heldNow: () => number;
  readonly mostHeld: number;
  /** False once nobody can be waiting for an answer: a hold is then given up at once. */
  readonly clientThere: () => boolean;
  readonly log: (line: string) => void;
}

/** Small, so that the server's own progress (usually 1, 2, 3 …) still grows after ours. */
const PROGRESS_STEP = 0.001;

export function gateAsker({ judge, server, progressMs, tell, clientThere, heldNow, mostHeld, log }: AskGateOptions): AskGate {
  return async (call, request, { onHeld, waiting, ...how }) => {
    const { signal } = request.abort;
    // The judge's own: a hold is also given up when there are too many, or before the client does, and then the client still gets an answer.
    const giveUp = new AbortController();
    const clientGaveUp = (): void => giveUp.abort(signal.reason);
    let tooMany = false;
    let ticking: NodeJS.Timeout | null = null;
    let patience: NodeJS.Timeout | null = null;
    const stopTicking = (): void => {
      clearInterval(ticking ?? undefined);
      clearTimeout(patience ?? undefined);
    };
    const held = (): void => {
      request.held = true;
      if (heldNow() > mostHeld) {
        tooMany = true;
        giveUp.abort();
        return;
      }
      onHeld();
      if (!clientThere()) request.abort.abort();
      if (signal.aborted || ticking !== null || patience !== null) return;
      signal.addEventListener('abort', stopTicking, { once: true });
      const { answerWithinMs, since, progressToken: token } = request;
      if (answerWithinMs !== null)
        patience = setTimeout(() => giveUp.abort(CLIENT_TIMED_OUT), Math.max(0, answerWithinMs - (performance.now() - since)));
      if (token === null) return;
      const tick = (): void => {
        request.progress += PROGRESS_STEP;
        tell(progressLine(token, Number(request.progress.toFixed(6)), waiting));
      };
      tick();
      ticking = setInterval(tick, progressMs);
    };
    try {
      if (signal.aborted) clientGaveUp();
      else signal.addEventListener('abort', clientGaveUp, { once: true });
      const resultOf = call.channel === 'response' ? request.recordedAs : null;
      const judgement = await judge(call, { signal: giveUp.signal, onHeld: held, ...how, ...(resultOf === null ? {} : { resultOf }) });
      return tooMany && judgement.outcome !== 'delivered'
        ? {
            id: judgement.id,
            outcome: 'refused',
            reason: `Callgate refused this call: ${mostHeld} calls of "${server}" already wait for a person. Wait until they are decided in Callgate's panel in the editor, then try it again.`,
          }
        : judgement;
    } catch (error) {
      log(`${server}: judging "${call.tool}" failed: ${error instanceof Error ? error.message : String(error)}`);
      return {
        id: '',
        outcome: 'refused',
        reason: `Callgate could not judge "${call.tool}" on "${server}" and refused it. The reason is in Callgate's log.`,
      };
    } finally {
      stopTicking();
      signal.removeEventListener('abort', clientGaveUp);
    }
  };
}
