import type { AgentType } from '../model/index.ts';
import type { instruments } from './instruments.ts';

/** As workers count them (src/tasks/durations.ts); a test holds the two against each other. */
export const TASK = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** Whose workers a sum is of. `pool` is empty for workers of no pool. */
interface Workers {
  pool: string;
  runtime: string;
  agent_type: AgentType;
}
const WORKERS = ['pool', 'runtime', 'agent_type'] as const;

/** Metrics of pools, their workers, their tasks and the nodes that were started by hand; each is set anew for each scrape. */
export function taskMetrics({ gauge, told, toldCounter }: ReturnType<typeof instruments>) {
  return {
    poolWorkers: gauge<{ pool: string; state: string }>(
      'pool_workers',
      'Workers of a pool: how many there should be, and how many there are, by what they do.',
      ['pool', 'state'],
      ['pool'],
    ),
    nodes: gauge<{ pool: string; state: string }>(
      'nodes',
      'Worker nodes that were started by hand, by what they do: idle, busy, paused, starting or draining.',
      ['pool', 'state'],
      ['pool'],
    ),
    workerCpu: gauge<Workers>(
      'worker_cpu_cores',
      'CPU cores that running workers used between the last two checks, summed.',
      WORKERS,
      ['pool'],
    ),
    workerMemory: gauge<Workers>(
      'worker_memory_bytes',
      'Memory that running workers used at the last check, summed.',
      WORKERS,
      ['pool'],
    ),
    tasks: gauge<{ pool: string; state: string }>(
      'tasks',
      'Tasks of a pool that wait and that run.',
      ['pool', 'state'],
      ['pool'],
    ),
    tasksFinished: toldCounter<{ pool: string; result: string }>(
      'tasks_finished_total',
      'Tasks that ended, by result: completed, failed (an error of the handler), timeout, cancelled, lost (its workers died) or unreadable.',
      ['pool'],
    ),
    taskOomKills: toldCounter<{ pool: string }>(
      'task_oom_kills_total',
      'Functions and commands of tasks that the kernel killed because memory ran out.',
      ['pool'],
    ),
    taskDuration: told<{ pool: string }>(
      'task_duration_seconds',
      'Time that attempts of tasks took, as the workers of the pool have told it.',
      TASK,
      ['pool'],
    ),
  };
}
