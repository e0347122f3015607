/** The panels of the Grafana dashboard: the one source of its JSON and of the test that runs its queries. */
import { DOOR_SECTIONS } from './dashboard-door-panels.ts';
import { MANAGER_SECTIONS } from './dashboard-manager-panels.ts';
import { type DashboardSection, latest, M, quantiles, rate, value } from './dashboard-queries.ts';

export const DASHBOARD: DashboardSection[] = [
  {
    title: 'Overview',
    panels: [
      {
        title: 'Leaders',
        about: '1, or nothing is started and removed.',
        unit: 'short',
        kind: 'stat',
        queries: [value('leader', '', '')],
      },
      {
        title: 'Redis',
        about: '1 if the leader reaches Redis.',
        unit: 'bool',
        kind: 'stat',
        queries: [latest('redis_up')],
      },
      {
        title: 'Runtimes',
        about: '1 if the runtime answers.',
        unit: 'bool',
        kind: 'stat',
        queries: [{ expr: `max by (runtime) (${M}runtime_up{job="$job"})`, legend: '{{runtime}}' }],
      },
      {
        title: 'Running',
        about: 'Workers that are RUNNING.',
        unit: 'short',
        kind: 'stat',
        queries: [value('workers', '', '', 'status="RUNNING"')],
      },
      {
        title: 'Crash loops',
        about: 'Workers that fail again and again.',
        unit: 'short',
        kind: 'stat',
        queries: [latest('crash_looping_workers')],
      },
      {
        title: 'Create errors, 1 h',
        about: 'Share of creates that were not RUNNING within 30 s; the budget is 1 %.',
        unit: 'percentunit',
        kind: 'stat',
        queries: [{ expr: 'worker_manager:create_errors:ratio_rate1h{job="$job"}', legend: '' }],
      },
      {
        title: 'Task start errors, 1 h',
        about: 'Share of tasks that did not start within 30 s; the budget is 1 %.',
        unit: 'percentunit',
        kind: 'stat',
        queries: [{ expr: 'worker_manager:task_start_errors:ratio_rate1h{job="$job"}', legend: '' }],
      },
      {
        title: 'Canary',
        about: '1 if the last canary failed; no value if CANARY_SECONDS is off.',
        unit: 'bool',
        kind: 'stat',
        queries: [{ expr: `max by (runtime) (${M}canary_failing{job="$job"})`, legend: '{{runtime}}' }],
      },
    ],
  },
  {
    title: 'Workers',
    panels: [
      {
        title: 'Workers by status',
        about: 'Observed status of all workers.',
        unit: 'short',
        queries: [
          value('workers', 'status, runtime', '{{status}} {{runtime}}'),
          latest('desired_workers', 'desired'),
        ],
      },
      {
        title: 'Workers by reason',
        about: 'Reasons in the statuses of workers: what they wait for, or how they ended.',
        unit: 'short',
        queries: [value('workers_by_reason', 'status, reason', '{{status}} {{reason}}')],
      },
      {
        title: 'Time to each phase',
        about: 'Time from a create to each phase of its first body (95th percentile).',
        unit: 's',
        queries: quantiles('spawn_duration_seconds', 'phase, runtime').slice(1),
      },
      {
        title: 'Oldest start',
        about: 'Since when the oldest worker has been STARTING, by phase.',
        unit: 's',
        queries: [
          { expr: `max by (phase) (${M}starting_oldest_seconds{job="$job"})`, legend: '{{phase}}' },
          value('queued_workers', 'runtime', 'workers queued on {{runtime}}'),
        ],
      },
      {
        title: 'Restarts and failures',
        about:
          'Bodies that were replaced, workers that failed for good, and first bodies that were never ready, a second.',
        unit: 'ops',
        queries: [
          rate('restarts_total', 'reason', 'restart {{reason}}'),
          rate('workers_failed_total', 'reason', 'failed {{reason}}'),
          rate('start_failures_total', 'reason', 'not started {{reason}}'),
          rate('oom_kills_total', 'job', 'OOM kills'),
        ],
      },
      {
        title: 'Heartbeat age',
        about: 'Age of the heartbeats of running workers; they are renewed every 5 s.',
        unit: 's',
        queries: quantiles('heartbeat_age_seconds'),
      },
      {
        title: 'CPU',
        about: 'Cores that running workers use.',
        unit: 'short',
        queries: [
          value('worker_cpu_cores', 'pool, runtime, agent_type', '{{pool}} {{runtime}} {{agent_type}}'),
        ],
      },
      {
        title: 'Memory',
        about: 'Memory that running workers use.',
        unit: 'bytes',
        queries: [
          value('worker_memory_bytes', 'pool, runtime, agent_type', '{{pool}} {{runtime}} {{agent_type}}'),
        ],
      },
    ],
  },
  {
    title: 'Pools and tasks',
    panels: [
      {
        title: 'Workers of pools',
        about: 'Desired and actual workers.',
        unit: 'short',
        queries: [
          value('pool_workers', 'pool, state', '{{pool}} {{state}}'),
          value('nodes', 'pool, state', '{{pool}} node {{state}}'),
        ],
      },
      {
        title: 'Tasks',
        about: 'Tasks that wait and run.',
        unit: 'short',
        queries: [value('tasks', 'pool, state', '{{pool}} {{state}}')],
      },
      {
        title: 'Ended tasks',
        about: 'Tasks that ended, a second, and functions that the kernel killed.',
        unit: 'ops',
        queries: [
          rate('tasks_finished_total', 'pool, result', '{{pool}} {{result}}'),
          rate('task_oom_kills_total', 'pool', '{{pool}} OOM kills'),
        ],
      },
      {
        title: 'Oldest task',
        about: 'How long the oldest task has waited for its first start.',
        unit: 's',
        queries: [{ expr: `max by (pool) (${M}task_oldest_seconds{job="$job"})`, legend: '{{pool}}' }],
      },
      {
        title: 'Wait',
        about: 'Time from submission to the first start.',
        unit: 's',
        queries: quantiles('task_wait_seconds', 'pool'),
      },
      {
        title: 'Duration',
        about: 'Duration of attempts.',
        unit: 's',
        queries: quantiles('task_duration_seconds', 'pool'),
      },
    ],
  },
  ...DOOR_SECTIONS,
  ...MANAGER_SECTIONS,
];
