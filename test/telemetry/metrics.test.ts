import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { DURATION_BUCKETS } from '../../src/tasks/durations.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { TASK } from '../../src/telemetry/task-metrics.ts';

const CONTRACT: [string, 'counter' | 'gauge' | 'histogram'][] = [
  ['workers', 'gauge'],
  ['desired_workers', 'gauge'],
  ['spawn_duration_seconds', 'histogram'],
  ['restarts_total', 'counter'],
  ['oom_kills_total', 'counter'],
  ['commands_total', 'counter'],
  ['command_lag_seconds', 'histogram'],
  ['reconcile_total', 'counter'],
  ['reconcile_errors_total', 'counter'],
  ['reconcile_duration_seconds', 'histogram'],
  ['workqueue_depth', 'gauge'],
  ['workqueue_oldest_seconds', 'gauge'],
  ['resync_duration_seconds', 'histogram'],
  ['leader', 'gauge'],
  ['runtime_call_duration_seconds', 'histogram'],
  ['redis_up', 'gauge'],
  ['redis_hazard', 'gauge'],
  ['loop_blocked_seconds', 'gauge'],
  ['runtime_up', 'gauge'],
  ['runtime_expected', 'gauge'],
  ['http_requests_total', 'counter'],
  ['http_request_duration_seconds', 'histogram'],
  ['http_refused_total', 'counter'],
  ['image_builds_total', 'counter'],
  ['image_build_duration_seconds', 'histogram'],
  ['image_cache_hits_total', 'counter'],
  ['images', 'gauge'],
  ['image_bytes', 'gauge'],
  ['image_gc_removed_total', 'counter'],
  ['permission_denied_total', 'counter'],
  ['pool_workers', 'gauge'],
  ['nodes', 'gauge'],
  ['worker_cpu_cores', 'gauge'],
  ['worker_memory_bytes', 'gauge'],
  ['workspace_bytes', 'gauge'],
  ['tasks', 'gauge'],
  ['tasks_finished_total', 'counter'],
  ['task_oom_kills_total', 'counter'],
  ['workers_failed_total', 'counter'],
  ['task_duration_seconds', 'histogram'],
  ['orphans_removed_total', 'counter'],
  ['adopted_total', 'counter'],
  ['removal_breaker_open', 'gauge'],
  ['heartbeat_age_seconds', 'histogram'],
  ['queued_workers', 'gauge'],
  ['unreadable_total', 'counter'],
  ['workers_by_reason', 'gauge'],
  ['crash_looping_workers', 'gauge'],
  ['starting_oldest_seconds', 'gauge'],
  ['start_failures_total', 'counter'],
  ['loop_quiet_seconds', 'gauge'],
  ['loop_quiet_limit_seconds', 'gauge'],
  ['redis_memory_bytes', 'gauge'],
  ['redis_evicted_keys_total', 'counter'],
  ['image_disk_bytes', 'gauge'],
  ['task_oldest_seconds', 'gauge'],
  ['task_wait_seconds', 'histogram'],
  ['canary_runs_total', 'counter'],
  ['canary_failing', 'gauge'],
  ['canary_duration_seconds', 'histogram'],
  ['build_info', 'gauge'],
  ['webhooks_total', 'counter'],
  ['webhook_attempt_duration_seconds', 'histogram'],
  ['webhooks_pending', 'gauge'],
  ['webhooks_oldest_seconds', 'gauge'],
  ['open_connections', 'gauge'],
  ['exec_total', 'counter'],
  ['exec_duration_seconds', 'histogram'],
  ['checkpoints', 'gauge'],
  ['checkpoint_bytes', 'gauge'],
  ['checkpoint_duration_seconds', 'histogram'],
];

test.each(CONTRACT)('%s is exposed as a %s with a help text', async (name, type) => {
  const text = await createMetrics({ processMetrics: false }).text();
  expect(text).toMatch(new RegExp(`^# HELP worker_manager_${name} [A-Z0-9].{20,}$`, 'm'));
  expect(text).toMatch(new RegExp(`^# TYPE worker_manager_${name} ${type}$`, 'm'));
});

