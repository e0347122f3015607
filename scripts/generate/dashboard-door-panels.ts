/** The panels of the Grafana dashboard that show the ways into the manager and its workers, checkpoints and webhooks. */
import { type DashboardSection, latest, M, quantiles, rate, value } from './dashboard-queries.ts';

export const DOOR_SECTIONS: DashboardSection[] = [
  {
    title: 'HTTP and doors',
    panels: [
      {
        title: 'Requests',
        about:
          'Requests that the API has answered, a second, by status, and those refused before they reached it.',
        unit: 'ops',
        queries: [
          rate('http_requests_total', 'status', '{{status}}'),
          rate('http_refused_total', 'job', 'refused'),
        ],
      },
      {
        title: 'Failed requests',
        about:
          'Requests with an error, a second. 5xx is the fault of the manager, except for ports of workers.',
        unit: 'ops',
        queries: [
          rate(
            'http_requests_total',
            'route, method, status',
            '{{method}} {{route}} {{status}}',
            'status=~"[45].."',
          ),
        ],
      },
      {
        title: 'Request duration',
        about:
          'Time to the end of a response, by route (95th percentile). Requests may wait or run a command.',
        unit: 's',
        queries: quantiles('http_request_duration_seconds', 'route').slice(1),
      },
      {
        title: 'Open connections',
        about: 'Open requests to and connections with the bodies of workers, by what they are for.',
        unit: 'short',
        queries: [value('open_connections', 'kind', '{{kind}}')],
      },
      {
        title: 'Commands in workers',
        about:
          'Commands that clients run in workers, a second, by result; error is one that was cut or not started.',
        unit: 'ops',
        queries: [rate('exec_total', 'result', '{{result}}')],
      },
      {
        title: 'Duration of commands',
        about: 'Duration of commands that a client has waited for.',
        unit: 's',
        queries: quantiles('exec_duration_seconds'),
      },
      {
        title: 'Workspaces',
        about: 'Bytes on disk of the workspaces of running workers.',
        unit: 'bytes',
        queries: [
          value('workspace_bytes', 'pool, runtime, agent_type', '{{pool}} {{runtime}} {{agent_type}}'),
        ],
      },
      {
        title: 'Full workspaces',
        about: 'Running workers whose workspace is over its limit.',
        unit: 'short',
        queries: [value('workers_by_reason', 'reason', 'full', 'reason="WorkspaceFull"')],
      },
    ],
  },
  {
    title: 'Checkpoints',
    panels: [
      {
        title: 'Checkpoints',
        about: 'Stored checkpoints of the cell.',
        unit: 'short',
        queries: [latest('checkpoints', 'checkpoints')],
      },
      {
        title: 'Size of checkpoints',
        about: 'Bytes of all of them; CHECKPOINT_BUDGET limits these.',
        unit: 'bytes',
        queries: [latest('checkpoint_bytes', 'checkpoints')],
      },
      {
        title: 'Saves and restores',
        about: 'Checkpoints that were saved, restored or failed, a second.',
        unit: 'ops',
        queries: [rate('checkpoint_duration_seconds_count', 'op', '{{op}}')],
      },
      {
        title: 'Duration of checkpoints',
        about: 'Duration of saves and restores (95th percentile).',
        unit: 's',
        queries: quantiles('checkpoint_duration_seconds', 'op').slice(1),
      },
    ],
  },
  {
    title: 'Webhooks',
    panels: [
      {
        title: 'Messages',
        about: 'Messages that were delivered, given up or dropped, a second. Only the first is good.',
        unit: 'ops',
        queries: [rate('webhooks_total', 'source, result', '{{source}} {{result}}')],
      },
      {
        title: 'Waiting messages',
        about: 'Messages that wait for URLs of WEBHOOK_URLS (setting) and of workers.',
        unit: 'short',
        queries: [{ expr: `max by (source) (${M}webhooks_pending{job="$job"})`, legend: '{{source}}' }],
      },
      {
        title: 'Oldest message',
        about: 'Age of the oldest message that waits.',
        unit: 's',
        queries: [
          { expr: `max by (source) (${M}webhooks_oldest_seconds{job="$job"})`, legend: '{{source}}' },
        ],
      },
      {
        title: 'Attempts',
        about: 'Duration of attempts to deliver a message (95th percentile).',
        unit: 's',
        queries: quantiles('webhook_attempt_duration_seconds', 'result').slice(1),
      },
    ],
  },
];
