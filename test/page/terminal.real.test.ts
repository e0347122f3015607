/** Terminals of a worker in the page, in a real Chromium. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { checkView, goTo, missingBrowser, type OpenedPage } from './browser.ts';
import { PATIENCE, PHONE, usePageManager } from './page-manager.ts';

describe.skipIf(missingBrowser)('terminals in the page', () => {
  const { manager, replaceManager, createWorker, open } = usePageManager();
  const openTerminal = async ({ page }: OpenedPage) => {
    await page.getByRole('button', { name: 'New terminal' }).click();
    await page.getByRole('textbox', { name: 'Terminal input' }).waitFor();
    await expect.poll(() => focusIsInTerminal(page), PATIENCE).toBe(true);
  };

  test('a terminal is typed in, resized, left with the keyboard, and shown again by another manager', {
    timeout: 120_000,
  }, async () => {
    await createWorker('typed');
    const opened = await open();
    const { page } = opened;
    await goTo(opened, '#/workers/typed?tab=terminal', 'typed');
    await page.getByText('No terminal is open.').waitFor();
    expect(await page.locator('.xterm').count()).toBe(0);
    const loaded = await page.evaluate<[name: string, bytes: number][]>(
      `performance.getEntriesByType('resource').map(({ name, encodedBodySize }) => [name, encodedBodySize])`,
    );
    const files = loaded.filter(([name]) => name.startsWith(`${manager().url}/page/`));
    expect(files.length).toBeGreaterThan(2);
    expect(files.reduce((sum, [, bytes]) => sum + bytes, 0)).toBeLessThan(100_000);
    expect(files.filter(([name]) => name.includes('terminal-pane'))).toEqual([]);
    await openTerminal(opened);
    await page.keyboard.type("PS1='$ '; clear\n");
    await expect.poll(() => readScreen(page), PATIENCE).toBe('$');
    await page.keyboard.type("printf 'a%sb <i>x</i>\\n' 41; export KEPT=kept\n");
    await expect.poll(() => readScreen(page), PATIENCE).toMatch(/^a41b <i>x<\/i>$/m);
    expect(await page.locator('main i').count()).toBe(0);

    // Colors of the table and of 24 bits, dim ones, and a link: all without inline styles.
    await page.keyboard.type(
      "printf '\\033[38;2;10;200;30mtrue\\033[0m \\033[2;31mdim\\033[0m \\033[7minverse\\033[0m \\033]8;;https://example.org/\\007link\\033]8;;\\007\\n'\n",
    );
    await expect.poll(() => readScreen(page), PATIENCE).toMatch(/^true dim inverse link$/m);
    const color = await page.evaluate<string>(`getComputedStyle(
      [...document.querySelectorAll('.xterm-rows span')].find(({ textContent }) => textContent === 'true')).color`);
    const [, red, green] = /^rgb\((\d+), (\d+)/.exec(color) ?? [];
    expect([Number(red) < 50, Number(green) > 80], color).toEqual([true, true]);
    expect(await page.locator('.xterm style').count()).toBe(0);
    await checkView(page, 'a terminal', 'terminal');

    await page.keyboard.type('stty size\n');
    await expect.poll(() => readScreen(page), PATIENCE).toMatch(/^\d+ \d+$/m);
    const [, before] = /^\d+ (\d+)$/m.exec(await readScreen(page)) ?? [];
    await page.setViewportSize(PHONE);
    await expect
      .poll(
        async () => {
          await page.keyboard.type('clear; stty size\n');
          const [, columns] = /^\d+ (\d+)$/m.exec(await readScreen(page)) ?? [];
          return Number(columns);
        },
        { timeout: 40_000, interval: 500 },
      )
      .toSatisfy((columns: number) => columns > 20 && columns < Number(before));
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
      PHONE.width,
    );
    await checkView(page, 'a terminal on a phone');
    await page.setViewportSize({ width: 1280, height: 760 });

    await page.keyboard.press('Tab');
    expect(await focusIsInTerminal(page)).toBe(true);
    await page.keyboard.press('Control+Shift+L');
    expect(await focusIsInTerminal(page)).toBe(false);
    expect(await page.evaluate<string>('document.activeElement.id')).toBe('tab-terminal');

    await page.reload();
    await expect.poll(() => readScreen(page), PATIENCE).toMatch(/^\d+ \d+$/m);
    await replaceManager();
    await page.getByRole('group', { name: 'Terminal' }).click();
    await page.keyboard.press('Control+u');
    await expect
      .poll(
        async () => {
          await page.keyboard.type('clear; echo it is $KEPT\n');
          return readScreen(page);
        },
        { timeout: 40_000, interval: 500 },
      )
      .toMatch(/^it is kept$/m);

    await page.keyboard.type('exit 3\n');
    await page.getByText('The program exited with 3.').waitFor();
    await page.getByRole('button', { name: 'All terminals' }).click();
    await page.getByText('No terminal is open.').waitFor();
    expect(opened.offences).toEqual([]);
  });

  test('a flood of output does not freeze the page, and its terminal is closed', {
    timeout: 120_000,
  }, async () => {
    await createWorker('flooded');
    const opened = await open();
    const { page } = opened;
    await goTo(opened, '#/workers/flooded?tab=terminal', 'flooded');
    await openTerminal(opened);
    await page.keyboard.type('seq 3000000; echo e""nd\n');
    await expect.poll(() => readScreen(page), { timeout: 90_000, interval: 500 }).toMatch(/^3000000\nend$/m);
    await page.keyboard.type('yes\n');
    await expect.poll(() => readScreen(page), PATIENCE).toMatch(/^y\ny\ny$/m);
    await page.getByRole('button', { name: 'All terminals' }).click();
    await page.getByRole('button', { name: /^View the terminal/ }).click();
    await expect.poll(() => readScreen(page), PATIENCE).toMatch(/^y\ny\ny$/m);
    await page.keyboard.press('Control+c');
    await page.getByRole('button', { name: 'Close terminal' }).click();
    await page.getByText('No terminal is open.').waitFor();
    expect(opened.offences).toEqual([]);
  });

  test('a terminal is as large as the smallest of its windows in each of them', {
    timeout: 120_000,
  }, async () => {
    await createWorker('shared');
    const [large, small] = [await open(), await open()];
    await small.page.setViewportSize(PHONE);
    await goTo(large, '#/workers/shared?tab=terminal', 'shared');
    await openTerminal(large);
    await large.page.keyboard.type(`PS1='$ '; clear; printf 'x%.0s' $(seq 100); echo\n`);
    await expect.poll(() => readScreen(large.page), PATIENCE).toMatch(/^x{100}$/m);
    await goTo(small, await large.page.evaluate('location.hash'), 'shared');
    await expect.poll(() => readScreen(small.page), PATIENCE).toContain('xxxxx');
    await expect.poll(() => focusIsInTerminal(small.page), PATIENCE).toBe(true);
    await small.page.keyboard.type('clear; printf "y%.0s" $(seq 100); echo\n');
    const narrow = /^(y{20,70}\n)+y+$/m;
    await expect.poll(() => readScreen(small.page), PATIENCE).toMatch(narrow);
    await expect.poll(() => readScreen(large.page), PATIENCE).toMatch(narrow);
    await small.close();
    const readWide = async () => {
      await large.page.keyboard.type('clear; printf "z%.0s" $(seq 100); echo\n');
      return readScreen(large.page);
    };
    await expect.poll(readWide, { timeout: 40_000, interval: 500 }).toMatch(/^z{100}$/m);

    await goTo(large, `#/workers/shared?tab=terminal&pty=${crypto.randomUUID()}`, 'shared');
    await large.page.locator('.terminals').getByRole('alert').waitFor();
    expect([...large.offences, ...small.offences]).toEqual([]);
  });
});

/** The lines of the terminal as a screen reader gets them. */
async function readScreen(page: Page): Promise<string> {
  const lines = await page.locator('.xterm-accessibility-tree > div').allTextContents();
  return lines
    .map((line) => line.replaceAll('\u00a0', ' ').trimEnd())
    .join('\n')
    .trimEnd();
}

const focusIsInTerminal = (page: Page) =>
  page.evaluate<boolean>(`document.activeElement?.closest('.terminal-place') !== null`);
