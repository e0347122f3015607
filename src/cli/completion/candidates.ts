/** What can follow on a command line, from the definitions of the verbs. Pure. */
import type { Argument, Command, Option } from 'commander';

/** Something that can be completed: words of ours, or names that only the store knows. */
export interface Candidates {
  words: { value: string; description: string }[];
  /** Also the names of these. */
  names: ('worker' | 'pool' | 'pool/')[];
}
const NOTHING: Candidates = { words: [], names: [] };

/** Candidates for the last of `words`, which follow the verb of `command`; the shell filters them by their prefix. */
export function findCandidates(command: Command, words: readonly string[]): Candidates {
  const current = words.at(-1) ?? '';
  let at = command;
  let operands = 0;
  let waiting: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (waiting) waiting = undefined;
    else if (word === '--') return NOTHING;
    else if (word.startsWith('-')) waiting = findOpen(at, word);
    else {
      const verb =
        operands === 0
          ? at.commands.find((one) => one.name() === word || one.aliases().includes(word))
          : undefined;
      if (verb) at = verb;
      else operands += 1;
    }
  }
  if (waiting) return ofOption(waiting);
  // What follows the program of a worker are its own arguments.
  if (operands > 0 && takesProgram(at)) return NOTHING;
  const assigned = /^(--[\w-]+)=/.exec(current);
  if (assigned?.[1]) return prefixed(assigned[0], ofOption(findOption(at, assigned[1])));
  if (current.startsWith('-')) return { words: optionWords(at, current), names: [] };
  return { words: verbWords(operands === 0 ? at.commands : []), names: ofArgument(at, operands) };
}

/** Verbs with their summaries. */
export const verbWords = (commands: readonly Command[]): Candidates['words'] =>
  commands
    .filter((command) => !('_hidden' in command && command._hidden))
    .map((command) => ({ value: command.name(), description: command.summary() || command.description() }));

const takesProgram = (command: Command) =>
  command.registeredArguments.some((one) => one.name() === 'command');

const findOption = (command: Command, flag: string) =>
  command.options.find(({ short, long }) => short === flag || long === flag);

/** The option whose value is the next word. */
function findOpen(command: Command, word: string): Option | undefined {
  const option = word.includes('=') ? undefined : findOption(command, word);
  return option?.required ? option : undefined;
}

function ofOption(option: Option | undefined): Candidates {
  const words = option?.argChoices?.map((value) => ({ value, description: '' })) ?? [];
  return { words, names: option?.long === '--pool' ? ['pool'] : [] };
}

const prefixed = (prefix: string, { words, names }: Candidates): Candidates => ({
  words: words.map(({ value, description }) => ({ value: `${prefix}${value}`, description })),
  names,
});

/** Long options, and short ones only after a single dash. */
function optionWords(command: Command, current: string): Candidates['words'] {
  const help = { value: '--help', description: 'display help for command' };
  const words = command.options
    .filter(({ hidden }) => !hidden)
    .flatMap(({ short, long, description }) => {
      const flags = current === '-' ? [long, short] : [long];
      return flags.filter((flag) => flag !== undefined).map((value) => ({ value, description }));
    });
  return [...words, help];
}

function ofArgument(command: Command, index: number): Candidates['names'] {
  const { registeredArguments: all } = command;
  const argument: Argument | undefined = all[index] ?? (all.at(-1)?.variadic ? all.at(-1) : undefined);
  if (argument?.name() === 'pool') return ['pool'];
  if (argument?.name() !== 'id') return [];
  return argument.description.includes('pool/NAME') ? ['worker', 'pool/'] : ['worker'];
}
