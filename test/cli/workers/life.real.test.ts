import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { cleanCell, type Manager, newCell, startManager } from '../../support/manager.ts';
import { pidsWith } from '../../support/processes.ts';
import { wmOf } from '../wm.ts';

/** How long the world may take on a busy machine. */
const SOON = { timeout: 20_000, interval: 50 };
const redisUrl = inject('redisUrl');
const cell = newCell();
let manager: Manager;
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
const { wm } = wmOf({ redisUrl, cell, home });

beforeAll(async () => {
  // Figures of a check stand until the next one: no check falls into the life of a worker here.
  manager = await startManager({ redisUrl, cell, home, env: { HEALTH_CHECK_INTERVAL: '3600' } });
});
afterAll(async () => {
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
});

/** Creates a worker, waits until it is RUNNING and gives its id. */
async function running(...args: string[]): Promise<string> {
  const { code, out, err } = await wm('create', '--wait', ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out.trim();
}

/** Each verb is a process that loads the whole program: a dozen of them take long on a busy machine. */
const LONG = 150_000;

test('a worker is created, talked to and explained, and its variables stay hidden', {
  timeout: LONG,
}, async () => {
  const id = await running('--name', 'cat', '-e', 'KEY=hidden-value', '-l', 'team=blue', '--', 'cat');
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  const short = id.slice(0, 8);

  const ps = await wm('ps', '--filter', 'label=team=blue');
  expect(ps.out.split('\n')[0]).toMatch(/^ID +NAME +TYPE +RUNTIME +STATUS +PHASE +RESTARTS +AGE +REASON$/);
  expect(ps.out.split('\n')[1]).toMatch(
    new RegExp(`^${id.slice(0, 12)} +cat +CUSTOM +process +RUNNING +ready`),
  );
  expect((await wm('ps', '-q', '--no-trunc')).out).toBe(`${id}\n`);

  const sent = await wm('send', short, 'good morning');
  expect(sent).toMatchObject({ code: 0, err: '' });
  const request = sent.out.trim();
  await expect.poll(async () => (await wm('logs', '--raw', short)).out, SOON).toBe('good morning\n');
  const entries = (await wm('logs', '-o', 'json', short)).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(entries.map(({ type }) => type)).toEqual(['ready', 'turn_started', 'stdout']);
  expect(entries[2]).toMatchObject({ content: 'good morning', request_id: request });

  const explained = await wm('explain', short);
  expect(explained.out).toMatch(/Desired +running, generation 1/);
  expect(explained.out).toMatch(/Rule +no rule of RUNNING.ready applies, so nothing changes/);
  expect(explained.out).toMatch(/Actions +nothing/);
  const json = JSON.parse((await wm('explain', short, '-o', 'json')).out);
  expect(json).toMatchObject({ actual: { kind: 'present' }, decision: { rule: 'otherwise', intents: [] } });

  const described = await wm('describe', 'cat');
  expect(described.out).toMatch(/env +KEY=\*\*\*/);
  // The pid of its process group, which holds the wrapper and carries the worker's name.
  const pid = Number(/^ *pid +(\d+)$/m.exec(described.out)?.[1]);
  expect(pidsWith(id)).toContain(pid);
  for (const verb of ['describe', 'explain']) {
    expect((await wm(verb, short, '-o', 'json')).out).not.toContain('hidden-value');
    expect((await wm(verb, short)).out).not.toContain('hidden-value');
  }

  await wm('delete', id, '--wait');
});

test('a worker is stopped, started and deleted, and each can be waited for', { timeout: LONG }, async () => {
  const id = await running('--', 'cat');
  const short = id.slice(0, 8);
  const stopped = await wm('stop', short, '--wait', '--reason', 'out of budget');
  expect(stopped).toEqual({ code: 0, out: `${id}\n`, err: '' });
  await expect.poll(async () => (await wm('events', id)).out, SOON).toMatch(/StopAsked +out of budget/);
  expect(JSON.parse((await wm('status', short, '-o', 'json')).out)).toEqual({
    worker_id: id,
    status: 'STOPPED',
    phase: 'finished',
    reason: 'Stopped',
    message: 'It was stopped.',
    ip_address: null,
    exit_code: 143,
    incarnation: 1,
    restarts: 0,
    started_at: expect.any(String),
    finished_at: expect.any(String),
    cpu_percent: null,
    memory_bytes: null,
    checked_at: null,
  });
  expect((await wm('ps', '-q', '--no-trunc')).out).not.toContain(id);
  expect((await wm('ps', '-a', '-q', '--no-trunc')).out).toContain(id);
  expect((await wm('wait', '--for=RUNNING', short)).code).toBe(1);

  expect((await wm('start', short)).code).toBe(0);
  expect(await wm('wait', '--for=ready', short)).toMatchObject({ code: 0, err: '' });
  expect((await wm('wait', '--for=FAILED', '--timeout', '0.2s', short)).code).toBe(124);

  expect(await wm('delete', short, '--wait')).toMatchObject({ code: 0, out: `${id}\n` });
  expect(await wm('wait', '--for=deleted', id)).toMatchObject({ code: 0 });
  expect((await wm('delete', id)).code).toBe(0);
  expect(await wm('start', id)).toMatchObject({ code: 1, err: expect.stringContaining('was deleted') });
  const events = (await wm('events', id)).out;
  // Also the body that a later incarnation is given.
  expect(events).toContain('create body 2');
  expect(events).toMatch(/RUNNING\/ready.*STOPPED\/finished.*STARTING\/creating.*STOPPED\/deleted/s);
});

test('a restart replaces the body of a worker, and starts one that has ended', {
  timeout: LONG,
}, async () => {
  const id = await running('--name', 'phoenix', '--', 'cat');
  const before = pidsWith(id);
  const state = async () => JSON.parse((await wm('status', id, '-o', 'json')).out);
  const restart = ['restart', 'phoenix', '--wait', '--request-id', 'again', '--reason', 'new settings'];
  expect(await wm(...restart)).toEqual({ code: 0, out: `${id}\n`, err: '' });
  expect(await state()).toMatchObject({ status: 'RUNNING', incarnation: 2, restarts: 0 });
  expect(pidsWith(id).filter((pid) => before.includes(pid))).toEqual([]);
  expect((await wm('events', id)).out).toMatch(/RestartAsked +new settings/);
  expect(await wm(...restart), 'the same request').toMatchObject({ code: 0 });
  expect(await state()).toMatchObject({ incarnation: 2 });

  await wm('stop', id, '--wait');
  expect((await wm('restart', id, '--wait')).code).toBe(0);
  expect(await state()).toMatchObject({ status: 'RUNNING', incarnation: 3 });

  const twin = () => wm('create', '--name', 'twin', '--', 'cat');
  const twins = await Promise.all([twin(), twin()]);
  const [won] = twins.filter(({ code }) => code === 0);
  const [lost] = twins.filter(({ code }) => code === 1);
  expect(lost?.err, 'two creates at once').toContain(`is used by the worker ${won?.out.trim()}`);
  expect((await wm('delete', 'twin', id, '--wait')).code).toBe(0);
  expect(await wm('restart', id)).toMatchObject({ code: 1, err: expect.stringContaining('was deleted') });
});

test('ps shows the exit code of what failed, and says if no manager leads', async () => {
  const id = (await wm('create', '--', 'sh', '-c', 'exit 7')).out.trim();
  expect((await wm('wait', '--for=FAILED', id)).code).toBe(0);
  const led = await wm('ps', '-a', '--no-trunc');
  expect(led.out.split('\n').find((line) => line.startsWith(id))).toMatch(/ Error \(7\)$/);
  expect(led.err).toBe('');
  expect(JSON.parse((await wm('ps', '-a', '-o', 'json')).out)).toContainEqual(
    expect.objectContaining({ worker_id: id, reason: 'Error', exit_code: 7 }),
  );
  const alone = await wmOf({ redisUrl, cell: newCell() }).wm('ps');
  expect(alone.err).toContain('no manager leads the cell');
});

test('an id is found by its unique beginning; an ambiguous one is rejected with its candidates', async () => {
  const ids = ['abcd0000', 'abcd1111'].map((start) => `${start}-0000-4000-8000-000000000000`);
  for (const id of ids) expect((await wm('create', '--worker-id', id, '--', 'true')).out).toBe(`${id}\n`);
  const ambiguous = await wm('status', 'abcd');
  expect(ambiguous.code).toBe(1);
  for (const id of ids) expect(ambiguous.err).toContain(id);
  expect((await wm('status', 'ABCD1')).out).toContain('abcd1111');
  expect(await wm('status', 'ffffffff')).toMatchObject({
    code: 1,
    err: expect.stringContaining('worker ffffffff does not exist'),
  });
  const twice = await wm('create', '--worker-id', ids[0] ?? '', '-o', 'json', '--', 'true');
  expect(twice).toMatchObject({ code: 1, err: expect.stringContaining('IDs are not reused') });
  expect(JSON.parse(twice.out)).toMatchObject({ success: false, error: { code: 'conflict' } });
  const some = await wm('delete', 'abcd0', 'nobody', 'abcd1');
  expect(some).toMatchObject({ code: 1, out: `${ids.join('\n')}\n` });
  expect(some.err).toContain('nobody');
});

test('a refusal of the manager names the field and exits 1; one of the schema exits 2', async () => {
  const refused = await wm('create', '--secret', 'nobody', '--', 'cat');
  expect(refused).toMatchObject({ code: 1, out: '' });
  expect(refused.err).toContain('secrets.0');
  const wrong = await wm('create', '--memory', 'much', '-e', '1A=b', '--', 'true');
  expect(wrong.code).toBe(2);
  expect(wrong.err).toContain('resources.memory must be a size');
  expect(wrong.err).toContain('env.1A');
});