test('nothing is exposed under our prefix that is not in the contract', async () => {
  const text = await createMetrics({ processMetrics: false }).text();
  const names = [...text.matchAll(/^# TYPE worker_manager_(\S+)/gm)].map(([, name]) => name);
  expect(names.sort()).toEqual(CONTRACT.map(([name]) => name).sort());
});

test('values appear with exactly the contract’s labels', async () => {
  const metrics = createMetrics({ version: '1.2.3', processMetrics: false });
  metrics.workers.set(3, { status: 'RUNNING', runtime: 'docker', agent_type: 'CUSTOM' });
  metrics.spawnDuration.observe(200, { phase: 'ready', runtime: 'process' });
  metrics.restarts.inc(2, { reason: 'OOMKilled' });
  metrics.commands.inc(1, { command: 'create', result: 'invalid_command' });
  metrics.runtimeCallDuration.observe(0.2, { runtime: 'docker', call: 'list', result: 'ok' });
  metrics.leader.set(1);
  const lines = (await metrics.text()).split('\n');
  for (const line of [
    'worker_manager_workers{status="RUNNING",runtime="docker",agent_type="CUSTOM"} 3',
    'worker_manager_spawn_duration_seconds_bucket{le="120",phase="ready",runtime="process"} 0',
    'worker_manager_spawn_duration_seconds_bucket{le="300",phase="ready",runtime="process"} 1',
    'worker_manager_restarts_total{reason="OOMKilled"} 2',
    'worker_manager_commands_total{command="create",result="invalid_command"} 1',
    'worker_manager_runtime_call_duration_seconds_count{runtime="docker",call="list",result="ok"} 1',
    'worker_manager_leader 1',
    `worker_manager_build_info{version="1.2.3",node="${process.version}"} 1`,
  ]) {
    expect(lines).toContain(line);
  }
});

test('a histogram that workers keep is passed on as it is', async () => {
  expect(TASK).toEqual(DURATION_BUCKETS);
  const metrics = createMetrics({ processMetrics: false });
  const buckets = TASK.map((end) => (end < 1 ? 0 : 2));
  metrics.taskDuration.set({ count: 3, sum: 2001.5, buckets }, { pool: 'text' });
  const told = async () => (await metrics.text()).match(/^worker_manager_task_duration_seconds_.*$/gm) ?? [];
  expect(await told()).toEqual([
    ...TASK.map(
      (end, at) => `worker_manager_task_duration_seconds_bucket{pool="text",le="${end}"} ${buckets[at]}`,
    ),
    'worker_manager_task_duration_seconds_bucket{pool="text",le="+Inf"} 3',
    'worker_manager_task_duration_seconds_sum{pool="text"} 2001.5',
    'worker_manager_task_duration_seconds_count{pool="text"} 3',
  ]);
  metrics.taskDuration.reset();
  expect(await told()).toEqual([]);
});

test('a counter that workers keep is passed on as it is', async () => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.tasksFinished.set(7, { pool: 'text', result: 'completed' });
  metrics.tasksFinished.set(2, { pool: 'text', result: 'timeout' });
  metrics.taskOomKills.set(1, { pool: 'text' });
  const lines = (await metrics.text()).split('\n');
  expect(lines).toContain('worker_manager_tasks_finished_total{pool="text",result="completed"} 7');
  expect(lines).toContain('worker_manager_tasks_finished_total{pool="text",result="timeout"} 2');
  expect(lines).toContain('worker_manager_task_oom_kills_total{pool="text"} 1');
  metrics.tasksFinished.reset();
  expect(await metrics.text()).not.toContain('result="completed"');
});

const promtool = spawnSync('promtool', ['--version']).status === 0;
// prom-client has gauges of its own that are named like counters.
test.skipIf(!promtool)(
  `Prometheus's own check finds nothing${promtool ? '' : ' (skipped: there is no promtool; Debian has it in the package prometheus)'}`,
  async () => {
    const metrics = createMetrics();
    metrics.workers.set(3, { status: 'RUNNING', runtime: 'docker', agent_type: 'TASK' });
    metrics.workersFailed.inc(1, { reason: 'CrashLoop' });
    metrics.workerCpu.set(0.5, { pool: 'text', runtime: 'docker', agent_type: 'TASK' });
    metrics.tasksFinished.set(7, { pool: 'text', result: 'completed' });
    metrics.taskDuration.set({ count: 1, sum: 1, buckets: TASK.map(() => 1) }, { pool: 'text' });
    metrics.redisMemory.set(1, { kind: 'used' });
    metrics.redisEvicted.set(1);
    metrics.canaryDuration.observe(1, { runtime: 'docker', step: 'ready' });
    metrics.spawnDuration.expose({ phase: 'ready', runtime: 'docker' });
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: await metrics.text(),
      encoding: 'utf8',
    });
    expect(`${stdout}${stderr}`).toBe('');
    expect(status).toBe(0);
  },
);

