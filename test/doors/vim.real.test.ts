/** A session of Debian's vim in a terminal of a worker looks as one in a terminal of this machine, screen by screen. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GenericContainer } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { isPresent } from '../../scripts/base-image.ts';
import { connect, type WorkerHandle } from '../../src/client/index.ts';
import { dockerAt } from '../support/docker.ts';
import { freePort } from '../support/free-port.ts';
import { openLocalTerminal } from '../support/local-terminal.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { openTerminal } from '../support/terminal-client.ts';

const LONG = 300_000;
const soon = { timeout: 30_000, interval: 20 };
const TEXT = Array.from(
  { length: 200 },
  (_, n) => `int f${n}(char *name) { return ${n} + strlen("größe – ✓ 日本"); } /* line ${n} */`,
).join('\n');
/** Without anything of the user's, but with what makes screens colorful. */
const SET = 'set nocp ruler hls is nu ls=2 enc=utf-8 nosmd noswf bs=2 | syn on | set bg=dark t_RV= rdt=60000';
const VIM = ['vim', '-u', 'NONE', '-i', 'NONE', '-c', SET, 'text.c'];

/** What is typed, what the screen then shows, and the size of the window from then on. */
const STEPS: { type: string; shows: RegExp; size?: readonly [cols: number, rows: number] }[] = [
  { type: '', shows: /200 lines|text\.c/ },
  { type: 'ggOfirst «ü» 漢字\x1b', shows: /first «ü» 漢字/ },
  { type: '/line 7[0-9]\r', shows: /line 70/ },
  { type: 'V5jd', shows: /line 76/ },
  // Not `u`, which says how many seconds ago the change was.
  { type: ':silent undo\r', shows: /line 71/ },
  { type: '\x06\x06', shows: /line 1[0-9][0-9]/ },
  { type: ':vsplit\r:split\r', shows: /text\.c[\s\S]*text\.c[\s\S]*text\.c/, size: [132, 43] },
  { type: ':50\r', shows: /line 48/, size: [61, 17] },
  { type: ':only\r', shows: /50,1/, size: [200, 60] },
  { type: ':%s/strlen/length/g\r', shows: /200 substitutions|length\("/ },
  { type: 'ggqaA!\x1bjq99@a', shows: /101,/ },
  { type: ':set nowrap list\r', shows: /\$/, size: [80, 24] },
  { type: '3zl\x0c', shows: /\$/ },
];

/** The worker image with vim; made once, and kept by the daemon. */
async function ensureVimImage(image: string): Promise<string> {
  const dockerfile = [
    `FROM ${image}`,
    'USER root',
    'RUN apt-get update && apt-get install -y --no-install-recommends vim && rm -rf /var/lib/apt/lists/*',
    'LABEL worker-manager.managed=true',
    '',
  ].join('\n');
  const name = `worker-test-vim:${createHash('sha256').update(dockerfile).digest('hex').slice(0, 12)}`;
  if (await isPresent(dockerAt(inject('dockerHost')), name)) return name;
  const context = mkdtempSync(join(tmpdir(), 'wm-vim-'));
  writeFileSync(join(context, 'Dockerfile'), dockerfile);
  await GenericContainer.fromDockerfile(context).build(name, { deleteOnExit: false });
  rmSync(context, { recursive: true });
  return name;
}

const version = () => {
  try {
    return execFileSync('vim', ['--version'], { encoding: 'utf8' }).split('\n', 1)[0];
  } catch {
    return undefined;
  }
};

describe.each(['process', 'docker'])('vim in a worker on %s', (runtime) => {
  const cell = newCell();
  const redisUrl = inject('redisUrl');
  const host = inject('dockerHost');
  let home: string;
  let manager: Manager;
  let worker: WorkerHandle;

  beforeAll(async () => {
    if (version() === undefined) return;
    home = await mkdtemp(join(tmpdir(), 'wm-home-'));
    const env = {
      RUNTIME: runtime,
      HTTP_PORT: String(await freePort()),
      WORKER_REDIS_URL: runtime === 'docker' ? inject('bodyRedisUrl') : redisUrl,
      DOCKER_HOST: host.startsWith('/') ? `unix://${host}` : host,
      WORKER_IMAGE: runtime === 'docker' ? await ensureVimImage(inject('image')) : inject('image'),
    };
    manager = await startManager({ redisUrl, cell, home, env });
    const client = connect({ url: manager.url, token: manager.token });
    worker = await client.workers.create(
      { agent_type: 'CUSTOM', name: 'editor', command_line: ['cat'] },
      { wait: 'ready', timeoutSeconds: 90 },
    );
  }, LONG);
  afterAll(async () => {
    if (!manager) return;
    await worker?.delete();
    await vi.waitFor(async () => {
      const response = await fetch(`${manager.url}/v1/workers/${worker.id}`, { headers: manager.headers });
      expect(response.status).toBe(404);
    }, soon);
    await manager.stop();
    await cleanCell({ redisUrl, cell, home });
  }, LONG);

  test('shows the same screens, and writes the same file', { timeout: LONG }, async (context) => {
    const local = version();
    context.skip(local === undefined, 'There is no vim on this machine.');
    const remote = (await worker.commands.run('vim --version | head -1')).stdout.trim();
    context.skip(remote !== local, `The worker has "${remote}", and this machine "${local}".`);
    const folder = join(home, 'local');
    mkdirSync(folder);
    writeFileSync(join(folder, 'text.c'), TEXT);
    await worker.files.write('text.c', TEXT);
    const command = VIM.map((word) => `command=${encodeURIComponent(word)}`).join('&');
    const there = await openTerminal(
      `${manager.url.replace('http', 'ws')}/v1/workers/editor/pty?${command}&cols=80&rows=24`,
      { headers: manager.headers },
    );
    const here = openLocalTerminal(['/usr/bin/env', ...VIM], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', HOME: folder, LANG: 'C.UTF-8', COLORTERM: 'truecolor' },
    });
    const shown = (step: string, text: RegExp) =>
      vi.waitFor(async () => {
        const [one, other] = await Promise.all([there.screen(), here.screen()]);
        expect(one.join('\n'), step).toMatch(text);
        expect(one, step).toEqual(other);
        expect(await there.cells(), step).toBe(await here.cells());
      }, soon);
    const newest = async () => {
      const response = await fetch(`${manager.url}/v1/workers/editor/ptys`, { headers: manager.headers });
      return ((await response.json()) as { items: object[] }).items.at(-1);
    };
    try {
      for (const { type, shows, size } of STEPS) {
        for (const one of [there, here]) one.type(type);
        await shown(type, shows);
        if (!size) continue;
        for (const one of [there, here]) one.resize(...size);
        // A size and what is typed after it arrive in any order.
        await expect.poll(newest, soon).toMatchObject({ cols: size[0], rows: size[1] });
        // Which lines its windows show after a change of the size, and what is left of a command line, is a matter of time.
        for (const one of [there, here]) one.type(':windo normal! zt\r\x0c');
        await shown(`${type} at ${size.join(' x ')}`, shows);
      }
      // One that attaches now sees what is there.
      const late = await openTerminal(
        `${manager.url.replace('http', 'ws')}/v1/workers/editor/pty?id=${there.frames[0].terminal.pty_id}&cols=80&rows=24`,
        { headers: manager.headers },
      );
      await vi.waitFor(async () => expect(await late.cells()).toBe(await here.cells()), soon);
      late.close();
      for (const one of [there, here]) one.type(':wq\r');
      expect([(await there.exit).exit_code, await here.exit]).toEqual([0, 0]);
      const written = await worker.files.read('text.c', { format: 'bytes' });
      expect(Buffer.from(written).toString()).toBe(readFileSync(join(folder, 'text.c'), 'utf8'));
      expect(Buffer.from(written).toString()).toContain('length("größe – ✓ 日本"); } /* line 50 */!');
    } finally {
      there.close();
      here.kill();
    }
  });
});
