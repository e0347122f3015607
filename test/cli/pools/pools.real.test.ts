import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connect, ManagerError } from '../../../src/client/index.ts';
import { cleanCell, type Manager, newCell, startManager } from '../../support/manager.ts';
import { wmOf } from '../wm.ts';

const SOON = { timeout: 20_000, interval: 50 };
const LONG = 150_000;
const redisUrl = inject('redisUrl');
const cell = newCell();
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
const { wm, start } = wmOf({ redisUrl, cell, home });
const file = join(home, 'pools.yaml');
let manager: Manager;

beforeAll(async () => {
  manager = await startManager({ redisUrl, cell, home });
});
afterAll(async () => {
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
  await rm(home, { recursive: true, force: true });
});

const text = (count: number, seconds = 600) => `# Two pools of one file
pools:
  - name: sleepers
    worker_type: sleeper
    count: ${count}
    execution_mode: direct
    drain_seconds: 1
    template: { agent_type: CUSTOM, command_line: [sleep, "${seconds}"] }
  - name: none
    min: 0
    max: 3
    execution_mode: direct
`;

test('pools are compared, applied and listed at the command line', {
  timeout: LONG,
}, async () => {
  await writeFile(file, text(2));
  expect(await wm('diff', '-f', file)).toMatchObject({
    code: 1,
    out: 'pool/sleepers would be created\npool/none would be created\n',
  });
  expect(await wm('apply', '-f', file, '--wait')).toEqual({
    code: 0,
    out: 'pool/sleepers created\npool/none created\n',
    err: '',
  });
  expect(await wm('diff', '-f', file)).toEqual({ code: 0, out: '', err: '' });
  const list = await wm('pools');
  expect(list.out).toMatch(
    /^NAME +TYPE +MODE +DESIRED +READY +BUSY +IDLE +WARM +QUEUED +UPDATED +PHASE +AGE +REASON$/m,
  );
  expect(list.out).toMatch(/^sleepers +sleeper +direct +2 +2 +0 +2 +0 +0 +2 +ready/m);
  expect(list.out).toMatch(/^none +none +direct +0 +0 +0 +0 +0 +0 +0 +ready/m);

  await writeFile(file, text(3, 601));
  const diff = await wm('diff', '-f', file);
  expect(diff.code).toBe(1);
  expect(diff.out).toBe(`pool/sleepers would be configured; its workers would be replaced
- count: 2
+ count: 3
- template.command_line: ["sleep","600"]
+ template.command_line: ["sleep","601"]
`);
  const piped = await start(['apply', '-f', '-', '--wait', '-o', 'json'], text(3, 601)).done;
  expect(JSON.parse(piped.out)).toMatchObject([{ change: 'configured' }, { change: 'unchanged' }]);
});

test('pools are scaled, explained and deleted at the command line', { timeout: LONG }, async () => {
  expect(await wm('scale', 'sleepers', '1', '--wait')).toMatchObject({
    code: 0,
    out: 'pool/sleepers scaled from 3 to 1\n',
  });
  expect(await wm('scale', 'none', '1')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/scaled on its queue/),
  });

  const explained = await wm('explain', 'pool/sleepers');
  expect(explained.out).toMatch(/Desired +running, generation 3; 1 workers of template [0-9a-f]{12}/);
  expect(explained.out).toMatch(/Decision +ready: 1 of 1 workers are ready/);
  expect(explained.out).toMatch(/Actions +nothing/);
  expect(explained.out).toMatch(/^[0-9a-f]{8}-[0-9a-f]{3} +\d +direct +idle +0 +newest/m);

  await writeFile(file, 'name: sleepers\ncount: many\n');
  expect(await wm('apply', '-f', file)).toMatchObject({
    code: 2,
    err: expect.stringContaining('pools.yaml:2: count'),
  });
  expect(await wm('diff', '-f', file)).toMatchObject({
    code: 2,
    err: expect.stringContaining('pools.yaml:2: count'),
  });

  expect(await wm('pools', 'delete', 'sleepers', 'none')).toMatchObject({ code: 0 });
  const client = connect(manager);
  await expect.poll(() => client.pools.list(), SOON).toEqual([]);
  expect((await wm('pools', '-o', 'json')).out).toBe('[]\n');
  expect(await wm('pools', 'delete', 'sleepers')).toMatchObject({ code: 0 });
  expect(await wm('explain', 'pool/sleepers')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/The pool sleepers does not exist/),
  });
});

const one = (name: string, command: string[], more = '') => `name: ${name}
execution_mode: direct
drain_seconds: 1
template: { agent_type: CUSTOM, command_line: ${JSON.stringify(command)}, restart_policy: on-failure }
${more}`;
const deleted = async (...names: string[]) => {
  expect(await wm('pools', 'delete', ...names)).toMatchObject({ code: 0 });
  await expect.poll(() => connect(manager).pools.list(), SOON).toEqual([]);
};
const ENDS = ['sh', '-c', 'echo the end of it; exit 3'];

