/**
 * A real Prometheus scrapes real managers: their metrics pass its own check, every rule and every query of the dashboard
 * has data, and faults that are really made fire their alerts. The rules are those of deploy/prometheus, with shorter
 * windows. The tests share one cell and build on each other: the last ones end Docker, the leader and Redis.
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Readable } from 'node:stream';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { bundleWrapper } from '../../scripts/bundle-wrapper.ts';
import { RULE_FILES, readRuleFile } from '../../scripts/generate/alerts.ts';
import { DASHBOARD } from '../../scripts/generate/dashboard-panels.ts';
import { createDockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { dockerAt } from '../support/docker.ts';
import { type DockerProxy, startDockerProxy } from '../support/docker-proxy.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { pidsWith, signal } from '../support/processes.ts';
import {
  hasPrometheus,
  NO_PROMETHEUS,
  type PrometheusServer,
  startPrometheus,
} from '../support/prometheus.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { tarOf } from '../support/tar.ts';
import { TestWorker } from '../worker-base/body.ts';
import { LIMITS, startWebhooks, useDoors } from './used-features.ts';

const PATIENCE = { timeout: 30_000, interval: 100 };
/** A test waits for several alerts, and each may take some time. */
const LONG = { timeout: 240_000 };
/** It has no shell, so that the first step of every build on it fails. */
const EMPTY_IMAGE = `worker-test-empty:${randomUUID().slice(0, 8)}`;
/** Enough creates for the error budget. */
const FAILED_STARTS = 12;
const ID = /[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{12}/;

const cell = newCell();
let redis: RedisServer;
let store: Redis;
let proxy: DockerProxy;
let leader: Manager;
let standby: Manager;
let node: TestWorker;
let prometheus: PrometheusServer;
let webhooks: Awaited<ReturnType<typeof startWebhooks>>;

/** A server that accepts connections and never answers. */
async function silentPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  return (server.address() as AddressInfo).port;
}

