/**
 * The terms of the project as zod schemas and types: the contents of Redis, messages and labels.
 *
 * Owns every name that other programs rely on. Everything here is pure data: no clock, no randomness, no environment,
 * no I/O. Must not import any other folder; the rest of the project imports it from here.
 */
export * from './archive-format.ts';
export * from './body.ts';
export * from './checkpoint-place.ts';
export * from './checkpoint-policy.ts';
export * from './checkpoint-record.ts';
export * from './claim.ts';
export * from './command.ts';
export type { CrashPoint } from './crash-point.ts';
export * from './cut.ts';
export * from './decision.ts';
export * from './digest.ts';
export * from './exec.ts';
export * from './fault.ts';
export * from './goals.ts';
export * from './grace.ts';
export * from './heartbeat.ts';
export * from './image-view.ts';
export * from './issues.ts';
export * from './limits.ts';
export * from './log-line.ts';
export * from './message.ts';
export * from './name-rules.ts';
export * from './node.ts';
export * from './pool.ts';
export * from './pool-status.ts';
export * from './quantities.ts';
export * from './record.ts';
export * from './record-format.ts';
export * from './runtime-table.ts';
export * from './runtimes.ts';
export * from './spec.ts';
export * from './store-identity.ts';
export * from './task.ts';
export * from './task-error.ts';
export * from './task-limits.ts';
export * from './tested-versions.ts';
export * from './trace.ts';
export * from './units.ts';
export * from './vitals.ts';
export * from './webhook.ts';
export * from './worker-states.ts';
export * from './worker-stream.ts';
export * from './worker-view.ts';
export * from './workspace.ts';
