import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSettings } from '#home/settings.ts';
import { gateSettings, readSettings } from '../../extension/vscode/settings.ts';

const defaults = {
  holdSeconds: 300,
  onJournalFailure: 'deny',
  recordConversation: true,
  offerProtection: true,
  notifyHeldCalls: true,
  notifyFlaggedCalls: false,
};

test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
  ['nothing set', {}, {}],
  [
    'everything set',
    { holdSeconds: 60, onJournalFailure: 'warn', recordConversation: false, notifyHeldCalls: false, notifyFlaggedCalls: true },
    { holdSeconds: 60, onJournalFailure: 'warn', recordConversation: false, notifyHeldCalls: false, notifyFlaggedCalls: true },
  ],
  ['limits of the journal', { journalMaxDays: 90, journalMaxMegabytes: 500 }, { journalMaxDays: 90, journalMaxMegabytes: 500 }],
  ['limits that are none keep everything', { journalMaxDays: 0, journalMaxMegabytes: -1 }, {}],
  ['limits that are no whole numbers keep everything', { journalMaxDays: 0.5, journalMaxMegabytes: '9' }, {}],
  ['left-over servers that start', { leftOverServers: 'start-with-warning' }, { leftOverServers: 'start-with-warning' }],
  ['left-over servers, an unknown choice', { leftOverServers: 'start' }, {}],
  ['no offers', { offerProtection: false }, { offerProtection: false }],
  ['too short', { holdSeconds: 1 }, { holdSeconds: 10 }],
  ['too long', { holdSeconds: 1e9 }, { holdSeconds: 600 }],
  ['a fraction', { holdSeconds: 20.4 }, { holdSeconds: 20 }],
  ['text for a number', { holdSeconds: '60' }, {}],
  ['not a number', { holdSeconds: Number.NaN }, {}],
  ['an unknown choice is the strict one', { onJournalFailure: 'WARN' }, {}],
  ['text for a switch', { notifyHeldCalls: 'false' }, {}],
])('%s', (_name, set, expected) => {
  expect(readSettings((name) => set[name])).toEqual({ ...defaults, ...expected });
});

test('whatever is set, the broker accepts the outcome', () => {
  fc.assert(
    fc.property(
      fc.anything(),
      fc.anything(),
      fc.anything(),
      fc.oneof(fc.anything(), fc.integer()),
      (holdSeconds, onJournalFailure, recordConversation, journalMaxDays) => {
        const settings = gateSettings(
          readSettings(
            (name) =>
              ({
                holdSeconds,
                onJournalFailure,
                recordConversation,
                journalMaxDays,
                journalMaxMegabytes: journalMaxDays,
                leftOverServers: onJournalFailure,
                offerProtection: recordConversation,
                notifyHeldCalls: 1,
                notifyFlaggedCalls: 1,
              })[name],
          ),
        );
        expect(parseSettings(settings)).toEqual({ settings, problem: null });
      },
    ),
  );
});
