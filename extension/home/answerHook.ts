/** From a hook's bytes to its answer; the same in the broker and in a hook that decides alone. */
import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { HookReply } from '#contract/hookReply.ts';
import type { Judgement } from '#contract/judgement.ts';
import type { ToolCall } from '#core/model/call.ts';
import { plainEvent } from '#home/auditEvents.ts';
import { refuseConfigChange } from '#home/configGuard.ts';
import { answerClaude, readClaude } from '#home/dialects/claude.ts';
import { answerCodex, readCodex } from '#home/dialects/codex.ts';
import type { Happened } from '#home/dialects/happened.ts';
import type { HookClient } from '#home/dialects/hookEvent.ts';
import type { Layout } from '#home/layout.ts';
import type { Unattended } from '#home/localGate.ts';
import { errorText } from '#home/privateFile.ts';

export interface HookHost {
  readonly layout: Layout;
  readonly judge: (call: ToolCall, unattended: Unattended) => Judgement | Promise<Judgement>;
  /** Null, or why it could not be recorded. */
  readonly record: (event: AuditEvent) => string | null | Promise<string | null>;
  /** Takes down what the agent does not wait for; absent where that is not done. Never throws. */
  readonly note?: (happened: Happened) => void;
}

/** Never rejects: whatever goes wrong is a refusal that says so. */
export async function answerHook(client: HookClient, bytes: Uint8Array, host: HookHost): Promise<HookReply> {
  try {
    return await answer(client, bytes, host);
  } catch (error) {
    return {
      kind: 'deny',
      reason: `Callgate failed on this call (${errorText(error)}), so it was refused. Try again; if it happens again, report it to Callgate.`,
    };
  }
}

async function answer(client: HookClient, bytes: Uint8Array, host: HookHost): Promise<HookReply> {
  const event = client === 'claude' ? readClaude(bytes) : readCodex(bytes);
  switch (event.kind) {
    case 'other':
      return { kind: 'pass' };
    case 'happened':
      host.note?.(event.happened);
      return { kind: 'pass' };
    case 'bad': {
      const args = { problem: event.code, bytes: bytes.length };
      await host.record(
        plainEvent('call', {
          client,
          id: randomUUID(),
          tool: '',
          args,
          verdict: 'block',
          outcome: 'refused',
          by: 'failure',
          reason: event.reason,
        }),
      );
      return { kind: 'deny', reason: event.reason };
    }
    case 'config': {
      const reason = refuseConfigChange(host.layout, event);
      if (reason === null) return { kind: 'pass' };
      const args = { source: event.source, file: event.file };
      await host.record(
        plainEvent('config', {
          client,
          id: randomUUID(),
          session: event.session,
          tool: 'ConfigChange',
          args,
          verdict: 'block',
          outcome: 'refused',
          by: 'gate',
          reason,
        }),
      );
      return { kind: 'deny', reason };
    }
    case 'call': {
      const judgement = await host.judge(event.call, client === 'claude' && event.reader === 'native' ? 'ask' : 'refuse');
      return client === 'claude' ? answerClaude(judgement, event.reader) : answerCodex(judgement);
    }
  }
}
