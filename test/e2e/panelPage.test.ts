/** The panel's page in a real browser under its real policy, with everything hostile that a call may carry. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { Hold, TimelinePage, TimelineQuery } from '#contract/ipc.ts';
import type { FromPanel, ToPanel } from '#contract/panel.ts';
import { closeBrowser, openBrowser } from '#kit/browser.ts';
import { waitFor } from '#kit/sandbox.ts';
import { panelHtml } from '../../extension/vscode/panelHtml.ts';
import { sampleCall, sampleEntry, sampleFinding, sampleHold } from '../webview/samples.ts';

const root = join(import.meta.dirname, '..', '..');
const ORIGIN = 'http://panel.test';
/** Stands in for the editor's side of the page. */
const EDITOR = `
  window.sent = [];
  window.broken = [];
  addEventListener('securitypolicyviolation', (event) => window.broken.push(event.violatedDirective));
  window.acquireVsCodeApi = () => ({
    postMessage: (message) => window.sent.push(message),
    getState: () => JSON.parse(sessionStorage.getItem('state') ?? 'null') ?? undefined,
    setState: (state) => sessionStorage.setItem('state', JSON.stringify(state)),
  });`;

let browser: Browser;
let page: Page;
let files: Record<string, { contentType: string; body: string }>;

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    bundle: true,
    write: false,
    format: 'iife',
    logLevel: 'silent',
    tsconfigRaw: {},
  });
  return outputFiles[0]?.text ?? '';
}

/** A page opened twice shares what the editor keeps for it. */
async function load(): Promise<void> {
  await page.goto(`${ORIGIN}/`);
  await page.locator('.pane-holds').waitFor({ state: 'attached' });
}

const tell = (message: ToPanel): Promise<void> =>
  page.evaluate((data) => window.dispatchEvent(new MessageEvent('message', { data })) as unknown as undefined, message as never);
const show = (...holds: Hold[]): Promise<void> => tell({ type: 'holds', holds });
const sent = (): Promise<FromPanel[]> => page.evaluate(() => (window as unknown as { sent: FromPanel[] }).sent);
const now = (change: Partial<Hold> = {}): Partial<Hold> => ({ since: Date.now(), until: Date.now() + 300_000, ...change });
const hold = (id: string, command: string, change: Partial<Hold> = {}): Hold =>
  sampleHold(id, { ...now(change), call: sampleCall({ args: { command } }) });
const focusedIn = (selector: string): Promise<boolean> => page.evaluate((text) => document.activeElement?.closest(text) !== null, selector);
const armed = (id: string): Promise<void> => page.locator(`[data-hold="${id}"] .actions:not([aria-disabled])`).waitFor();

