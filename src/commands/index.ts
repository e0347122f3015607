/**
 * The commands of `worker:commands`: the only writers of desired state.
 *
 * A command is read, planned and settled in one script; it touches no body. Each file here is one command: a function
 * from the command and its context to a plan. Must not import a runtime or the loop.
 */

export { type CommandConsumerOptions, consumeCommands } from './consume.ts';
export type { CommandContext } from './context.ts';
export { DirectCreates } from './direct-creates.ts';
export { PendingCreates } from './pending-creates.ts';
