/**
 * The data in Redis, and the only access to it: keys, records, streams and the Lua scripts that change them.
 *
 * Every write includes the leader's epoch, and the script rejects an old one (`Fenced`). It also rejects a
 * decision that is based on an older record (`conflict`). Must not import the loop, the commands or a
 * runtime.
 */

export { type Finding, Findings, readFindings } from './checks/findings.ts';
export { findHazards, type Hazard, type RedisFacts, readRedisFacts } from './checks/hazards.ts';
export { readRedisMemory } from './checks/memory.ts';
export type { IndexState, StoreRepair } from './checks/repair.ts';
export { findRefusedCommands } from './checks/write-probes.ts';
export { connectBlocking, connectCommands, type Link } from './connect.ts';
export { readFormat } from './identity.ts';
export { type ImageEntry, ImageUsage } from './image-usage.ts';
export { COMMAND_GROUP, getKeys, type Keys } from './keys.ts';
export { redisLeaseStore } from './lease-store.ts';
export { type PoolEvent, type PoolRead, PoolStore } from './pools/pool-store.ts';
export { Fenced } from './reply.ts';
export { Store } from './store.ts';
export { type CommandClient, createCommandClient } from './streams/command-client.ts';
export type { CommandEntry } from './streams/command-reader.ts';
export {
  type CommandOutcome,
  type CommandSettlement,
  CommandStream,
  type WarmCandidate,
} from './streams/command-stream.ts';
export { readGoalObservation } from './streams/goal-observation.ts';
export { watchSignals } from './streams/signals.ts';
export { readStream, type StreamLine, unlessOver } from './streams/stream.ts';
export { StreamHub } from './streams/stream-hub.ts';
export type { StreamEntry } from './streams/stream-listener.ts';
export { type InputReceipt, sendInput } from './streams/worker-input.ts';
export { createWorkerStreams } from './streams/worker-streams.ts';
export { WebhookStore } from './webhook-store.ts';
export { Budgets } from './workers/budgets.ts';
export { RedisClaimStore } from './workers/claim-store.ts';
export {
  adoptConversation,
  readConversation,
  readStartCommit,
  type StoredConversation,
} from './workers/conversations.ts';
export { publishDoorKey } from './workers/door-keys.ts';
export { type ExternalNode, readNodes } from './workers/nodes.ts';
export { readWorkerPage, readWorkerViews, type WorkerPage } from './workers/worker-views.ts';
