/**
 * The commands of `worker:commands`: the only writers of desired state.
 *
 * A command reads, decides and settles in one script; it touches no body. Each file here is one command: a
 * function from the command and what is known to a plan. Must not import a runtime or the loop.
 */

export { type Choice, chooseRuntime } from '../placement/choose-runtime.ts';
export { type ConsumerOptions, consumeCommands } from './consume.ts';
export type { Abilities, CommandContext } from './context.ts';
