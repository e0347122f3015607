/** Signals to a manager: SIGTERM to the whole group came twice, and cut its cleanup short. */
import { expect, test } from 'vitest';
import { type EndSignal, shutdownSignals } from '../../../src/cli/manager/shutdown.ts';

/** `at` in milliseconds. */
type Sent = [at: number, signal: EndSignal];

test.each<[string, boolean, Sent[], string[]]>([
  ['one SIGTERM', false, [[0, 'SIGTERM']], ['begin']],
  [
    'a service manager that signals the group',
    false,
    [
      [0, 'SIGTERM'],
      [1, 'SIGTERM'],
      [9000, 'SIGTERM'],
    ],
    ['begin', 'ignore', 'ignore'],
  ],
  [
    'the same from a terminal',
    true,
    [
      [0, 'SIGTERM'],
      [9000, 'SIGTERM'],
    ],
    ['begin', 'ignore'],
  ],
  [
    'one Ctrl-C that parents pass on',
    true,
    [
      [0, 'SIGINT'],
      [3, 'SIGINT'],
      [600, 'SIGTERM'],
    ],
    ['begin', 'ignore', 'ignore'],
  ],
  [
    'a second Ctrl-C, seconds later',
    true,
    [
      [0, 'SIGINT'],
      [2500, 'SIGINT'],
    ],
    ['begin', 'exit'],
  ],
  [
    'Ctrl-C after SIGTERM',
    true,
    [
      [0, 'SIGTERM'],
      [2500, 'SIGINT'],
    ],
    ['begin', 'exit'],
  ],
  [
    'SIGINT without a terminal',
    false,
    [
      [0, 'SIGINT'],
      [9000, 'SIGINT'],
    ],
    ['begin', 'ignore'],
  ],
])('%s', (_, isTerminal, sent, expected) => {
  let now = 0;
  const meaning = shutdownSignals({ isTerminal, now: () => now });
  expect(
    sent.map(([at, signal]) => {
      now = at;
      return meaning(signal);
    }),
  ).toEqual(expected);
});
