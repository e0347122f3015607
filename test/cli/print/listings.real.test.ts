import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { cleanCell, type Manager, newCell, startManager } from '../../support/manager.ts';
import { wmOf } from '../wm.ts';

const SOON = { timeout: 20_000, interval: 50 };
const LONG = 120_000;
const redisUrl = inject('redisUrl');
const cell = newCell();
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
let manager: Manager;
const { wm, start } = wmOf({ redisUrl, cell, home });

beforeAll(async () => {
  // Figures of a check stand until the next one: no check falls between two listings.
  manager = await startManager({ redisUrl, cell, home, env: { HEALTH_CHECK_INTERVAL: '3600' } });
  const pool = {
    name: 'speakers',
    execution_mode: 'direct',
    count: 2,
    template: {
      agent_type: 'CUSTOM',
      command_line: ['sh', '-c', 'echo hello; exec cat'],
      env: { KEY: 'hidden-value' },
    },
  };
  const file = join(home, 'pool.json');
  await writeFile(file, JSON.stringify(pool));
  const [applied, ...created] = await Promise.all([
    wm('apply', '-f', file, '--wait', '-o', 'name'),
    ...['ann', 'bo'].map((name) =>
      wm('create', '--name', name, '--wait', '-o', 'name', '--', 'sh', '-c', `echo "I am ${name}"; exec cat`),
    ),
  ]);
  expect(applied).toMatchObject({ code: 0, out: 'pool/speakers\n' });
  for (const { code, out } of created)
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^worker\/[0-9a-f-]{36}\n$/) });
});
afterAll(async () => {
  await wm('pools', 'delete', 'speakers');
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
});

test('every format shows the same, and names are accepted by other verbs', { timeout: LONG }, async () => {
  const [json, yaml, name, wide, status] = await Promise.all([
    wm('ps', '-o', 'json'),
    wm('ps', '-o', 'yaml'),
    wm('ps', '--filter', 'name=ann', '-o', 'name'),
    wm('ps', '-o', 'wide'),
    wm('status', 'ann', '-o', 'yaml'),
  ]);
  expect(parse(yaml.out)).toEqual(JSON.parse(json.out));
  expect(JSON.parse(json.out)).toHaveLength(4);
  expect(name.out).toMatch(/^worker\/[0-9a-f-]{36}\n$/);
  expect(wide.out).toMatch(/^ID .* REASON +DESIRED +INCARNATION +POOL +CREATED +LABELS$/m);
  expect(wide.out).toMatch(/running +1 +speakers /);
  expect(parse(status.out)).toMatchObject({
    worker_id: name.out.trim().slice('worker/'.length),
    status: 'RUNNING',
  });

  const [described, pools, poolNames, pool, doctor] = await Promise.all([
    wm('describe', name.out.trim(), '-o', 'yaml'),
    wm('pools', '-o', 'wide'),
    wm('pools', '-o', 'name'),
    wm('describe', 'pool/speakers'),
    wm('describe', 'pool/missing'),
  ]);
  expect(parse(described.out)).toMatchObject({ spec: { name: 'ann' }, events: expect.any(Array) });
  expect(pools.out).toMatch(/DRAINING +TEMPLATE +MESSAGE$/m);
  expect(poolNames.out).toBe('pool/speakers\n');
  expect(pool.out).toMatch(/template .*"KEY":"\*\*\*"/);
  expect(pool.out).not.toContain('hidden-value');
  expect(pool.out.match(/^ {2}[0-9a-f-]{12} +RUNNING +ready/gm)).toHaveLength(2);
  expect(pool.out).toMatch(/Events\n {2}.* ready/);
  expect(doctor).toMatchObject({ code: 1, err: expect.stringContaining('The pool missing does not exist') });
});

