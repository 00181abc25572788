/** package.json against the code: ids, settings, files. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DEFAULT_SETTINGS, MAX_HOLD_SECONDS, MIN_HOLD_SECONDS } from '#home/settings.ts';
import { COMMAND_IDS, CONTEXT_KEYS, PANEL_COMMANDS, VIEW_ID } from '../../extension/vscode/commandIds.ts';
import { SETTING_SPECS } from '../../extension/vscode/settings.ts';

const root = join(import.meta.dirname, '..', '..');

interface Manifest {
  readonly icon: string;
  readonly extensionKind: readonly string[];
  readonly capabilities: Readonly<Record<string, { readonly supported: unknown; readonly description: string }>>;
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string; readonly category: string }[];
    readonly configuration: { readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
    readonly views: Readonly<Record<string, readonly { readonly id: string; readonly type: string; readonly icon: string }[]>>;
    readonly viewsContainers: { readonly activitybar: readonly { readonly id: string; readonly icon: string }[] };
    readonly menus: Readonly<Record<string, readonly { readonly command: string; readonly when: string }[]>>;
    readonly walkthroughs: readonly {
      readonly steps: readonly {
        readonly id: string;
        readonly description: string;
        readonly media: { readonly svg: string; readonly altText: string };
        readonly completionEvents: readonly string[];
      }[];
    }[];
  };
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
const { contributes } = manifest;
const steps = contributes.walkthroughs.flatMap((walkthrough) => walkthrough.steps);
const sorted = (names: readonly string[]): string[] => [...names].sort();

test('every command of the code is declared, and no other', () => {
  expect(sorted(contributes.commands.map(({ command }) => command))).toEqual(sorted(COMMAND_IDS));
  for (const { title, category } of contributes.commands) expect([category, title.length > 0]).toEqual(['Callgate', true]);
});

test('menus, walkthrough links and the panel name only declared commands', () => {
  const named = [
    ...Object.values(contributes.menus).flatMap((items) => items.map(({ command }) => command)),
    ...steps.flatMap((step) => [...step.description.matchAll(/\(command:([\w.]+)/g)].map((match) => match[1] ?? '')),
    ...PANEL_COMMANDS,
  ];
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((command) => !COMMAND_IDS.some((id) => id === command))).toEqual([]);
});

test('every setting of the code is declared with the same kind, range and default, and no workspace can change it', () => {
  const declared = contributes.configuration.properties;
  expect(sorted(Object.keys(declared))).toEqual(sorted(Object.keys(SETTING_SPECS).map((name) => `callgate.${name}`)));
  for (const [name, spec] of Object.entries(SETTING_SPECS)) {
    const property = declared[`callgate.${name}`];
    expect(property).toMatchObject(spec);
    expect(property?.['scope']).toBe('machine');
    expect(String(property?.['markdownDescription']).length).toBeGreaterThan(40);
  }
});

test('the settings agree with what the broker and the hooks accept', () => {
  const { holdSeconds, onJournalFailure, recordConversation } = SETTING_SPECS;
  expect([holdSeconds.minimum, holdSeconds.maximum]).toEqual([MIN_HOLD_SECONDS, MAX_HOLD_SECONDS]);
  expect({
    holdSeconds: holdSeconds.default,
    onJournalFailure: onJournalFailure.default,
    recordConversation: recordConversation.default,
  }).toEqual(DEFAULT_SETTINGS);
});

test('the view is the one the code provides', () => {
  const [container] = contributes.viewsContainers.activitybar;
  expect(contributes.views[container?.id ?? '']?.map(({ id, type }) => [id, type])).toEqual([[VIEW_ID, 'webview']]);
});

test('every picture exists, and every shipped picture is used', () => {
  const [container] = contributes.viewsContainers.activitybar;
  const used = [
    manifest.icon,
    container?.icon ?? '',
    ...Object.values(contributes.views).flatMap((views) => views.map(({ icon }) => icon)),
    ...steps.map((step) => step.media.svg),
  ];
  for (const file of used) expect([file, existsSync(join(root, file))]).toEqual([file, true]);
  const shipped = readdirSync(join(root, 'webview', 'media')).map((name) => `webview/media/${name}`);
  // The marketplace wants a PNG; the drawing it was made from stays beside it.
  expect(sorted([...new Set(used), 'webview/media/icon.svg'])).toEqual(sorted(shipped));
});

test('the marketplace icon is a PNG of at least 128 × 128', () => {
  const png = readFileSync(join(root, manifest.icon));
  expect(png.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
  expect(Math.min(png.readUInt32BE(16), png.readUInt32BE(20))).toBeGreaterThanOrEqual(128);
});

test('walkthrough pictures take their colours from the theme only', () => {
  for (const { media } of steps) {
    const picture = readFileSync(join(root, media.svg), 'utf8');
    // The editor puts the drawing into a page that allows no style attribute: colours are attributes of their own.
    expect([media.svg, picture.match(/<style|\sstyle=/g)]).toEqual([media.svg, null]);
    const fixed = [...picture.matchAll(/\s(?:fill|stroke|font-family)="([^"]+)"/g)]
      .map((match) => match[1] ?? '')
      .filter((value) => value !== 'none' && !value.startsWith('var(--vscode-'));
    expect([media.svg, fixed]).toEqual([media.svg, []]);
    expect(picture.match(/fill="var\(--vscode-/g)?.length).toBeGreaterThan(5);
    expect(media.altText.length).toBeGreaterThan(20);
  }
});

test('every walkthrough step can be completed by something the extension does', () => {
  const known = [...COMMAND_IDS.map((id) => `onCommand:${id}`), ...CONTEXT_KEYS.map((key) => `onContext:${key}`), `onView:${VIEW_ID}`];
  for (const step of steps) {
    expect(step.completionEvents.length).toBeGreaterThan(0);
    for (const event of step.completionEvents) expect(known).toContain(event);
  }
});

test('limits in untrusted and virtual folders are declared and explained', () => {
  for (const capability of ['untrustedWorkspaces', 'virtualWorkspaces']) {
    expect(manifest.capabilities[capability]?.supported).toBe('limited');
    expect(manifest.capabilities[capability]?.description.length).toBeGreaterThan(40);
  }
  expect(manifest.extensionKind).toEqual(['workspace']);
});
