/** The wire between the panel's web page and the extension: `postMessage` both ways, every message one of these. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { BrokerStatus, Grant, GrantScope, Hold, TimelinePage, TimelineQuery } from '#contract/ipc.ts';

/** An agent or an MCP configuration file found on this machine. */
export interface Protectable {
  readonly id: string;
  readonly kind: 'agent' | 'mcp';
  readonly name: string;
  /** The file that would change. */
  readonly file: string;
  readonly state: 'unprotected' | 'protected' | 'broken' | 'unavailable';
  /** One sentence: what is wrong, or what protecting it would do. */
  readonly detail: string;
}

export type ToPanel =
  | { readonly type: 'connection'; readonly state: 'starting' | 'connected' | 'lost'; readonly message: string }
  | { readonly type: 'status'; readonly status: BrokerStatus }
  | { readonly type: 'holds'; readonly holds: readonly Hold[] }
  | { readonly type: 'timeline'; readonly query: TimelineQuery; readonly page: TimelinePage }
  | { readonly type: 'entry'; readonly entry: AuditEntry }
  | { readonly type: 'grants'; readonly grants: readonly Grant[] }
  | { readonly type: 'protectables'; readonly items: readonly Protectable[] }
  | { readonly type: 'failed'; readonly what: string; readonly message: string };

export type FromPanel =
  | { readonly type: 'ready' }
  | { readonly type: 'approve'; readonly id: string; readonly scope: GrantScope; readonly note: string }
  | { readonly type: 'reject'; readonly id: string; readonly note: string }
  | { readonly type: 'timeline'; readonly query: TimelineQuery }
  | { readonly type: 'revoke'; readonly id: string }
  | { readonly type: 'protect'; readonly id: string }
  | { readonly type: 'unprotect'; readonly id: string }
  | {
      readonly type: 'command';
      readonly command: 'callgate.protect' | 'callgate.verifyAudit' | 'callgate.showLog' | 'callgate.openSettings';
    };
