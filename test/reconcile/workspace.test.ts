/** What a manager decides about the files of a worker: a full workspace is reported, a failed source is the reason of the end. */
import { expect, test } from 'vitest';
import { decide } from '../../src/reconcile/decide.ts';
import { LastSeen } from '../../src/reconcile/last-seen.ts';
import { beatOf, type Given, ID, lifeOf, look, memoOf } from './observation.ts';

const RUNNING = { memo: memoOf({ RUNNING: 'ready' }, lifeOf({ expected: true })), body: {} };
const running = (bytes: number | undefined, size?: string): Given => ({
  ...RUNNING,
  beat: bytes === undefined ? {} : { workspace_bytes: bytes },
  ...(size && { spec: { workspace: { size } } }),
});

test.each([
  ['above its size', 2 ** 20 + 1, '1m', 'WorkspaceFull'],
  ['at its size', 2 ** 20, '1m', ''],
  ['that was not measured yet', undefined, '1m', ''],
  ['without a size', 2 ** 40, undefined, ''],
])('a workspace %s', (_name, bytes, size, reason) => {
  const { status, intents } = decide(look(running(bytes, size)));
  expect(status).toMatchObject({ status: 'RUNNING', phase: 'ready', reason });
  expect(intents).toEqual([]);
  if (reason) expect(status.message).toContain('workspace.size is 1m');
});

test('a change of that is news, once', () => {
  const lastSeen = new LastSeen();
  const note = (bytes: number) => {
    const observation = look(running(bytes, '1m'));
    lastSeen.set(observation, 1, decide(observation));
  };
  const isNews = (bytes: number) => lastSeen.isWorkspaceNews(ID, beatOf({ workspace_bytes: bytes }));
  expect(isNews(2 ** 30), 'of an unknown worker').toBe(false);
  note(1);
  expect([isNews(2 ** 20), isNews(2 ** 21)]).toEqual([false, true]);
  note(2 ** 21);
  expect([isNews(2 ** 21), isNews(2 ** 20)]).toEqual([false, true]);
  expect(lastSeen.isWorkspaceNews(ID, beatOf({ workspace_bytes: 1, incarnation: 1 }))).toBe(false);
});

test('a body that could not fetch its source ends with that reason, in the words of git', () => {
  const memo = memoOf({ STARTING: 'booting' }, lifeOf({ expected: true }));
  const body = {
    state: 'exited',
    exit_code: 69,
    tail: 'The workspace could not be fetched: fatal: no',
  } as const;
  const failed = (failure: string) => decide(look({ memo, body, beat: { phase: 'ending', failure } })).status;
  expect(failed('WorkspaceSourceFailed')).toMatchObject({
    status: 'FAILED',
    reason: 'WorkspaceSourceFailed',
    exit_code: 69,
    message: 'The workspace could not be fetched: fatal: no',
  });
  // Only reasons that are known here are taken from a body.
  expect(failed('Completed').reason).toBe('Error');
});