test('waiting for a pool includes its warm workers', { timeout: LONG }, async () => {
  await writeFile(file, one('warm', ['sleep', '600'], 'warm: 2'));
  expect(await wm('apply', '-f', file, '--wait')).toMatchObject({ code: 0, err: '' });
  const [pool] = JSON.parse((await wm('pools', '-o', 'json')).out);
  expect(pool.status).toMatchObject({ phase: 'ready', warm: 2, message: '2 of 2 warm workers available.' });
  await deleted('warm');
});

test('waiting for a pool whose workers keep failing prints why', { timeout: LONG }, async () => {
  const handlers = join(home, 'broken.py');
  await writeFile(handlers, 'raise ValueError("never to be read")\n');
  await writeFile(file, `name: dies\ncount: 1\nexecution_mode: direct\nhandlers: [${handlers}]\n`);
  const waited = await wm('apply', '-f', file, '--wait', '--timeout', '8s');
  expect(waited.code).toBe(124);
  expect(waited.err).toMatch(
    /^pool\/dies is degraded: 0 of 1 workers are ready\. .*\(Error\): .*never to be read/,
  );
  expect(waited.err).toMatch(/^error: The pool dies is not ready after \d+(\.\d)? s: /m);

  await writeFile(file, one('rolls', ['sleep', '600'], 'count: 1'));
  expect(await wm('apply', '-f', file, '--wait')).toMatchObject({ code: 0, err: '' });
  await writeFile(file, one('rolls', ENDS, 'count: 1'));
  const stopped = await wm('apply', '-f', file, '--wait');
  expect(stopped).toMatchObject({
    code: 1,
    err: expect.stringMatching(
      /error: The pool rolls is stopped: Workers of the new template keep failing \(Error\): \S.* The rollout/,
    ),
  });
  await deleted('dies', 'rolls');
});

test('rejected fields of a pool are reported once, by the names in its file', { timeout: LONG }, async () => {
  await writeFile(file, 'name: a\ncount: 1\nexecution_mode: direct\nimage: x\n');
  const refused = await wm('apply', '-f', file);
  expect(refused).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/^error: The pool a was refused: image requires Docker.*\n$/),
  });
});

test('pools are requested over HTTP, by a typed client', { timeout: LONG }, async () => {
  const client = connect(manager);
  const pool = {
    name: 'web',
    worker_type: 'clicker',
    count: 2,
    execution_mode: 'direct' as const,
    drain_seconds: 1,
    template: { agent_type: 'CUSTOM' as const, command_line: ['sleep', '600'] },
  };
  expect(await client.pools.apply(pool, { idempotencyKey: 'once' })).toMatchObject({
    pool: 'web',
    change: 'created',
  });
  expect(await client.pools.apply(pool, { idempotencyKey: 'once' })).toMatchObject({
    pool: 'web',
    change: 'created',
  });
  expect(await client.pools.apply(pool)).toMatchObject({ change: 'unchanged' });
  await expect.poll(() => client.pools.workerStats(), SOON).toEqual({ clicker: { idle: 2, busy: 0 } });
  expect(await client.pools.get('web')).toMatchObject({
    name: 'web',
    spec: { count: 2 },
    status: { phase: 'ready', ready: 2 },
  });
  expect(await client.pools.scale('web', 1)).toMatchObject({ count: 1, before: 2 });
  await expect
    .poll(async () => (await client.pools.list())[0]?.status, SOON)
    .toMatchObject({ ready: 1, draining: 0 });
  const metrics = await (await fetch(`${manager.url}/metrics`)).text();
  expect(metrics).toMatch(/worker_manager_pool_workers\{pool="web",state="idle"\} 1/);
  expect(metrics).toMatch(/worker_manager_tasks\{pool="web",state="queued"\} 0/);
  expect(metrics).toMatch(/worker_manager_task_duration_seconds_count\{pool="web"\} \d/);

  const refused = client.pools.apply({ ...pool, count: -1 });
  await expect(refused).rejects.toThrow(ManagerError);
  await expect(refused).rejects.toMatchObject({
    code: 'invalid_command',
    status: 400,
    issues: [{ path: 'count' }],
  });
  await expect(client.pools.get('never')).rejects.toMatchObject({ code: 'not_found', status: 404 });
  await expect(client.pools.scale('never', 1)).rejects.toMatchObject({ code: 'not_found', status: 404 });
  await expect(client.pools.apply({ ...pool, image: 'x' })).rejects.toMatchObject({
    code: 'unsupported',
    status: 422,
  });
  await client.pools.delete('web');
  await expect.poll(() => client.pools.list(), SOON).toEqual([]);
});
