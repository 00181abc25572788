import type { AuditEvent } from '#contract/auditRecord.ts';

/** A sound event whose arguments try to look like the fields around them. */
export function sampleEvent(changes: Partial<AuditEvent> = {}): AuditEvent {
  return {
    kind: 'call',
    call: 'c-1',
    client: 'claude',
    agent: 'main',
    parent: null,
    session: 's-1',
    useId: 'toolu_1',
    channel: 'shell',
    tool: 'Bash',
    server: null,
    cwd: '/home/dev/shop',
    workspace: '/home/dev/shop',
    args: { command: 'ls -la', hash: 'x', key: ['"hash":"y","key":"z"'] },
    argsHash: 'ab'.repeat(32),
    rules: 'cd'.repeat(32),
    policy: '',
    verdict: 'clean',
    outcome: 'delivered',
    by: 'gate',
    reason: '',
    note: '',
    findings: [],
    tookMs: 1.25,
    ...changes,
  };
}
