/** Plays the demo as a person would, in a headless browser, checks what happens and takes pictures of it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame, Page } from 'playwright-core';
import { insistOnWholeJournal } from '#kit/agentsGate.ts';
import {
  closeBrowser,
  decide,
  heldCall,
  openBrowser,
  openPanel,
  openWalkthrough,
  openWindow,
  runCommand,
  runTask,
  screenshot,
  statusBar,
  viewIcon,
} from '#kit/browser.ts';
import type { Editor } from '#kit/editor.ts';
import { waitFor } from '#kit/sandbox.ts';
import type { Sandbox } from '#kit/sandbox.ts';
import { screenshots } from './folders.ts';
import type { AgentName } from './folders.ts';
import { CHANGED_TOOL, INSTALLER_OUTPUT, traceOf } from './story.ts';
import type { Story } from './story.ts';
import { CHANGED_TOOL_TASK, CODEX_TASK } from './workspace.ts';

const CLEAR = 'Notifications: Clear All Notifications';
const NOTE = 'Use the package manager instead.';

/** @returns the pictures. @throws Error naming the first thing that was not as it should be; the last picture shows it. */
export async function drive(editor: Editor, box: Sandbox, story: Story, interrupted: AbortSignal): Promise<readonly string[]> {
  const pictures: string[] = [];
  const browser = await openBrowser();
  // Whatever is being waited for then fails at once.
  const hangUp = (): void => void closeBrowser(browser);
  interrupted.addEventListener('abort', hangUp);
  let page: Page | null = null;
  const picture = async (name: string): Promise<void> => {
    if (page === null) return;
    // Counters and folding are animated by the editor itself: let two frames pass.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    pictures.push(await screenshot(page, join(screenshots, `${String(pictures.length + 1).padStart(2, '0')}-${name}.png`)));
  };
  try {
    page = await openWindow(browser, editor, { width: 1440, height: 900 });
    step('waiting for the extension');
    await statusBar(page, /Callgate/)
      .first()
      .waitFor();
    const frame = await openPanel(page);
    await frame.getByText(/Watching with \d+ rules/).waitFor();
    await frame.locator('.pane-protection').getByText('Protected', { exact: true }).first().waitFor();
    await frame.locator('.entry-header').first().waitFor();
    // The view's icon, where the mouse was left, covers part of the panel with its name.
    await page.mouse.move(900, 600);
    await picture('ready');

    step('Ctrl+Shift+B runs Claude Code');
    await page
      .locator('.editor-group-container')
      .first()
      .click({ position: { x: 200, y: 20 } });
    await page.keyboard.press('Control+Shift+B');
    await heldCall(frame, 'claude.sh').waitFor();
    await viewIcon(page).locator('.badge').getByText('1').waitFor();
    insist(!existsSync(join(box.work, traceOf('claude'))), 'the held call has run before anybody approved it');
    await picture('held-call');
    await decide(heldCall(frame, 'claude.sh'), /^Approve /);
    await waitFor('the approved call to run', () => existsSync(join(box.work, traceOf('claude'))), 30_000);
    await told(story, 'claude', INSTALLER_OUTPUT);
    await agentEnded(page, 'Claude Code');
    // A notification cannot be taken back by its extension once the call was decided elsewhere.
    await runCommand(page, CLEAR);
    await picture('approved');

    step('a task runs Codex');
    await runTask(page, CODEX_TASK);
    const card = heldCall(frame, 'codex.sh');
    await card.waitFor();
    await card.getByRole('textbox', { name: /Note to the agent/ }).fill(NOTE);
    await picture('held-call-with-note');
    await theme(page, 'light');
    await picture('held-call-light');
    await theme(page, 'dark');
    await decide(card, /^Reject /);
    await told(story, 'codex', NOTE);
    await agentEnded(page, 'Codex');
    await runCommand(page, CLEAR);
    insist(!existsSync(join(box.work, traceOf('codex'))), 'the rejected call has run');
    await picture('rejected');

    step('an MCP server says something else of its tool');
    await runTask(page, CHANGED_TOOL_TASK);
    const changed = heldCall(frame, 'add_note');
    await changed.locator('.diff').waitFor();
    await agentEnded(page, 'Claude Code');
    insist(
      story.models.claude.results.every(({ scenario, isError }) => scenario !== CHANGED_TOOL || isError),
      'a tool was called as it was not approved',
    );
    await runCommand(page, CLEAR);
    await changed.scrollIntoViewIfNeeded();
    await picture('changed-tool');
    await decide(changed, /^Reject /);
    await changed.waitFor({ state: 'detached' });

    await seeTimeline(frame);
    await picture('timeline');
    await frame.locator('.pane-protection').scrollIntoViewIfNeeded();
    await picture('protection');
    await openWalkthrough(page, 'Callgate');
    await picture('walkthrough');
    step('callgate audit verify');
    await insistOnWholeJournal(box);
  } catch (error) {
    if (interrupted.aborted) throw new Error('Interrupted.', { cause: error });
    await picture('failed');
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nThe window at that moment: ${pictures.at(-1)}`, {
      cause: error,
    });
  } finally {
    interrupted.removeEventListener('abort', hangUp);
    await closeBrowser(browser);
  }
  return pictures;
}

function step(text: string): void {
  console.log(`· ${text}`);
}

function insist(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}

/** The model has heard `text` as the result of its dangerous call. */
async function told(story: Story, agent: AgentName, text: string): Promise<void> {
  await waitFor(
    `${agent} to hear "${text}"`,
    () => story.models[agent].results.some((result) => result.turn === 1 && result.text.includes(text)),
    30_000,
  );
}

async function agentEnded(page: Page, name: string): Promise<void> {
  // A terminal separates words with spaces of its own kind.
  const text = new RegExp(`${name} has ended`.replaceAll(' ', '\\s'));
  // Terminals of earlier tasks stay, hidden.
  await page.locator('.xterm-rows', { hasText: text }).filter({ visible: true }).waitFor();
}

/** As when a person's system changes its look; the editor follows. */
async function theme(page: Page, look: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme: look });
  await page.locator(look === 'light' ? '.monaco-workbench.vs' : '.monaco-workbench.vs-dark').waitFor();
}

/** Both held calls and how they ended are there; one of them is unfolded. */
async function seeTimeline(frame: Frame): Promise<void> {
  const timeline = frame.locator('.pane-timeline');
  for (const text of [/approved/, /rejected/]) await timeline.locator('.entry-header', { hasText: text }).first().waitFor();
  await timeline.locator('.entry-header .verdict-clean').first().waitFor();
  await timeline
    .locator('.entry-header', { hasText: /Bash: rejected/ })
    .first()
    .click();
  await timeline.scrollIntoViewIfNeeded();
}
