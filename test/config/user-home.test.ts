import { userInfo } from 'node:os';
import { expect, test } from 'vitest';
import { locateCell } from '../../src/config/cell-location.ts';

test.each([
  ['empty', ''],
  ['relative', 'home'],
  ['missing', undefined],
])('with a HOME that is %s, the state is in the home of the user', (_, HOME) => {
  expect(locateCell(HOME === undefined ? {} : { HOME })?.home).toBe(
    `${userInfo().homedir}/.local/state/worker-manager`,
  );
});