describe.skipIf(!hasPrometheus)(
  `with a real Prometheus${hasPrometheus ? '' : ` (${NO_PROMETHEUS})`}`,
  LONG,
  () => {
    beforeAll(async () => {
      await bundleWrapper();
      const host = inject('dockerHost');
      [redis, proxy] = await Promise.all([startRedis(), startDockerProxy(host)]);
      await importEmptyImage();
      store = new Redis(redis.url);
      store.on('error', () => {});
      webhooks = await startWebhooks(redis.url, cell);
      const env = {
        ...webhooks.env,
        ...LIMITS,
        RUNTIME: 'auto',
        DOCKER_HOST: `unix://${proxy.socket}`,
        WORKER_BASE_IMAGE: EMPTY_IMAGE,
        WORKER_REDIS_URL: redis.bodyUrl,
        // The standby must not take over because the machine is busy.
        LEASE_SECONDS: '10',
        RESYNC_SECONDS: '0.5',
        // A body that hangs is killed after two checks, and counts as silent before that.
        HEALTH_CHECK_INTERVAL: '25',
        RESTART_BACKOFF_SECONDS: '0.1',
        CANARY_SECONDS: '3',
      };
      leader = await startManager({ redisUrl: redis.url, cell, env });
      await vi.waitFor(
        async () => expect(await metricsOf(leader)).toContain('worker_manager_leader 1'),
        PATIENCE,
      );
      const { home } = leader;
      const full = { ...env, IMAGE_MIN_FREE: '100000g' };
      standby = await startManager({ redisUrl: redis.url, cell, home, env: full });
      prometheus = await startPrometheus([leader, standby].map(({ url }) => new URL(url).host));
      // A failure before the first scrape is not an increase.
      const counted = 'worker_manager_workers_failed_total{reason="StartDeadlineExceeded"}';
      await vi.waitFor(async () => expect(await prometheus.query(counted)).toHaveLength(2), PATIENCE);
      node = new TestWorker(redis.url);
      const byHand = { WORKER_CELL: cell, WORKER_INCARNATION: '', WORKER_POOL: 'work', WORKER_PORT: '0' };
      await node.start({
        redisUrl: redis.url,
        env: { ...byHand, MAX_CPU_PERCENT: 'none', TASK_COMMANDS: 'true' },
      });
    });

    afterAll(async () => {
      await prometheus?.stop();
      webhooks?.stop();
      await redis?.start();
      await node?.close();
      for (const manager of [leader, standby]) await manager?.stop();
      const host = inject('dockerHost');
      const runtime = createDockerRuntime({ cell, host, image: inject('image') });
      for (const { id } of await runtime.list()) await runtime.remove(id);
      await runtime.dismantle();
      await runtime.close();
      store?.disconnect();
      if (leader) await cleanCell({ redisUrl: redis.url, cell, home: leader.home });
      await Promise.all([proxy?.close(), redis?.stop(), dockerAt(host).getImage(EMPTY_IMAGE).remove()]);
    });

    test('workers that crash, hang, are never ready or have no image, and tasks without a worker', async () => {
      const silent = await create({ runtime: 'process', command_line: ['sleep', '600'] });
      await create({
        runtime: 'process',
        command_line: ['sh', '-c', 'exit 3'],
        restart_policy: 'always',
      });
      const late = await create({
        runtime: 'process',
        command_line: ['sleep', '600'],
        workspace: { source: { git: { url: `http://127.0.0.1:${await silentPort()}/never.git` } } },
        start_deadline_seconds: 1,
      });
      for (let n = 0; n < FAILED_STARTS; n += 1) await create({ runtime: 'docker', command_line: ['true'] });
      await ask('PUT', '/v1/pools/work', { count: 1, execution_mode: 'direct', commands: true });
      await ask('PUT', '/v1/pools/text', { count: 1, execution_mode: 'docker', commands: true });
      for (const pool of ['work', 'text'])
        for (let n = 0; n < 3; n += 1)
          await ask('POST', '/task/submit', { pool, payload: { command: ['true'] } });
      await vi.waitFor(
        async () => expect(await ask('GET', `/v1/workers/${silent}`)).toMatchObject({ phase: 'ready' }),
        PATIENCE,
      );
      for (const pid of pidsWith(silent)) signal(pid, 'SIGSTOP');
      await vi.waitFor(
        async () =>
          expect(await ask('GET', `/v1/workers/${late}`)).toMatchObject({ reason: 'StartDeadlineExceeded' }),
        PATIENCE,
      );
      await prometheus.untilFired('WorkerManagerCrashLoop');
      await prometheus.untilFired('WorkerManagerNeverReady');
      await prometheus.untilFired('WorkerManagerImageBuildsFailing');
      await prometheus.untilFired('WorkerManagerTasksWithoutWorker', { pool: 'text' });
      await prometheus.untilFired('WorkerManagerCreateBudget', { severity: 'page' });
      await vi.waitFor(
        async () =>
          expect(await prometheus.query('worker_manager:create_errors:ratio_rate5m > 0.5')).toHaveLength(1),
        PATIENCE,
      );
    });

    test('the canary fails on the runtime whose images cannot be built, and succeeds on the other one', async () => {
      await prometheus.untilFired('WorkerManagerCanaryFailing', { runtime: 'docker' });
      await vi.waitFor(async () => {
        const runs = await prometheus.query('worker_manager_canary_runs_total{result="ok"}');
        expect(runs.map(({ metric }) => metric.runtime)).toEqual(['process']);
        for (const step of ['ready', 'first_output', 'exec', 'deleted']) {
          const name = `worker_manager_canary_duration_seconds_count{step="${step}"}`;
          expect(await prometheus.query(`${name} > 0`), step).toHaveLength(1);
        }
      }, PATIENCE);
      const failing = [...prometheus.fired.values()].filter(({ alertname }) => alertname?.includes('Canary'));
      expect(failing.map(({ runtime }) => runtime)).toEqual(['docker']);
    });

    test('a full workspace, checkpoints that are too large, and webhooks that are not delivered', async () => {
      await useDoors(ask, leader);
      await prometheus.untilFired('WorkerManagerWorkspaceFull');
      await prometheus.untilFired('WorkerManagerCheckpointsFailing');
      await prometheus.untilFired('WorkerManagerWebhooksLost', { source: 'setting', result: 'failed' });
      await prometheus.untilFired('WorkerManagerWebhooksWaiting');
    });

    test('a disk below the watermark, in the view of the manager whose limit it is', async () => {
      await prometheus.untilFired('WorkerManagerDiskWatermark', { instance: new URL(standby.url).host });
    });

    test('a Redis that is almost full, and one that may evict keys', async () => {
      await store.config('SET', 'maxmemory', String(Math.round((await fill(64)) / 0.9)));
      await prometheus.untilFired('WorkerManagerRedisMemory');
      await store.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await prometheus.untilFired('WorkerManagerRedisHazard', { hazard: 'eviction' });
      await store.config('SET', 'maxmemory-policy', 'noeviction');
      await store.config('SET', 'maxmemory', '1gb');
    });

    test('a worker that does not report', () => prometheus.untilFired('WorkerManagerHeartbeatsLost'));

    test('a scrape passes the check of Prometheus, and has no ID in a label', async () => {
      const text = await metricsOf(leader);
      const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input: text,
        encoding: 'utf8',
      });
      expect(`${stdout}${stderr}`).toBe('');
      const labels = [...text.matchAll(/^worker_manager_\w+\{(.*)\} \S+$/gm)].map(([, all]) => all ?? '');
      expect(labels.length).toBeGreaterThan(100);
      expect(labels.filter((all) => ID.test(all))).toEqual([]);
    });

    test('every rule is evaluated, and everything that it reads has data', async () => {
      expect(await prometheus.ruleErrors()).toEqual([]);
      const rules = RULE_FILES.flatMap((path) => readRuleFile(path).groups.flatMap((group) => group.rules));
      const selectors = new Set(
        rules.flatMap(({ expr }) => expr.match(/\b(up|worker_manager_\w+)(\{[^}]*\})?/g) ?? []),
      );
      const records = rules.flatMap(({ record }) => record ?? []);
      // At some time: no worker may be starting just now, for example.
      const wanted = [...selectors, ...records].map((selector) => `last_over_time(${selector}[10m])`);
      expect(wanted.length).toBeGreaterThan(50);
      expect(await withoutData(wanted)).toEqual([]);
    });

    test('every query of the dashboard has data', async () => {
      const queries = DASHBOARD.flatMap(({ panels }) => panels.flatMap((panel) => panel.queries));
      const filled = queries.map(({ expr }) =>
        expr.replaceAll('$job', 'worker-manager').replaceAll('$__rate_interval', '30s'),
      );
      expect(filled.length).toBeGreaterThan(60);
      expect(await withoutData(filled)).toEqual([]);
    });

    test('Docker that cannot be reached', async () => {
      await proxy.close();
      await prometheus.untilFired('WorkerManagerRuntimeDown', { runtime: 'docker' });
    });

    test('a leader that is killed: its absence is reported, and another one leads', async () => {
      leader.kill('SIGKILL');
      await leader.exited;
      await prometheus.untilFired('WorkerManagerDown', { instance: new URL(leader.url).host });
      await vi.waitFor(async () => {
        const leaders = await prometheus.query('worker_manager_leader == 1');
        expect(leaders.map(({ metric }) => metric.instance)).toEqual([new URL(standby.url).host]);
      }, PATIENCE);
      await vi.waitFor(async () => {
        const names = (await prometheus.firing()).map(({ alertname }) => alertname);
        expect(names).not.toContain('WorkerManagerNoLeader');
      }, PATIENCE);
      prometheus.resetFired();
    });

    test('a Redis that has ended, without which none leads', async () => {
      await redis.kill();
      await prometheus.untilFired('WorkerManagerRedisDown', { instance: new URL(standby.url).host });
      await prometheus.untilFired('WorkerManagerNoLeader');
    });
  },
);