test('reasons on which alerts are based are exposed before they occur, because a series that begins at 1 has no increase', async () => {
  const lines = (await createMetrics({ processMetrics: false }).text()).split('\n');
  for (const name of ['workers_failed_total', 'restarts_total', 'start_failures_total'])
    expect(lines).toContain(`worker_manager_${name}{reason="StartDeadlineExceeded"} 0`);
  expect(lines).toContain('worker_manager_image_builds_total{result="failed"} 0');
  const metrics = createMetrics({ processMetrics: false });
  metrics.spawnDuration.expose({ phase: 'ready', runtime: 'process' });
  expect(await metrics.text()).toContain(
    'worker_manager_spawn_duration_seconds_count{phase="ready",runtime="process"} 0\n',
  );
});

test('reset takes back what is no longer there', async () => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.workers.set(1, { status: 'FAILED', runtime: 'docker', agent_type: 'CUSTOM' });
  metrics.workers.reset();
  metrics.workers.set(2, { status: 'RUNNING', runtime: 'docker', agent_type: 'CUSTOM' });
  const text = await metrics.text();
  expect(text).not.toContain('FAILED');
  expect(text).toContain('RUNNING');
});

test.each([
  ['a UUID', () => crypto.randomUUID()],
  ['an engine id', () => crypto.randomUUID().replaceAll('-', '').slice(0, 12)],
  ['a sentence', (n: number) => `The body ended after ${n} s.`],
  ['unlimited words', (n: number) => `Reason${n}`],
  ['a name of Object', () => '__proto__'],
])('label values are bounded: %s', async (_, value) => {
  const metrics = createMetrics({ processMetrics: false });
  for (let n = 0; n < 1000; n += 1) metrics.restarts.inc(1, { reason: value(n) });
  const series = [
    ...(await metrics.text()).matchAll(/^worker_manager_restarts_total\{reason="(.*)"\} (\d+)$/gm),
  ];
  expect(series.length).toBeLessThanOrEqual(51);
  expect(series.map(([, reason]) => reason)).toContain('other');
  expect(series.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(1000);
});

test('pools keep their names, also those that look like ids, and as many as there are', async () => {
  const metrics = createMetrics({ processMetrics: false });
  const names = [
    'a1b2c3d4e5',
    'facade42',
    'x'.repeat(63),
    ...Array.from({ length: 60 }, (_, n) => `pool-${n}`),
  ];
  for (const pool of names) {
    metrics.poolWorkers.set(1, { pool, state: 'desired' });
    metrics.tasks.set(2, { pool, state: 'queued' });
    metrics.taskDuration.set({ count: 1, sum: 1, buckets: [] }, { pool });
  }
  const text = await metrics.text();
  for (const name of ['pool_workers', 'tasks', 'task_duration_seconds_count']) {
    const series = text.matchAll(new RegExp(`^worker_manager_${name}\\{.*pool="(.*?)"`, 'gm'));
    expect([...series].map(([, pool]) => pool)).toEqual(names);
  }
});

test('two managers in one process share nothing', async () => {
  const [one, other] = [createMetrics({ processMetrics: false }), createMetrics({ processMetrics: false })];
  one.adopted.inc(5);
  expect(await one.text()).toContain('worker_manager_adopted_total 5');
  expect(await other.text()).toContain('worker_manager_adopted_total 0');
});

test('values collected before a scrape are in it, as are those of the process', async () => {
  const metrics = createMetrics();
  metrics.beforeScrape(() => metrics.workqueueDepth.set(7));
  const text = await metrics.text();
  expect(text).toContain('worker_manager_workqueue_depth 7');
  expect(text).toMatch(/^process_cpu_seconds_total /m);
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
  expect(metrics.contentType).toContain('text/plain');
});
