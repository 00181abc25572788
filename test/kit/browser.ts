/** A headless Chromium on the editor, and where things are in it. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Frame, Locator, Page } from 'playwright-core';
import type { Editor } from '#kit/editor.ts';
import { waitFor } from '#kit/sandbox.ts';

const SWITCHES = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Set-up names the program in CHROMIUM; a test file run by itself finds it on PATH. */
function chromiumPath(): string {
  const named = process.env['CHROMIUM'];
  if (named !== undefined && named !== '') return named;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        continue; // Not in this folder.
      }
    }
  }
  throw new Error('Chromium is not installed: run `npm test` or `npm start` once (they set it up), or set CHROMIUM to the program.');
}

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    headless: true,
    args: SWITCHES,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
}

export interface WindowOptions {
  readonly width?: number;
  readonly height?: number;
  /** As for `Editor.url`. */
  readonly payload?: readonly (readonly [string, string])[];
  /** Called before the page is opened. */
  readonly prepare?: (page: Page) => Promise<void>;
}

/** Opens a window of the editor: one page is one extension host. */
export async function openWindow(browser: Browser, editor: Editor, options: WindowOptions = {}): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 860 },
    // Notifications would be photographed in mid-flight.
    reducedMotion: 'reduce',
    colorScheme: 'dark',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await options.prepare?.(page);
  await page.goto(editor.url(options.payload));
  await page.locator('.monaco-workbench').waitFor();
  return page;
}

/** Closes pages before the browser: a browser that just vanishes leaves the extension hosts waiting for it. */
export async function closeBrowser(browser: Browser): Promise<void> {
  for (const context of browser.contexts()) {
    for (const page of context.pages())
      await page.close().catch((error: Error) => process.stderr.write(`closing a page: ${error.message}\n`));
  }
  await browser.close();
}

const PANEL_MS = 60_000;
/** A panel that was asked for is there by then, unless the click has hidden it. */
const TOGGLE_MS = 5000;

export function viewIcon(page: Page, name = 'Callgate'): Locator {
  return page.locator('.activitybar').getByRole('tab', { name });
}

/**
 * The panel's own document: a page in the editor's page in the editor's page, one of several when a preview or a
 * walkthrough is open. It is made anew when the window reloads or the view was hidden: ask again then.
 */
export function panel(page: Page): Promise<Frame> {
  return waitFor('the panel of Callgate', () => panelFrame(page), PANEL_MS);
}

async function panelFrame(page: Page): Promise<Frame | null> {
  for (const frame of page.frames()) {
    // A frame that is just going away answers with an error.
    const panes = await frame
      .locator('.pane-holds')
      .count()
      .catch(() => 0);
    if (panes > 0) return frame;
  }
  return null;
}

/**
 * Shows the side panel, if it is not shown already. The icon toggles, and a window that is just being restored may show
 * the panel between the look and the click, which then hides it: hence another look after a while.
 */
export async function openPanel(page: Page): Promise<Frame> {
  const icon = viewIcon(page);
  await icon.waitFor();
  let clicked = Number.NEGATIVE_INFINITY;
  return waitFor(
    'the panel of Callgate',
    async () => {
      const frame = await panelFrame(page);
      if (frame !== null) return frame;
      const settled = performance.now() - clicked > TOGGLE_MS;
      if (settled && (await icon.getAttribute('aria-selected')) !== 'true') {
        await icon.click();
        clicked = performance.now();
      }
      return null;
    },
    PANEL_MS,
  );
}

/** The card of a held call that mentions `text`. */
export function heldCall(frame: Frame, text: string | RegExp): Locator {
  return frame.locator('.card[data-hold]', { hasText: text });
}

export function statusBar(page: Page, text: string | RegExp): Locator {
  return page.locator('.statusbar-item', { hasText: text });
}

export function notification(page: Page, text: string | RegExp): Locator {
  return page.locator('.notification-toast', { hasText: text });
}

/** Runs a command by its title, as a person would from the palette. */
export async function runCommand(page: Page, title: string): Promise<void> {
  await page.keyboard.press('F1');
  const input = page.locator('.quick-input-widget input');
  await input.waitFor();
  await input.fill(`>${title}`);
  await page
    .locator('.quick-input-list .monaco-list-row', { hasText: title.replace(/^[^:]*: /, '') })
    .first()
    .waitFor();
  await page.keyboard.press('Enter');
  await input.waitFor({ state: 'hidden' });
}

/** Starts a task of the workspace as a person would: from the palette, by its label. */
export async function runTask(page: Page, label: string): Promise<void> {
  await page.keyboard.press('F1');
  const input = page.locator('.quick-input-widget input');
  await input.waitFor();
  await input.fill('>Tasks: Run Task');
  await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Tasks: Run Task' }).first().click();
  await page.locator('.quick-input-list .monaco-list-row', { hasText: label }).first().click();
}

/** Opens the walkthrough whose title mentions `name`. */
export async function openWalkthrough(page: Page, name: string): Promise<void> {
  await page.keyboard.press('F1');
  const input = page.locator('.quick-input-widget input');
  await input.waitFor();
  await input.fill('>Welcome: Open Walkthrough...');
  await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Open Walkthrough...' }).first().click();
  await page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().click();
  await page.locator('.gettingStartedContainer', { hasText: name }).waitFor();
  await waitFor('the picture of the walkthrough in the colours of the theme', () => isPictureColoured(page));
}

/** Black is what a drawing is whose styles the editor's own page policy has refused. */
async function isPictureColoured(page: Page): Promise<boolean> {
  for (const frame of page.frames()) {
    const fill = await frame
      .evaluate(() => {
        const shape = document.querySelector('body > svg rect');
        return shape === null ? '' : getComputedStyle(shape).fill;
      })
      // A frame that is just going away answers with an error.
      .catch(() => '');
    if (fill !== '' && fill !== 'rgb(0, 0, 0)') return true;
  }
  return false;
}

/** Clicks a button of a held call's card; it ignores clicks for a moment after it appeared or moved. */
export async function decide(card: Locator, name: RegExp): Promise<void> {
  await card.locator('.actions:not([aria-disabled])').getByRole('button', { name }).first().click();
}

export async function screenshot(page: Page, file: string): Promise<string> {
  mkdirSync(dirname(file), { recursive: true });
  await page.screenshot({ path: file });
  return file;
}
