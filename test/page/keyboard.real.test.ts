/** The page without a mouse, and on a phone, in a real Chromium. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { goTo, missingBrowser } from './browser.ts';
import { PATIENCE, PHONE, TOKEN, usePageManager } from './page-manager.ts';

/** More stops than any view has. */
const MOST_STOPS = 120;

describe.skipIf(missingBrowser)('the page with a keyboard alone', () => {
  const { manager, createWorker, send, open } = usePageManager();

  test('every dialog is opened, used and closed, and gives its focus back', {
    timeout: 120_000,
  }, async () => {
    await send('POST', '/v1/pools', { name: 'text', count: 1, execution_mode: 'direct', commands: true });
    await send('POST', '/v1/tasks', { task_id: 'shown', pool: 'text', payload: { command: ['true'] } });
    const opened = await open();
    const { page } = opened;
    const { keyboard } = page;
    await tabTo(page, 'Sign out');
    await keyboard.press('Enter');
    // The form for the token has the focus.
    await expect.poll(() => focused(page), PATIENCE).toBe('Token');
    await keyboard.type(TOKEN);
    await keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Views' }).waitFor();

    await keyboard.press('?');
    await expectDialog(page, 'Keys');
    await keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    await tabTo(page, 'New worker');
    await keyboard.press('Enter');
    await expectDialog(page, 'New worker');
    await keyboard.press('Escape');
    await expect.poll(() => focused(page), PATIENCE).toBe('New worker');
    await keyboard.press('Enter');
    await expectDialog(page, 'New worker');
    await tabTo(page, 'Name');
    await keyboard.type('typed');
    await tabTo(page, 'Command');
    await keyboard.type('exec cat');
    await tabTo(page, 'Create');
    await keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'typed' }).waitFor();

    await tabTo(page, 'Prompt');
    await keyboard.type('hello');
    await keyboard.press('Control+Enter');
    await page.getByRole('log').getByText('hello', { exact: true }).first().waitFor();

    await goTo(opened, '#/workers/typed?tab=checkpoints', 'typed');
    await tabTo(page, 'Save a checkpoint');
    await keyboard.press('Enter');
    await page.getByRole('button', { name: /^Fork from/ }).waitFor();
    await tabTo(page, /^Fork from/);
    await keyboard.press('Enter');
    await expectDialog(page, 'Fork this worker');
    await tabTo(page, 'Name');
    await keyboard.type('forked');
    await keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'forked' }).waitFor();

    await goTo(opened, '#/workers/typed?tab=checkpoints', 'typed');
    await tabTo(page, /^Delete [0-9a-f]/);
    await keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await tabTo(page, 'Delete');
    await keyboard.press('Enter');
    await page.getByText('There are no checkpoints of this worker.').waitFor();

    await goTo(opened, '#/tasks', 'Tasks');
    await tabTo(page, /^shown/);
    await keyboard.press('Enter');
    await expectDialog(page, 'Task shown');
    await keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    await goTo(opened, '#/workers/typed', 'typed');
    await tabTo(page, 'Delete');
    await keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await tabTo(page, 'Delete');
    await keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Workers' }).waitFor();
    const gone = async () => (await fetch(`${manager().url}/v1/workers/typed`, manager())).status;
    await expect.poll(gone, PATIENCE).toBe(404);
    expect(opened.offences).toEqual([]);
  });

  test('every view fits on a phone', { timeout: 120_000 }, async () => {
    await createWorker('narrow');
    await send('POST', '/v1/tasks', {
      task_id: 'a-task-with-a-long-name',
      pool: 'text',
      payload: { command: ['false'] },
    });
    const opened = await open();
    const { page } = opened;
    await page.setViewportSize(PHONE);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [path, heading] of [
        ['#/workers', 'Workers'],
        ...[
          '',
          '?tab=life',
          '?tab=files',
          '?tab=terminal',
          '?tab=checkpoints',
          '?tab=ports',
          '?tab=explain',
          '?tab=spec',
        ].map((tab) => [`#/workers/narrow${tab}`, 'narrow'] as const),
        ...(['Pools', 'Tasks', 'Images', 'Events', 'Health'] as const).map(
          (name) => [`#/${name.toLowerCase()}`, name] as const,
        ),
      ] as const) {
        await goTo(opened, path, heading);
        // What is read arrives after the heading.
        if (heading === 'Tasks') await page.getByText('a-task-with-a-long-name').first().waitFor();
        const width = () => page.evaluate<number>('document.documentElement.scrollWidth');
        await expect.poll(width, { message: `${path}, ${colorScheme}` }).toBeLessThanOrEqual(PHONE.width);
      }
    }
    await goTo(opened, '#/workers', 'Workers');
    await page.getByRole('button', { name: 'New worker' }).click();
    const box = await page.getByRole('dialog').boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(PHONE.width);
    expect(opened.offences).toEqual([]);
  });
});

/** The accessible name of an element, about as a screen reader says it. */
const NAME = `((one) => {
  const label = one?.labels?.[0];
  const own = label && [...label.childNodes].find((node) => node.textContent.trim())?.textContent;
  return (one?.getAttribute('aria-label') ?? own ?? one?.textContent ?? '').trim();
})`;
const focused = (page: Page) => page.evaluate<string>(`${NAME}(document.activeElement)`);
/** The names of what can have the focus; in a dialog, of what is in it. */
const stops = (page: Page) =>
  page.evaluate<string[]>(
    `[...(document.querySelector('dialog[open]') ?? document).querySelectorAll('a, button, input, select, textarea, summary, [tabindex]')].map(${NAME})`,
  );

/** Waits until something with this name is shown, and presses Tab until something with this name has the focus; in a dialog, the focus stays in it. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const seen: string[] = [];
  const fits = (found: string) => (typeof name === 'string' ? found === name : name.test(found));
  await expect
    .poll(async () => (await stops(page)).some(fits), { ...PATIENCE, message: `${name} is shown` })
    .toBe(true);
  const inDialog = (await page.getByRole('dialog').count()) > 0;
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    const now = await focused(page);
    if (fits(now)) return;
    seen.push(now);
    await page.keyboard.press('Tab');
    if (inDialog)
      expect(
        await page.evaluate(
          `document.activeElement === document.body || document.activeElement.closest('dialog') !== null`,
        ),
        `the focus left the dialog after ${now}`,
      ).toBe(true);
  }
  expect.fail(`no stop is named ${name}: ${[...new Set(seen)].join(' | ').slice(0, 2000)}`);
}

async function expectDialog(page: Page, title: string): Promise<void> {
  await page.getByRole('dialog', { name: title }).waitFor();
  const inside = await page.evaluate(`document.activeElement.closest('dialog') !== null`);
  expect(inside, `${title} has the focus`).toBe(true);
}
