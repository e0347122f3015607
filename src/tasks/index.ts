/**
 * The queue of tasks, on BullMQ: submission, results, counts, and the consumer that workers use to take
 * tasks.
 *
 * Invariant: an accepted task ends with a result, or is given to another worker. Must not import the store,
 * the runtimes or the loop: a worker carries this folder in its bundle.
 */
export type {
  ActiveTaskInfo,
  ConsumerSettings,
  ConsumerTotals,
  RunningTask,
  RunTask,
  TaskConsumer,
  TaskControls,
} from './consumer/consumer.ts';
export { openConsumer } from './consumer/pool-consumer.ts';
export { openTasks } from './list/open-tasks.ts';
export { QueueFull } from './queue-errors.ts';
export type { QueueSettings, TaskQueue, TaskStoreAddress, Tasks } from './tasks.ts';
