export type {
  ActiveTaskInfo,
  ConsumerSettings,
  ConsumerTotals,
  RunningTask,
  RunTask,
  TaskConsumer,
  TaskControls,
} from './consumer.ts';
export { openTasks } from './open-tasks.ts';
export { openConsumer } from './pool-consumer.ts';
export { QueueFull } from './queue-errors.ts';
export type { QueueSettings, TaskQueue, TaskStoreAddress, Tasks } from './tasks.ts';