test('logs of several workers and of a pool come with their names, and can be cut by time', {
  timeout: LONG,
}, async () => {
  // What they print comes after they are ready.
  const raw = async () =>
    (await wm('logs', 'ann', 'bo', 'pool/speakers', '--no-prefix', '--raw')).out.split('\n').sort();
  await expect.poll(raw, SOON).toEqual(['', 'I am ann', 'I am bo', 'hello', 'hello']);
  const [two, pool, plain, later, events] = await Promise.all([
    wm('logs', 'ann', 'bo', '-t'),
    wm('logs', 'pool/speakers'),
    wm('logs', 'ann', 'bo', '--no-prefix', '--raw'),
    wm('logs', 'ann', '--since', new Date(Date.now() + 60_000).toISOString()),
    wm('events', 'pool/speakers', '-o', 'json'),
  ]);
  expect(two.out).toMatch(/^ann \| \d{4}-\d\d-\d\dT\S+ I am ann$/m);
  expect(two.out).toMatch(/^bo {2}\| \d{4}-\d\d-\d\dT\S+ I am bo$/m);
  expect(pool.out.match(/^\S+ +\| hello$/gm)).toHaveLength(2);
  expect(plain.out.split('\n').sort()).toEqual(['', 'I am ann', 'I am bo']);
  expect(later).toMatchObject({ code: 0, out: '' });
  const lines = events.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toContainEqual(expect.objectContaining({ pool: 'speakers', phase: 'ready' }));
  expect(new Set(lines.map(({ worker_id }) => worker_id)).size).toBe(3);

  const follow = start(['logs', '-f', '--tail', '1', 'ann', 'bo']);
  onTestFinished(() => void follow.child.kill('SIGKILL'));
  // It has begun, so that the next line is news to it.
  await expect.poll(follow.out, SOON).toContain('bo  | I am bo\n');
  await wm('send', 'bo', 'one');
  await expect.poll(follow.out, SOON).toContain('bo  | one\n');
  const stopped = await Promise.all([wm('stop', 'ann'), wm('stop', 'bo')]);
  expect(stopped.map(({ code }) => code)).toEqual([0, 0]);
  expect(await follow.done, 'it ends with the last of them').toMatchObject({ code: 0 });
});

test('ps, pools and status report changes, and prune deletes what has ended', { timeout: LONG }, async () => {
  const watches = [
    start(['ps', '-a', '-w', '-o', 'json']),
    start(['pools', '--watch', '-o', 'yaml']),
    start(['ps', '-w']),
  ];
  const [workers, pools, people] = watches;
  onTestFinished(() => {
    for (const { child } of watches) child.kill('SIGKILL');
  });
  for (const one of watches) await expect.poll(one.out, SOON).toContain('speakers');
  const id = (await wm('create', '--name', 'cid', '-l', 'of=prune', '--', 'cat')).out.trim();
  const status = start(['status', 'cid', '-w', '-o', 'name']);
  const seen = () =>
    workers
      ?.out()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ worker_id }) => worker_id === id)
      .map(({ status: one }) => one);
  await expect.poll(seen, SOON).toContain('RUNNING');
  await expect.poll(() => people?.out(), SOON).toMatch(/^[0-9a-f-]{12} +cid +CUSTOM +process +RUNNING/m);
  expect((await wm('scale', 'speakers', '1')).code).toBe(0);
  const desired = () => parseAllDocuments(pools?.out() ?? '').map((one) => one.toJS()?.status?.desired);
  await expect.poll(desired, SOON).toContain(1);
  await wm('stop', 'cid', '--wait');
  await expect.poll(seen, SOON).toContain('STOPPED');

  const filter = ['--filter', 'label=of=prune'];
  expect(await wm('prune', ...filter)).toMatchObject({
    code: 2,
    err: expect.stringContaining('Delete 1 worker'),
  });
  expect((await wm('prune', ...filter, '--dry-run', '-o', 'name')).out).toBe(`worker/${id}\n`);
  expect((await wm('prune', ...filter, '--older-than', '1h', '--force')).out).toBe('');
  expect(await wm('prune', ...filter, '--force')).toEqual({ code: 0, out: `${id}\n`, err: '' });
  await expect.poll(async () => (await wm('ps', '-a', '-q', '--no-trunc')).out, SOON).not.toContain(id);
  expect(await status.done, 'a watch ends with its worker').toMatchObject({ code: 0 });
});