const metricsOf = async ({ url }: Manager) => (await fetch(`${url}/metrics`)).text();

async function ask(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(leader.url + path, {
    method,
    headers: { ...leader.headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  expect(response.ok, `${method} ${path}: ${JSON.stringify(answer)}`).toBe(true);
  return answer;
}

async function create(spec: object): Promise<string> {
  const { worker_id } = await ask('POST', '/v1/workers', {
    agent_type: 'CUSTOM',
    stop_grace_seconds: 1,
    ...spec,
  });
  return String(worker_id);
}

/** The expressions that have no data, also after a while. */
async function withoutData(expressions: string[]): Promise<string[]> {
  let empty = expressions;
  await vi
    .waitFor(async () => {
      const results = await Promise.all(empty.map((expr) => prometheus.query(expr)));
      empty = empty.filter((_, at) => results[at]?.length === 0);
      expect(empty).toEqual([]);
    }, PATIENCE)
    .catch(() => {});
  return empty;
}

/** Adds MiB to Redis; returns the bytes that it uses. */
async function fill(mebibytes: number): Promise<number> {
  for (let n = 0; n < mebibytes; n += 1) await store.set(`${cell}:filler:${n}`, 'x'.repeat(1024 ** 2));
  return Number(/^used_memory:(\d+)/m.exec(await store.info('memory'))?.[1]);
}

async function importEmptyImage(): Promise<void> {
  const docker = dockerAt(inject('dockerHost'));
  const stream = await docker.importImage(Readable.from([tarOf({})]) as never);
  let text = '';
  for await (const part of stream) text += part;
  const id = /sha256:[0-9a-f]{64}/.exec(text)?.[0] ?? '';
  const [repo = '', tag = ''] = EMPTY_IMAGE.split(':');
  await docker.getImage(id).tag({ repo, tag });
}
