import { Command, Option } from 'commander';
import { expect, test } from 'vitest';
import { findCandidates } from '../../../src/cli/completion/candidates.ts';

const verb = new Command('logs')
  .argument('<id...>', 'worker IDs; pool/NAME for a pool')
  .option('-f, --follow', 'follow it')
  .option('--pool <name>', 'pool')
  .addOption(new Option('-o, --output <format>', 'format').choices(['table', 'json']));
const group = new Command('pools').addCommand(
  new Command('delete').alias('rm').summary('delete pools').argument('<pool...>', 'names'),
);
const run = new Command('run').argument('[command...]', 'program').option('--rm [boolean]', 'delete it');

const values = (command: Command, ...words: string[]) => {
  const { words: found, names } = findCandidates(command, words);
  return { words: found.map(({ value }) => value), names };
};
const NOTHING = { words: [], names: [] };

test.each<[string, Command, string[], ReturnType<typeof values>]>([
  ['names for an argument', verb, [''], { words: [], names: ['worker', 'pool/'] }],
  ['names for each of several', verb, ['-f', 'a', ''], { words: [], names: ['worker', 'pool/'] }],
  ['long options', verb, ['--'], { words: ['--follow', '--pool', '--output', '--help'], names: [] }],
  ['short ones after one dash', verb, ['-'], { ...NOTHING, words: expect.arrayContaining(['-f', '-o']) }],
  ['the values of an option', verb, ['-o', ''], { words: ['table', 'json'], names: [] }],
  ['a value after "="', verb, ['--output=j'], { words: ['--output=table', '--output=json'], names: [] }],
  ['names of pools for --pool', verb, ['--pool', ''], { words: [], names: ['pool'] }],
  [
    'an argument after the value of an option',
    verb,
    ['-o', 'json', ''],
    { words: [], names: ['worker', 'pool/'] },
  ],
  ['the verbs of a group', group, [''], { words: ['delete'], names: [] }],
  ['the arguments of a verb of a group', group, ['rm', 'a', ''], { words: [], names: ['pool'] }],
  ['nothing for the arguments of a program', run, ['sh', '-'], NOTHING],
  ['nothing after --', run, ['--', 'ls', ''], NOTHING],
  ['the options before it', run, ['--r'], { words: ['--rm', '--help'], names: [] }],
  [
    'an argument after an option whose value is optional',
    run,
    ['--rm', '--'],
    { words: ['--rm', '--help'], names: [] },
  ],
])('%s', (_, command, words, expected) => {
  expect(values(command, ...words)).toEqual(expected);
});
