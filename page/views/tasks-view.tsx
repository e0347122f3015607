/** The tasks of all pools: running, queued in their order, and ended ones, newest first. */
import { useState } from 'preact/hooks';
import type { TaskInfo } from '../../src/client/types.ts';
import { usePoll } from '../live/poll.ts';
import { api } from '../live/session.ts';
import { useStore } from '../live/store.ts';
import { perform, useCell } from '../model.ts';
import { Code, Empty, Foreign, Problem, useNow } from '../parts/basics.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { formatDuration, formatTimeSince } from '../parts/text.ts';
import { replaceQuery, toHref, useRoute } from '../router.ts';

const EVERY_MS = 2000;
const PAGE = 200;
const STATUSES = ['queued', 'running', 'completed', 'failed'] as const;
type TaskStatus = (typeof STATUSES)[number];

export function TasksView() {
  const { pools: history } = useCell();
  const { pools } = useStore(history.now);
  const { query } = useRoute();
  const status = STATUSES.find((one) => one === query.get('status'));
  const pool = query.get('pool') ?? '';
  const now = useNow();
  const [shown, setShown] = useState<TaskInfo>();
  const filter = { ...(status && { status }), ...(pool && { pool }) };
  const { value, error, refresh } = usePoll(`tasks ${pool} ${status}`, EVERY_MS, (signal) =>
    api.listTasks(filter, { limit: PAGE, signal }),
  );
  const act = async (done: string, run: () => Promise<unknown>) => {
    await perform(done, run);
    refresh();
  };
  return (
    <section class="view" aria-labelledby="view-title">
      <div class="view-head">
        <h1 id="view-title">Tasks</h1>
      </div>
      <div class="toolbar">
        <select
          aria-label="Pool"
          value={pool}
          onChange={({ currentTarget }) => replaceQuery({ pool: currentTarget.value })}
        >
          <option value="">All pools</option>
          {pools.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <fieldset class="chips">
          <legend class="hidden">Status</legend>
          {[undefined, ...STATUSES].map((one) => (
            <button
              key={one ?? 'all'}
              type="button"
              aria-pressed={status === one}
              onClick={() => replaceQuery({ status: one ?? '' })}
            >
              {one ?? 'All'}
            </button>
          ))}
        </fieldset>
      </div>
      <Problem text={error} />
      {value?.items.length === 0 && <Empty>No tasks.</Empty>}
      {value && value.items.length > 0 && (
        <div class="scroll-x">
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">Task</th>
                <th scope="col">Status</th>
                <th scope="col">Pool</th>
                <th scope="col">Priority</th>
                <th scope="col" class="number">
                  Attempts
                </th>
                <th scope="col" class="number">
                  Queued
                </th>
                <th scope="col" class="number">
                  Ran for
                </th>
                <th scope="col">Worker</th>
                <th scope="col">Error</th>
                <th scope="col">
                  <span class="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {value.items.map((task) => (
                <tr key={`${task.pool} ${task.task_id}`}>
                  <td>
                    <button type="button" class="link" onClick={() => setShown(task)}>
                      <Foreign text={task.task_id} />
                    </button>
                  </td>
                  <td>
                    <TaskState task={task} />
                  </td>
                  <td>
                    <Foreign text={task.pool} />
                  </td>
                  <td>{task.priority}</td>
                  <td class="number">
                    {task.attempts} of {task.max_retries + 1}
                  </td>
                  <td class="number">{formatTimeSince(task.queued_at, now)} ago</td>
                  <td class="number">{toDuration(task, now)}</td>
                  <td>
                    {task.worker_id && (
                      <a href={toHref('workers', task.worker_id)}>{task.worker_id.slice(0, 8)}</a>
                    )}
                  </td>
                  <td>
                    <Foreign text={(task.error_message ?? '').slice(0, 200)} />
                  </td>
                  <td>
                    {(task.status === 'queued' || task.status === 'running') && (
                      <button
                        type="button"
                        onClick={() =>
                          act(`Cancelled ${task.task_id}.`, () =>
                            api.cancelTask(task.task_id, { pool: task.pool }, {}),
                          )
                        }
                      >
                        Cancel
                      </button>
                    )}
                    {task.status === 'failed' && (
                      <button
                        type="button"
                        onClick={() =>
                          act(`Queued ${task.task_id} again.`, () =>
                            api.retryTask(task.task_id, task.pool, {}),
                          )
                        }
                      >
                        Retry
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {value?.next_cursor && <p class="dim">The first {value.items.length} tasks are shown.</p>}
      {shown && <TaskDialog task={shown} onClose={() => setShown(undefined)} />}
    </section>
  );
}

function TaskState({ task: { status, cancelled } }: { task: TaskInfo }) {
  const shape: Record<TaskStatus, string> = {
    queued: 'stopped',
    running: 'starting',
    completed: 'running',
    failed: 'failed',
  };
  return (
    <span class={`status status-${shape[status]}`}>
      <span class="shape" aria-hidden="true" />
      {cancelled ? 'cancelled' : status}
    </span>
  );
}

function toDuration({ started_at, completed_at }: TaskInfo, now: number): string {
  if (!started_at) return '';
  return formatDuration((completed_at ? Date.parse(completed_at) : now) - Date.parse(started_at));
}

/** Everything about a task: the list leaves out long results. */
function TaskDialog({ task, onClose }: { task: TaskInfo; onClose: () => void }) {
  const { value, error } = usePoll(`task ${task.pool} ${task.task_id}`, EVERY_MS, (signal) =>
    api.getTask(task.task_id, task.pool, { signal }),
  );
  return (
    <Dialog title={`Task ${task.task_id}`} onClose={onClose}>
      <Problem text={error} />
      <Code value={value ?? task} label="Task" />
      <div class="buttons">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
