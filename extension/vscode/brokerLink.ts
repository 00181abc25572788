/**
 * What this window knows of the broker: its state, the holds, the grants. Reads everything anew on each connection
 * and passes events on as they arrive; nothing here polls. Knows nothing of the editor.
 */
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { BrokerStatus, Errand, EventName, Events, GateSettings, Grant, Hold, RequestName, Requests } from '#contract/ipc.ts';
import type { BrokerLink as BrokerLine, BrokerLinkState } from '#node/broker/ensureBroker.ts';
import type { HoldBook, HoldChange } from './holdBook.ts';
import { type Signal, signal } from './signal.ts';

export interface LineEvents {
  readonly onEvent: <N extends EventName>(name: N, data: Events[N]) => void;
  readonly onState: (state: BrokerLinkState) => void;
}

export interface LinkState {
  readonly state: 'starting' | 'connected' | 'lost';
  /** What is wrong and what happens next; empty when connected. */
  readonly message: string;
}

export interface LinkOptions {
  /** Starts or joins the broker and keeps trying; rejects when the launcher cannot be installed. */
  readonly open: (events: LineEvents) => Promise<Pick<BrokerLine, 'request' | 'dispose'>>;
  readonly settings: () => GateSettings;
  readonly book: HoldBook;
  readonly log: { readonly info: (message: string) => void; readonly warn: (message: string) => void };
}

export interface BrokerLink {
  readonly state: () => LinkState;
  readonly status: () => BrokerStatus | null;
  readonly grants: () => readonly Grant[];
  readonly onState: Signal<LinkState>['listen'];
  readonly onStatus: Signal<BrokerStatus>['listen'];
  readonly onHolds: Signal<HoldChange>['listen'];
  readonly onEntry: Signal<AuditEntry>['listen'];
  readonly onGrants: Signal<readonly Grant[]>['listen'];
  readonly onErrand: Signal<Errand>['listen'];
  /** Rejects when there is no connection. */
  readonly request: <N extends RequestName>(name: N, params: Requests[N]['params']) => Promise<Requests[N]['result']>;
  /** Takes the broker's answer in at once instead of waiting for its event. */
  readonly settled: (hold: Hold) => void;
  readonly refreshGrants: () => Promise<void>;
  /** Ends the line for good. */
  readonly close: () => void;
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function openBrokerLink(options: LinkOptions): BrokerLink {
  const { book, log } = options;
  const complain = (error: unknown): void => log.warn(`A listener failed: ${textOf(error)}`);
  const onState = signal<LinkState>(complain);
  const onStatus = signal<BrokerStatus>(complain);
  const onHolds = signal<HoldChange>(complain);
  const onEntry = signal<AuditEntry>(complain);
  const onGrants = signal<readonly Grant[]>(complain);
  const onErrand = signal<Errand>(complain);
  let state: LinkState = { state: 'starting', message: 'Starting the broker…' };
  let status: BrokerStatus | null = null;
  let grants: readonly Grant[] = [];
  let line: Pick<BrokerLine, 'request' | 'dispose'> | null = null;
  let closed = false;
  /** Hold events that arrived while the whole list was on its way. */
  let overtaking: Hold[] | null = null;

  const setState = (next: LinkState): void => {
    state = next;
    onState.send(next);
  };
  const setStatus = (next: BrokerStatus): void => {
    status = next;
    onStatus.send(next);
  };
  const request: BrokerLink['request'] = async (name, params) => {
    if (line === null || state.state !== 'connected')
      throw new Error('The broker cannot be reached at the moment. Callgate keeps trying; the log says why.');
    return line.request(name, params);
  };

  async function refreshGrants(): Promise<void> {
    try {
      grants = await request('grants', {});
      onGrants.send(grants);
    } catch (error) {
      // The list on show only grows old; the next connection reads it again.
      log.warn(`The grants could not be read: ${textOf(error)}`);
    }
  }

  function takeHold(hold: Hold): void {
    overtaking?.push(hold);
    onHolds.send(book.apply(hold));
  }

  function takeEntry(entry: AuditEntry): void {
    onEntry.send(entry);
    // An approval may have left a grant, a call may have used one up.
    if (entry.kind === 'grant' || entry.kind === 'hold' || entry.by === 'grant') void refreshGrants();
  }

  const onEvent = <N extends EventName>(name: N, data: Events[N]): void => {
    // The name says which of the shapes `data` has; the compiler cannot follow that through a generic.
    if (name === 'hold') takeHold(data as Hold);
    else if (name === 'entry') takeEntry(data as AuditEntry);
    else if (name === 'errand') onErrand.send(data as Errand);
    else setStatus(data as BrokerStatus);
  };

  async function readAnew(): Promise<void> {
    const news: Hold[] = [];
    overtaking = news;
    try {
      const configured = request('configure', options.settings()).catch((error: unknown) =>
        log.warn(`The broker did not take the settings: ${textOf(error)}`),
      );
      const holds = await request('holds', {});
      onHolds.send(book.replace(holds));
      // The list may be older than these; applying them twice changes nothing.
      for (const hold of news) onHolds.send(book.apply(hold));
      await Promise.all([configured, refreshGrants()]);
    } catch (error) {
      log.warn(`The held calls could not be read: ${textOf(error)}`);
    } finally {
      // A connection that came meanwhile has a list of its own.
      if (overtaking === news) overtaking = null;
    }
  }

  const onLine = (next: BrokerLinkState): void => {
    if (closed) return;
    switch (next.state) {
      case 'starting':
        return setState({ state: 'starting', message: `${next.message}…` });
      case 'lost':
        log.warn(`The broker cannot be reached: ${next.message}`);
        return setState({
          state: 'lost',
          message: `The broker cannot be reached (${next.message}). Hooks still decide on their own; Callgate keeps trying.`,
        });
      case 'connected': {
        const { pid, version, rules } = next.status;
        log.info(`Connected to the broker (process ${pid}, version ${version}, ${rules} rules).`);
        setStatus(next.status);
        setState({ state: 'connected', message: '' });
        void readAnew();
      }
    }
  };

  options.open({ onEvent, onState: onLine }).then(
    (opened) => {
      line = opened;
      if (closed) opened.dispose();
    },
    (error: unknown) => {
      log.warn(`The broker was not started: ${textOf(error)}`);
      if (!closed) setState({ state: 'lost', message: `The broker was not started: ${textOf(error)}. Mend that and reload the window.` });
    },
  );
  return {
    state: () => state,
    status: () => status,
    grants: () => grants,
    onState: onState.listen,
    onStatus: onStatus.listen,
    onHolds: onHolds.listen,
    onEntry: onEntry.listen,
    onGrants: onGrants.listen,
    onErrand: onErrand.listen,
    request,
    settled: takeHold,
    refreshGrants,
    close: () => {
      closed = true;
      line?.dispose();
    },
  };
}
