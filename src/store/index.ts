/**
 * The data in Redis, and the only access to it: keys, records, streams and the Lua scripts that change them.
 *
 * Every write includes the leader's epoch, and the script rejects an old one (`Fenced`). It also rejects a
 * decision that is based on an older record (`conflict`). Must not import the loop, the commands or a
 * runtime.
 */

export { Budgets } from './budgets.ts';
export { RedisClaimStore } from './claim-store.ts';
export { type CommandClient, createCommandClient } from './command-client.ts';
export type { CommandEntry } from './command-reader.ts';
export {
  type CommandOutcome,
  type CommandSettlement,
  CommandStream,
  type WarmCandidate,
} from './command-stream.ts';
export { connectBlocking, connectCommands, type Link } from './connect.ts';
export {
  adoptConversation,
  readConversation,
  readStartCommit,
  type StoredConversation,
} from './conversations.ts';
export { publishDoorKey } from './door-keys.ts';
export { type Finding, Findings, readFindings } from './findings.ts';
export { readGoalObservation } from './goal-observation.ts';
export { findHazards, type Hazard, type RedisFacts, readRedisFacts } from './hazards.ts';
export { readFormat } from './identity.ts';
export { type ImageEntry, ImageUsage } from './image-usage.ts';
export { COMMAND_GROUP, getKeys, type Keys } from './keys.ts';
export { redisLeaseStore } from './lease-store.ts';
export { readRedisMemory } from './memory.ts';
export { type ExternalNode, readNodes } from './nodes.ts';
export { type PoolEvent, type PoolRead, PoolStore } from './pool-store.ts';
export type { IndexState, StoreRepair } from './repair.ts';
export { Fenced } from './reply.ts';
export { watchSignals } from './signals.ts';
export { Store } from './store.ts';
export { readStream, type StreamLine, unlessOver } from './stream.ts';
export { StreamHub } from './stream-hub.ts';
export type { StreamEntry } from './stream-listener.ts';
export { WebhookStore } from './webhook-store.ts';
export { type InputReceipt, sendInput } from './worker-input.ts';
export { createWorkerStreams } from './worker-streams.ts';
export { readWorkerPage, readWorkerViews, type WorkerPage } from './worker-views.ts';
