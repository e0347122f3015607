/**
 * The terms of the project as zod schemas and types: the contents of Redis, messages and labels.
 *
 * Owns every name that other programs rely on. Everything here is pure data: no clock, no randomness, no environment,
 * no I/O. Must not import any other folder; the rest of the project imports it from here.
 */

export * from './doors/exec.ts';
export * from './image-view.ts';
export * from './messages/command.ts';
export * from './messages/log-line.ts';
export * from './messages/message.ts';
export * from './messages/trace.ts';
export * from './messages/webhook.ts';
export * from './pool/pool.ts';
export * from './pool/pool-status.ts';
export * from './record-format.ts';
export * from './runtime-table.ts';
export * from './runtimes.ts';
export * from './store-identity.ts';
export * from './task/node.ts';
export * from './task/task.ts';
export * from './task/task-error.ts';
export * from './task/task-limits.ts';
export * from './tested-versions.ts';
export * from './values/cut.ts';
export * from './values/digest.ts';
export * from './values/fault.ts';
export * from './values/issues.ts';
export * from './values/limits.ts';
export * from './values/name-rules.ts';
export * from './values/quantities.ts';
export * from './values/redis-outage.ts';
export * from './values/units.ts';
export * from './worker/archive-format.ts';
export * from './worker/body.ts';
export * from './worker/checkpoint-place.ts';
export * from './worker/checkpoint-policy.ts';
export * from './worker/checkpoint-record.ts';
export * from './worker/claim.ts';
export type { CrashPoint } from './worker/crash-point.ts';
export * from './worker/decision.ts';
export * from './worker/goals.ts';
export * from './worker/grace.ts';
export * from './worker/heartbeat.ts';
export * from './worker/record.ts';
export * from './worker/spec.ts';
export * from './worker/vitals.ts';
export * from './worker/worker-states.ts';
export * from './worker/worker-stream.ts';
export * from './worker/worker-view.ts';
export * from './worker/workspace.ts';
