import { readBoundedJson } from '../../model/values/json-depth.ts';
import type { TaskLink } from '../connect.ts';
import type { QueueKeys } from '../queue-keys.ts';
import type { ActiveTask } from './active-task.ts';

/** More frequent reports of a handler are reduced to the last one. */
const INTERVAL_MS = 250;
/** Progress whose JSON is longer than this, in characters, is dropped. */
const LIMIT = 65_536;

interface ProgressState {
  text: string | undefined;
  clock: NodeJS.Timeout | undefined;
  sent: Promise<unknown>;
}

/**
 * Stores the progress of attempts in Redis: immediately, then at intervals. The last report is always stored,
 * before the result.
 */
export class ProgressReporter {
  readonly #redis: TaskLink;
  readonly #queueKeys: QueueKeys;
  readonly #states = new Map<ActiveTask, ProgressState>();

  constructor(redis: TaskLink, queueKeys: QueueKeys) {
    this.#redis = redis;
    this.#queueKeys = queueKeys;
  }

  reporterFor(activeTask: ActiveTask): (value: unknown) => void {
    return (value) => {
      const text = toText(value);
      if (text === undefined) return;
      const progress = this.#states.get(activeTask) ?? { text, clock: undefined, sent: Promise.resolve() };
      progress.text = text;
      this.#states.set(activeTask, progress);
      if (!progress.clock) this.#send(activeTask, progress);
    };
  }

  /** Resolves when the last report is stored; immediately if there was none. */
  async last(activeTask: ActiveTask): Promise<void> {
    const progress = this.#states.get(activeTask);
    if (!progress) return;
    this.#states.delete(activeTask);
    clearTimeout(progress.clock);
    if (progress.text !== undefined) this.#send(activeTask, progress);
    clearTimeout(progress.clock);
    await progress.sent;
  }

  #send(activeTask: ActiveTask, progress: ProgressState): void {
    const { text } = progress;
    if (text === undefined) return;
    progress.text = undefined;
    progress.sent = this.#redis
      .taskProgress(this.#queueKeys.base + activeTask.jobId, activeTask.token, text)
      .catch(() => {});
    progress.clock = setTimeout(() => {
      progress.clock = undefined;
      this.#send(activeTask, progress);
    }, INTERVAL_MS);
  }
}

function toText(value: unknown): string | undefined {
  try {
    const text = JSON.stringify(value ?? null);
    return text !== undefined && text.length <= LIMIT && readBoundedJson(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
