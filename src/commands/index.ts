/**
 * The commands of `worker:commands`: the only writers of desired state.
 *
 * A command reads, decides and settles in one script; it touches no body. Each file here is one command: a
 * function from the command and what is known to a plan. Must not import a runtime or the loop.
 */

export { chooseRuntime, type PlacementDecision } from '../placement/choose-runtime.ts';
export { type CommandConsumerOptions, consumeCommands } from './consume.ts';
export type { Capabilities, CommandContext } from './context.ts';
