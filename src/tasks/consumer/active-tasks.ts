import { formatInstant } from '../../model/values/units.ts';
import { type ActiveTask, getAttempt, getTaskId } from './active-task.ts';
import type { Attempt } from './attempt.ts';
import type { ActiveTaskInfo } from './consumer.ts';

/** The tasks whose locks this worker holds. */
export class ActiveTasks {
  readonly #byJob = new Map<string, ActiveTask>();
  #emptyWaiters: (() => void)[] = [];
  /** Held tasks whose attempt is over and whose result is being stored. They occupy no slot. */
  settling = 0;

  /** By BullMQ's ID of the job. */
  get byJob(): ReadonlyMap<string, ActiveTask> {
    return this.#byJob;
  }

  get size(): number {
    return this.#byJob.size;
  }

  /** Number of tasks that occupy a slot. */
  get inSlots(): number {
    return this.#byJob.size - this.settling;
  }

  add(activeTask: ActiveTask): void {
    this.#byJob.set(activeTask.jobId, activeTask);
  }

  /** This worker may have taken the task again meanwhile: that is another active task. */
  forget(activeTask: ActiveTask): void {
    if (this.#byJob.get(activeTask.jobId) === activeTask) this.#byJob.delete(activeTask.jobId);
  }

  attempts(): Attempt[] {
    return [...this.#byJob.values()].flatMap(({ attempt }) => attempt ?? []);
  }

  /** The attempts that are under way. */
  running(): ActiveTaskInfo[] {
    return [...this.#byJob.values()].flatMap((activeTask) => {
      if (!activeTask.attempt) return [];
      const started_at = formatInstant(activeTask.attempt.startedAt);
      return { task_id: getTaskId(activeTask), attempt: getAttempt(activeTask), started_at };
    });
  }

  /** Resolves when no task is held. */
  async emptied(): Promise<void> {
    while (this.#byJob.size > 0) await new Promise<void>((resolve) => this.#emptyWaiters.push(resolve));
  }

  /** Resolves those that wait for it to be empty, if it is. */
  resolveIfEmpty(): void {
    if (this.#byJob.size === 0) for (const resolve of this.#emptyWaiters.splice(0)) resolve();
  }
}
