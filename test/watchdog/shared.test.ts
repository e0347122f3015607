import { expect, test } from 'vitest';
import { processMs, shareState } from '../../src/watchdog/shared.ts';

const SOON = 60_000;

test('an act may begin only in the term that it belongs to, and before its deadline', () => {
  const main = shareState();
  const watchdog = shareState(main.buffer);
  expect(main.mayAct(7)).toBe(false);
  watchdog.setTerm(7, processMs() + SOON);
  expect([main.mayAct(7), main.mayAct(8)]).toEqual([true, false]);
  watchdog.setTerm(7, processMs() - 1);
  expect(main.mayAct(7)).toBe(false);
  watchdog.setTerm(8, processMs() + SOON);
  expect([main.mayAct(7), main.mayAct(8)]).toEqual([false, true]);
  watchdog.clearTerm();
  expect(main.mayAct(8)).toBe(false);
});

test('an epoch is stored exactly, even one in milliseconds of a clock', () => {
  const state = shareState();
  state.setTerm(1_800_000_000_123, processMs() + SOON);
  expect(state.mayAct(1_800_000_000_123)).toBe(true);
  expect(state.mayAct(1_800_000_000_124)).toBe(false);
});

test('beats are counted across the views of one memory', () => {
  const main = shareState();
  const before = main.beats();
  main.beat();
  main.beat();
  expect(shareState(main.buffer).beats() - before).toBe(2n);
});
