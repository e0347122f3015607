/**
 * The SDK: a manager's workers, tasks and pools for programs in TypeScript and JavaScript.
 *
 * `connect` uses the HTTP API and needs only `fetch`: it imports neither Node's modules nor packages that need them.
 * `fromRedis` gives the same objects over Redis alone, and loads its client when it is called.
 */
export type { CheckpointCollection } from './checkpoints.ts';
export type { CommandOptions } from './command-request.ts';
export type { CommandCollection, CommandHandle, CommandResult } from './commands.ts';
export { type ConnectOptions, connect } from './connect.ts';
export type { WriteFileOptions } from './door-transports.ts';
export type { ReadOptions } from './entries.ts';
export { ManagerError, TaskFailed, TurnFailed } from './errors.ts';
export type { FileCollection, FileData, FilePath, FileRange, WatchHandle, WatchOptions } from './files.ts';
export { type FromRedisOptions, fromRedis } from './from-redis.ts';
export type { ManagerConnection } from './manager.ts';
export type { PagedList } from './paged-list.ts';
export type { PoolCollection } from './pools.ts';
export type { ChangeOptions, PageOptions, RequestOptions } from './request-options.ts';
export type { PendingTask, TaskCollection, TaskHandle } from './tasks.ts';
export type {
  TerminalCollection,
  TerminalHandle,
  TerminalOptions,
  ViewOptions,
  WindowSize,
} from './terminals.ts';
export type { PendingTurn, TurnHandle } from './turn.ts';
export type * from './types.ts';
export type { WorkerHandle } from './worker.ts';
export type { ForkOptions, SendOptions, WaitOptions } from './worker-options.ts';
export type { WorkerCollection } from './workers.ts';