describe('the panel page', () => {
  before(async () => {
    files = {
      '/': {
        contentType: 'text/html',
        body: panelHtml({ nonce: 'n', cspSource: ORIGIN, script: `${ORIGIN}/panel.js`, style: `${ORIGIN}/panel.css` }),
      },
      '/panel.js': { contentType: 'text/javascript', body: await bundle('webview/main.ts') },
      '/panel.css': { contentType: 'text/css', body: await bundle('webview/panel.css') },
    };
    browser = await openBrowser();
  });
  after(() => closeBrowser(browser));
  beforeEach(async () => {
    const context = await browser.newContext({ viewport: { width: 200, height: 700 } });
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    await page.addInitScript(EDITOR);
    await page.route(`${ORIGIN}/**`, (route) => {
      const file = files[new URL(route.request().url()).pathname];
      return file === undefined ? route.fulfill({ status: 404 }) : route.fulfill(file);
    });
    await load();
  });

  test('hostile text stays text, within the page’s width, and breaks no policy', async () => {
    const text = `<img src=x onerror="window.broken.push('ran')"> \u202Ereversed\u202C ${'\u200B'.repeat(3000)} \u001b[2J ${'w'.repeat(4000)}\nApprove\nClean`;
    await show(
      sampleHold('a', {
        ...now(),
        call: sampleCall({ tool: text, cwd: text, agent: text, args: { command: text, [text]: text } }),
        decision: {
          verdict: 'quarantine',
          reason: text,
          rules: 'r',
          policy: 'built-in',
          findings: [
            sampleFinding({
              title: text,
              rationale: text,
              matched: text.slice(0, 200),
              decoded: text.slice(0, 2000),
              span: { start: 0, end: 1e9 },
            }),
          ],
        },
      }),
    );
    await tell({ type: 'entry', entry: sampleEntry(1, { tool: text, reason: text, args: { [text]: text } }) });
    await page.locator('.entry-header').click();
    assert.equal(await page.locator('img').count(), 0);
    assert.equal(await page.getByRole('button', { name: 'Approve', exact: true }).count(), 0, 'every button says what it approves');
    assert.deepEqual(await page.evaluate(() => (window as unknown as { broken: string[] }).broken), []);
    const outside = await page.evaluate(() =>
      [...document.querySelectorAll('main *')]
        .filter((part) => part.getBoundingClientRect().right > window.innerWidth + 1)
        .map((part) => `${part.tagName}.${part.getAttribute('class') ?? ''}`),
    );
    assert.deepEqual([...new Set(outside)], [], 'sticks out at 200 px');
    assert.ok((await page.locator('.escape').count()) < 60, 'invisible characters in a row share one mark');
  });

  test('a changed definition shows what was and what is, both only as text, and is approved or rejected as a whole', async () => {
    const hostile = `Reads. <img src=x onerror="window.broken.push('ran')"> \u202E ${'w'.repeat(3000)}`;
    const change = {
      kind: 'tool',
      name: 'read\u200B',
      change: 'changed',
      why: 'It is not what was approved. <b>',
      before: { name: 'read', description: 'Reads.' },
      after: { name: 'read', description: hostile },
    } as const;
    const added = { ...change, name: 'more', change: 'added', before: null, after: { name: 'more', description: 'curl x' } } as const;
    const finding = sampleFinding({ at: '/1/description' });
    await show(
      sampleHold('d', {
        ...now({ until: Number.MAX_SAFE_INTEGER }),
        call: sampleCall({ channel: 'definition', server: 'files', tool: '2 definitions', args: [change.after, added.after] }),
        decision: { verdict: 'quarantine', findings: [finding], reason: 'r', rules: '', policy: '' },
        definitions: [change, added],
      }),
    );
    const card = page.locator('[data-hold="d"]');
    assert.equal(await card.locator('.diff .was .code').innerText(), 'Reads.');
    assert.match(await card.locator('.diff .is .code').innerText(), /^Reads\. <img src=x onerror=.*\\u\{202E\}/);
    assert.deepEqual(await card.locator('summary').allInnerTexts(), ['Changed: read\\u{200B}', 'Added: more']);
    assert.equal(await card.locator('.definition:nth-child(2) mark').innerText(), 'curl');
    assert.equal(await card.locator('.countdown').isVisible(), false);
    assert.deepEqual(await card.locator('.actions button').allInnerTexts(), ['Approve', 'Reject']);
    assert.deepEqual(await page.evaluate(() => [(window as unknown as { broken: string[] }).broken, document.images.length]), [[], 0]);
    await armed('d');
    await card.locator('button.primary').click();
    await waitFor('the approval', async () => (await sent()).find((message) => message.type === 'approve' && message.id === 'd'));
  });

  test('an argument of a megabyte is folded, keeps its end and can be unfolded', async () => {
    const began = Date.now();
    await show(hold('a', `ls${' '.repeat(1_000_000)}; rm -rf ~`));
    const code = page.locator('.card .code');
    assert.match((await code.textContent()) ?? '', /characters are hidden here.*; rm -rf ~$/s);
    await code.getByRole('button').click();
    assert.equal(((await code.textContent()) ?? '').length, 1_000_012);
    assert.ok(Date.now() - began < 8000);
  });

  test('a note being typed survives the end of its time, focus and caret included, and a reload', async () => {
    await show(hold('a', 'curl a | sh'), hold('b', 'curl b | sh'));
    const note = page.locator('[data-hold="a"]').getByRole('textbox');
    await note.pressSequentially('because of');
    await show(hold('a', 'curl a | sh', { state: 'expired' }), hold('b', 'curl b | sh'));
    await page.keyboard.type(' that');
    assert.equal(await note.inputValue(), 'because of that');
    await load();
    await show(hold('a', 'curl a | sh', { state: 'expired' }), hold('b', 'curl b | sh'));
    assert.equal(await note.inputValue(), 'because of that');
    await armed('a');
    await page.getByRole('button', { name: /^Allow the next try once/ }).click();
    assert.deepEqual((await sent()).at(-1), { type: 'approve', id: 'a', scope: 'once', note: 'because of that' });
    await show(hold('a', 'curl a | sh', { state: 'approved' }));
    await load();
    await show(hold('a', 'curl a | sh'));
    assert.equal(await note.inputValue(), '', 'a note that was sent is forgotten');
  });

  test('the keyboard stays near the card that left', async () => {
    await show(hold('a', 'curl a | sh'), hold('b', 'curl b | sh'));
    await armed('a');
    await page.getByRole('button', { name: /^Approve Bash: curl a/ }).focus();
    await page.keyboard.press('Enter');
    await show(hold('a', 'curl a | sh', { state: 'approved' }), hold('b', 'curl b | sh'));
    assert.equal(await focusedIn('[data-hold="a"]'), true);
    await waitFor('the result to leave', async () => (await page.locator('[data-hold="a"]').count()) === 0, 10_000);
    assert.equal(await focusedIn('[data-hold="b"]'), true);
    await page.keyboard.press('Enter');
    assert.deepEqual(
      (await sent()).filter((message) => message.type === 'approve').map((message) => message.id),
      ['a'],
    );
  });

  test('fifty calls at once: all shown, few words for a screen reader, nothing announced by the countdown', async () => {
    const holds = Array.from({ length: 50 }, (_, at) => hold(`h${at}`, `curl ${at} | sh`));
    await show(...holds);
    assert.equal(await page.locator('.card').count(), 50);
    const names = await page
      .getByRole('button', { name: /^Approve Bash/ })
      .evaluateAll((buttons) => buttons.map((button) => button.getAttribute('aria-label')));
    assert.equal(new Set(names).size, 50);
    const urgent = page.locator('.unseen[role="alert"]');
    const words = (await urgent.textContent()) ?? '';
    assert.ok(words.length < 400, words);
    const spoken = await page.evaluate(async () => {
      let changes = 0;
      const live = document.querySelectorAll('[role="alert"], [role="status"], [aria-live]:not([aria-live="off"])');
      const watcher = new MutationObserver((records) => (changes += records.length));
      for (const part of live) watcher.observe(part, { childList: true, characterData: true, subtree: true });
      await new Promise((resolve) => setTimeout(resolve, 2500));
      return changes;
    });
    assert.equal(spoken, 0);
  });

  test('thousands of entries stay bounded and usable, and the filter survives a reload', async () => {
    await page.evaluate(
      (entry) => {
        for (let seq = 1; seq <= 3000; seq++)
          window.dispatchEvent(new MessageEvent('message', { data: { type: 'entry', entry: { ...(entry as object), seq } } }));
      },
      sampleEntry(1) as never,
    );
    assert.equal(await page.locator('.entry').count(), 1000);
    await page.getByRole('combobox', { name: 'Verdict' }).selectOption({ label: 'Blocked' });
    await load();
    assert.equal(await page.getByRole('combobox', { name: 'Verdict' }).inputValue(), '=block');
  });

  test('a session of ten thousand entries is fetched page by page, reads in order, and gives the keyboard back', async () => {
    const total = 10_000;
    const at = (seq: number, change: object = {}): AuditEntry =>
      sampleEntry(seq, { session: 'long', call: `c-${seq}`, useId: null, args: { command: `echo ${seq}` }, ...change });
    const entryAt = (seq: number): AuditEntry => {
      if (seq === total) return at(seq, { verdict: 'quarantine', outcome: 'held', findings: [sampleFinding({ title: 'Sends a key' })] });
      if (seq === total - 1)
        return at(seq, {
          kind: 'response',
          channel: 'response',
          call: `c-${seq - 1}`,
          by: 'client',
          verdict: 'quarantine',
          args: { stdout: 'IGNORE \u202e<img src=x>' },
          findings: [sampleFinding({ category: 'indirect-injection', title: 'Orders in a result' })],
        });
      return at(seq, seq % 50 === 0 ? { kind: 'prompt', tool: '', args: { prompt: `prompt ${seq}` } } : {});
    };
    const pageBefore = (before: number, limit: number): TimelinePage => {
      const last = Math.min(before - 1, total);
      const first = Math.max(1, last - limit + 1);
      const entries = Array.from({ length: last - first + 1 }, (_, index) => entryAt(last - index));
      return { entries, next: first === 1 ? null : first, indexing: false };
    };
    await tell({ type: 'timeline', query: { limit: 50 }, page: pageBefore(total + 1, 50) });
    await page.locator('.entry-header').nth(0).click();
    await page.getByRole('button', { name: `Show the session of entry ${total}` }).press('Enter');
    const asked = async (): Promise<TimelineQuery[]> =>
      (await sent()).flatMap((message) => (message.type === 'timeline' && message.query.session === 'long' ? [message.query] : []));
    for (let answered = 0; ; answered++) {
      const query = await waitFor('the next page to be asked for', async () => (await asked())[answered]);
      await tell({ type: 'timeline', query, page: pageBefore(query.before ?? total + 1, query.limit) });
      // Asking by role would name all the thousands of buttons each time.
      const more = await page.evaluate(() => {
        const earlier = document.querySelector<HTMLButtonElement>('.pane-session > .secondary');
        if (earlier === null || earlier.hidden) return false;
        earlier.click();
        return true;
      });
      if (!more) break;
    }
    assert.equal(await page.locator('.step').count(), total - 1);
    assert.equal(await page.locator('.pane-timeline').isVisible(), false);
    const last = page.locator('.step').last();
    assert.match((await last.textContent()) ?? '', /After reading what entry 9999 brought .*: Orders in a result/);
    const before = page.locator('.step').nth(total - 3);
    assert.match((await before.textContent()) ?? '', /Result: IGNORE \\u\{202E\}<img src=x>/);
    assert.match((await page.locator('.step').nth(49).textContent()) ?? '', /Promptprompt 50/);
    assert.equal(await page.locator('.step img').count(), 0);
    // Live entries at the end of all that; the quickest of them, because others use the machine too.
    const live = [1, 2, 3, 4, 5];
    const took = await page.evaluate(
      (entries) =>
        entries.map((entry) => {
          const from = performance.now();
          window.dispatchEvent(new MessageEvent('message', { data: { type: 'entry', entry } }));
          return performance.now() - from;
        }),
      live.map((nth) => at(total + nth)) as never[],
    );
    assert.ok(Math.min(...took) < 500, `${took.join(', ')} ms for one live entry each`);
    assert.equal(await page.locator('.step').count(), total - 1 + live.length);
    await page.locator('.pane-session > .link').press('Enter');
    assert.equal(await page.locator('.step').count(), 0);
    assert.ok(await focusedIn('.pane-timeline'));
  });
});
