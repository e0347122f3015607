export type {
  ActiveTask,
  ConsumerSettings,
  ConsumerTotals,
  RunningTask,
  RunTask,
  TaskConsumer,
  TaskHands,
} from './consumer.ts';
export { openTasks } from './open-tasks.ts';
export { openConsumer } from './pool-consumer.ts';
export type { QueueSettings, TaskPlace, TaskQueue, Tasks } from './tasks.ts';
export { QueueFull } from './trouble.ts';
