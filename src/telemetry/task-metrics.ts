import type { AgentType } from '../model/index.ts';
import type { Instruments } from './instruments.ts';

/** The buckets that workers use (src/tasks/durations.ts); a test compares the two. */
export const TASK = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** The workers that a sum covers. `pool` is empty for workers without a pool. */
interface Workers {
  pool: string;
  runtime: string;
  agent_type: AgentType;
}
const WORKERS = ['pool', 'runtime', 'agent_type'] as const;

/** Metrics of pools, their workers, their tasks and manually started nodes; all are recomputed for each scrape. */
export function taskMetrics({ gauge, totalsHistogram, totalsCounter }: Instruments) {
  return {
    poolWorkers: gauge<{ pool: string; state: string }>(
      'pool_workers',
      'Number of workers of a pool: the desired number, and the actual numbers by state.',
      ['pool', 'state'],
      ['pool'],
    ),
    nodes: gauge<{ pool: string; state: string }>(
      'nodes',
      'Number of manually started worker nodes, by state: idle, busy, paused, starting or draining.',
      ['pool', 'state'],
      ['pool'],
    ),
    workerCpu: gauge<Workers>(
      'worker_cpu_cores',
      'CPU cores used by running workers between the last two checks, summed.',
      WORKERS,
      ['pool'],
    ),
    workerMemory: gauge<Workers>(
      'worker_memory_bytes',
      'Memory used by running workers at the last check, summed.',
      WORKERS,
      ['pool'],
    ),
    workspaceBytes: gauge<Workers>(
      'workspace_bytes',
      'Bytes on disk of the workspaces of running workers at the last check, summed.',
      WORKERS,
      ['pool'],
    ),
    tasks: gauge<{ pool: string; state: string }>(
      'tasks',
      'Number of waiting and running tasks of a pool.',
      ['pool', 'state'],
      ['pool'],
    ),
    oldestTask: gauge<{ pool: string }>(
      'task_oldest_seconds',
      'Time that the oldest task of a pool has waited for its first start; 0 if none waits.',
      ['pool'],
      ['pool'],
    ),
    tasksFinished: totalsCounter<{ pool: string; result: string }>(
      'tasks_finished_total',
      'Number of ended tasks, by result: completed, failed (an error of the handler), timeout, cancelled, lost (its workers died) or unreadable.',
      ['pool'],
    ),
    taskOomKills: totalsCounter<{ pool: string }>(
      'task_oom_kills_total',
      "Number of tasks' functions and commands that the kernel killed because memory ran out.",
      ['pool'],
    ),
    taskWait: totalsHistogram<{ pool: string }>(
      'task_wait_seconds',
      'Time from the submission of a task to its first start, by the clocks of the submitter and the worker.',
      TASK,
      ['pool'],
    ),
    taskDuration: totalsHistogram<{ pool: string }>(
      'task_duration_seconds',
      'Duration of attempts of tasks, as reported by the workers of the pool.',
      TASK,
      ['pool'],
    ),
  };
}
