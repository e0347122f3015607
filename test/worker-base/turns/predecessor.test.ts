import { expect, test } from 'vitest';
import type { TurnJournal } from '../../../worker-base/agent/turn-journal.ts';
import { Predecessor } from '../../../worker-base/turns/predecessor.ts';

type Context = ConstructorParameters<typeof Predecessor>[0];

function openPredecessor(ended: Record<string, boolean>) {
  const emitted: unknown[] = [];
  const acknowledged: string[] = [];
  const context = {
    spec: {},
    output: { emit: (type: string, _content: string, fields: object) => emitted.push({ type, ...fields }) },
    arrived: async () => {},
    acknowledge: async (entryId: string) => void acknowledged.push(entryId),
  } as unknown as Context;
  const cut = Object.entries(ended).map(([entryId, isEnded], seq) => ({ entryId, seq, ended: isEnded }));
  const legacy = { resumed: undefined, cut, hadTurns: true, conversation: true };
  return { predecessor: new Predecessor(context, {} as TurnJournal, legacy), emitted, acknowledged };
}

const prompt = (retry: boolean) => ({ type: 'prompt', content: 'x', request_id: 'r', retry }) as const;

test('every prompt that is begun again is marked as retried, not only the last one', () => {
  const { predecessor, emitted } = openPredecessor({ '1-0': false, '2-0': false });
  expect(predecessor.settle('1-0', prompt(true))).toBe(false);
  expect(predecessor.settle('2-0', prompt(true))).toBe(false);
  expect(predecessor.settle('3-0', prompt(true))).toBe(false);
  expect(['1-0', '2-0', '3-0', undefined].map((id) => predecessor.fields(id))).toEqual([
    { retried: true },
    { retried: true },
    {},
    {},
  ]);
  expect(emitted).toEqual([]);
});

test('a prompt that must not be repeated fails, and one whose end is known is only acknowledged', async () => {
  const { predecessor, emitted, acknowledged } = openPredecessor({ '1-0': false, '2-0': true, '3-0': true });
  expect(predecessor.settle('1-0', prompt(false))).toBe(true);
  expect(predecessor.settle('2-0', prompt(true))).toBe(true);
  expect(predecessor.settle('3-0', prompt(false))).toBe(true);
  expect(emitted).toMatchObject([{ type: 'turn_failed', reason: 'body_lost', entry_id: '1-0' }]);
  await expect.poll(() => acknowledged).toHaveLength(3);
  expect(predecessor.fields('1-0')).toEqual({});
});
