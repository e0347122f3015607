/** The panels of the Grafana dashboard that show the manager itself and what it depends on. */
import { type DashboardSection, latest, M, quantiles, rate, value } from './dashboard-queries.ts';

export const MANAGER_SECTIONS: DashboardSection[] = [
  {
    title: 'The loop',
    panels: [
      {
        title: 'Reconciles',
        about: 'Reconciles a second, by result.',
        unit: 'ops',
        queries: [
          rate('reconcile_total', 'result', '{{result}}'),
          rate('reconcile_errors_total', 'job', 'errors'),
        ],
      },
      {
        title: 'Reconcile duration',
        about: 'Duration of a reconcile, and of a full list.',
        unit: 's',
        queries: [
          ...quantiles('reconcile_duration_seconds'),
          ...quantiles('resync_duration_seconds')
            .slice(1)
            .map(({ expr }) => ({ expr, legend: 'p95 of full lists' })),
        ],
      },
      {
        title: 'Queue',
        about: 'Workers that wait for a reconcile.',
        unit: 'short',
        queries: [latest('workqueue_depth', 'depth')],
      },
      {
        title: 'Waiting and blocked',
        about:
          'Age of the oldest entry of the queue, time since the last activity, and time for which the main loop is blocked.',
        unit: 's',
        queries: [
          latest('workqueue_oldest_seconds', 'oldest entry'),
          latest('loop_quiet_seconds', 'quiet'),
          latest('loop_blocked_seconds', 'blocked'),
        ],
      },
      {
        title: 'Commands',
        about: 'Commands a second, by name and result.',
        unit: 'ops',
        queries: [rate('commands_total', 'command, result', '{{command}} {{result}}')],
      },
      {
        title: 'Command lag',
        about: 'Time from writing a command to its answer.',
        unit: 's',
        queries: quantiles('command_lag_seconds'),
      },
      {
        title: 'Bodies without a record',
        about:
          'Orphans that were removed, bodies of an earlier manager that were adopted, and whether removals are suspended.',
        unit: 'short',
        queries: [
          value('orphans_removed_total', 'job', 'removed'),
          value('adopted_total', 'job', 'adopted'),
          latest('removal_breaker_open', 'breaker open'),
        ],
      },
      {
        title: 'Denied and unreadable',
        about:
          "Agents' commands that were denied, and heartbeats and labels that could not be parsed, a second.",
        unit: 'ops',
        queries: [
          rate('permission_denied_total', 'agent_type', 'denied {{agent_type}}'),
          rate('unreadable_total', 'kind', 'unreadable {{kind}}'),
        ],
      },
    ],
  },
  {
    title: 'Redis, engines and images',
    panels: [
      {
        title: 'Memory of Redis',
        about: 'Used memory and maxmemory; keys that were evicted must be 0.',
        unit: 'bytes',
        queries: [{ expr: `max by (kind) (${M}redis_memory_bytes{job="$job"})`, legend: '{{kind}}' }],
      },
      {
        title: 'Hazards of Redis',
        about: '1 if Redis may lose data for this reason; keys that it has evicted.',
        unit: 'short',
        queries: [
          { expr: `max by (hazard) (${M}redis_hazard{job="$job"})`, legend: '{{hazard}}' },
          latest('redis_evicted_keys_total', 'evicted keys'),
        ],
      },
      {
        title: 'Calls to runtimes',
        about: 'Calls a second.',
        unit: 'ops',
        queries: [
          rate(
            'runtime_call_duration_seconds_count',
            'runtime, call, result',
            '{{runtime}} {{call}} {{result}}',
          ),
        ],
      },
      {
        title: 'Duration of calls',
        about: 'Duration of calls (95th percentile).',
        unit: 's',
        queries: quantiles('runtime_call_duration_seconds', 'runtime, call').slice(1),
      },
      {
        title: 'Builds',
        about: 'Builds of images, and workers whose image existed.',
        unit: 'short',
        queries: [
          value('image_builds_total', 'result', '{{result}}'),
          value('image_cache_hits_total', 'job', 'not necessary'),
        ],
      },
      {
        title: 'Build duration',
        about: 'Duration of builds.',
        unit: 's',
        queries: quantiles('image_build_duration_seconds'),
      },
      {
        title: 'Images',
        about: 'Images of workers, and those that were removed.',
        unit: 'short',
        queries: [latest('images', 'images'), value('image_gc_removed_total', 'job', 'removed')],
      },
      {
        title: 'Disk',
        about: "Size of images, and free bytes of the engine's disk; below the watermark nothing is built.",
        unit: 'bytes',
        queries: [
          latest('image_bytes', 'images'),
          { expr: `min by (kind) (${M}image_disk_bytes{job="$job"})`, legend: '{{kind}}' },
        ],
      },
    ],
  },
  {
    title: 'Canary and process',
    panels: [
      {
        title: 'Canary',
        about: 'Time from the create of a canary to the end of each step (95th percentile).',
        unit: 's',
        queries: quantiles('canary_duration_seconds', 'runtime, step').slice(1),
      },
      {
        title: 'Runs of the canary',
        about: 'Runs by result.',
        unit: 'short',
        queries: [value('canary_runs_total', 'runtime, result', '{{runtime}} {{result}}')],
      },
      {
        title: 'CPU of the managers',
        about: 'Cores.',
        unit: 'short',
        queries: [
          {
            expr: `sum by (instance) (rate(process_cpu_seconds_total{job="$job"}[$__rate_interval]))`,
            legend: '{{instance}}',
          },
        ],
      },
      {
        title: 'Memory of the managers',
        about: 'Resident memory.',
        unit: 'bytes',
        queries: [
          { expr: 'max by (instance) (process_resident_memory_bytes{job="$job"})', legend: '{{instance}}' },
        ],
      },
      {
        title: 'Event loop',
        about: 'Delay of the event loop (99th percentile).',
        unit: 's',
        queries: [
          {
            expr: 'max by (instance) (nodejs_eventloop_lag_p99_seconds{job="$job"})',
            legend: '{{instance}}',
          },
        ],
      },
      {
        title: 'Versions',
        about: 'Versions of the running managers.',
        unit: 'short',
        queries: [
          {
            expr: `sum by (version, node) (${M}build_info{job="$job"})`,
            legend: '{{version}} on Node {{node}}',
          },
        ],
      },
    ],
  },
];
