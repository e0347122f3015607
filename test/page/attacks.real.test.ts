/** Text from workers and clients that attacks the page or its reader, in a real Chromium. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { goTo, measureKeystrokes, missingBrowser } from './browser.ts';
import { PATIENCE, TOKEN, usePageManager } from './page-manager.ts';

const HTML = '"><img src=x onerror=alert(1)><script>alert(2)</script><b>bold</b></script></title>';
/** A right-to-left override, an isolate, ESC, CSI, OSC with a title, NUL and a C1 control. */
const CONTROLS = '\u202egnp.exe\u2067\u001b[2J\u001b[31m\u001b]0;owned\u0007\u0000\u009b1m';
const HOSTILE = `${HTML}${CONTROLS}`;
/** What must not be in a text of the page; tabs and newlines may. */
const FORBIDDEN = String.raw`/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/`;
const MEGABYTES = 10;

const printing = (text: string) => [
  process.execPath,
  '-e',
  `process.stdout.write(${JSON.stringify(`${text}\n`)}); process.stderr.write(${JSON.stringify(`${text}\n`)}); setInterval(() => {}, 1e9)`,
];

describe.skipIf(missingBrowser)('the page under attack', () => {
  const { send, open, manager } = usePageManager();
  const create = (fields: object) =>
    send('POST', '/v1/workers?wait=ready', { agent_type: 'CUSTOM', runtime: 'process', ...fields });

  test('text of others is shown as text, in every view', { timeout: 120_000 }, async () => {
    await create({
      name: 'hostile',
      labels: { team: HTML },
      instructions: HOSTILE,
      env: { NOTE: HTML },
      command_line: printing(HOSTILE),
    });
    const json = JSON.stringify({ type: 'message', content: HOSTILE });
    const tool = JSON.stringify({
      type: 'tool_use',
      tool: HOSTILE,
      tool_use_id: '1',
      input: { [HTML]: HOSTILE },
    });
    await create({ name: 'json', protocol: 'json', command_line: printing(`${json}\n${tool}`) });
    await send('POST', '/v1/workers/hostile/exec', {
      command: [
        process.execPath,
        '-e',
        `fs.writeFileSync(${JSON.stringify('<img src=x>\u202e.txt')}, ${JSON.stringify(HOSTILE)})`,
      ],
    });
    await send('POST', '/v1/pools', { name: 'text', count: 1, execution_mode: 'direct', commands: true });
    await send('POST', '/v1/tasks', {
      task_id: 'wrong',
      pool: 'text',
      payload: { command: ['sh', '-c', 'printf "%s" "$0" >&2; exit 1', HTML] },
    });
    const opened = await open();
    const { page } = opened;
    const title = await page.title();
    for (const [path, heading, shown] of [
      ['#/workers/hostile', 'hostile', 'gnp.exe'],
      ['#/workers/json', 'json', 'gnp.exe'],
      ['#/workers/hostile?tab=files', 'hostile', '<img src=x>'],
      ['#/workers/hostile?tab=spec', 'hostile', 'onerror'],
      ['#/workers/hostile?tab=life', 'hostile', 'booting'],
      ['#/workers/hostile?tab=explain', 'hostile', 'Next check'],
      ['#/tasks', 'Tasks', 'wrong'],
      ['#/events', 'Events', 'ready'],
      ['#/workers', 'Workers', 'hostile'],
    ] as const) {
      await goTo(opened, path, heading);
      await page.locator('main').getByText(shown).first().waitFor();
      await expectInert(page, path);
    }
    // What a foreign link puts into the address is text, too.
    await page.evaluate(`location.hash = '#/workers/' + encodeURIComponent(${JSON.stringify(HOSTILE)})`);
    await page.locator('main').getByText('gnp.exe').first().waitFor();
    await expectInert(page, 'an address');
    expect(await page.title()).not.toContain('owned');
    expect(title).not.toContain('<');
    expect(page.url()).not.toContain(TOKEN);
    expect(opened.offences).toEqual([]);
  });

  test(`a line of ${MEGABYTES} MB does not freeze it`, { timeout: 120_000 }, async () => {
    const bytes = MEGABYTES * 1024 * 1024;
    const program = `process.stdin.once('data', () => process.stdout.write('x'.repeat(${bytes}) + '\\nafter the line\\n'))`;
    await create({ name: 'long', command_line: [process.execPath, '-e', program] });
    const opened = await open();
    const { page } = opened;
    await goTo(opened, '#/workers/long', 'long');
    await page.getByLabel('Prompt').fill('go');
    // The longest time in which the page did nothing else.
    await page.evaluate(`{
      let last = performance.now();
      window.longest = 0;
      setInterval(() => {
        window.longest = Math.max(window.longest, performance.now() - last);
        last = performance.now();
      }, 10);
    }`);
    await page.keyboard.press('Control+Enter');
    await page
      .getByRole('log')
      .getByText(/after the line$/)
      .waitFor(PATIENCE);
    const longest = await page.evaluate<number>('window.longest');
    const times = await measureKeystrokes(page, 'Prompt', 'still here');
    const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
    console.info(
      `[page] a line of ${MEGABYTES} MB: ${longest.toFixed(0)} ms at most, then ${median.toFixed(0)} ms a keystroke`,
    );
    expect(longest).toBeLessThan(2000);
    expect(median).toBeLessThan(100);
    expect(await page.evaluate<number>('document.body.innerText.length')).toBeLessThan(bytes / 2);
    expect(opened.offences).toEqual([]);
  });

  test('what the page loads has a policy that forbids all other code', async () => {
    const { headers } = await fetch(`${manager().url}/`);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/default-src 'none'/);
    expect(policy).toMatch(/script-src 'self'/);
    expect(policy).toMatch(/frame-ancestors 'none'/);
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|\*/);
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });
});

/** Nothing of a text became an element, and nothing of it controls how others are read. */
async function expectInert(page: Page, where: string): Promise<void> {
  expect(await page.locator('main :is(img, script, b, i, iframe, title)').count(), where).toBe(0);
  const found = await page.evaluate<string | null>(
    `(${FORBIDDEN}.exec(document.body.innerText) ?? [null])[0]`,
  );
  expect(found?.codePointAt(0)?.toString(16), where).toBeUndefined();
  const attributes = await page.evaluate<string[]>(
    `[...document.querySelectorAll('main *')].flatMap((one) => [...one.attributes].map(({ value }) => value)).filter((value) => ${FORBIDDEN}.test(value))`,
  );
  expect(attributes, where).toEqual([]);
}
