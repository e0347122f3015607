import fc from 'fast-check';
import { expect, test } from 'vitest';
import { refill, type WarmMember } from '../../../src/pools/warm/refill.ts';

const one = (id: string, more: Partial<WarmMember> = {}): WarmMember => ({
  id,
  fresh: true,
  ready: true,
  created_at: 0,
  ...more,
});
const stale = { fresh: false };
const booting = { ready: false };

type Case = [
  title: string,
  wanted: number,
  members: WarmMember[],
  make: number,
  end: string[],
  taking?: boolean,
];
const CASES: Case[] = [
  ['nothing there', 2, [], 2, []],
  ['one was taken', 2, [one('a')], 1, []],
  ['one boots already', 2, [one('a'), one('b', booting)], 0, []],
  ['fewer wanted: the one that is not ready goes', 1, [one('a', booting), one('b')], 0, ['a']],
  ['fewer wanted: the newer goes', 1, [one('a', { created_at: 2 }), one('b', { created_at: 1 })], 0, ['a']],
  ['none wanted', 0, [one('a'), one('b', stale)], 0, ['a', 'b']],
  ['a stale one stays until its successor is ready', 1, [one('a', stale)], 1, []],
  ['its successor boots', 1, [one('a', stale), one('b', booting)], 0, []],
  ['its successor is ready', 1, [one('a', stale), one('b')], 0, ['a']],
  ['two stale, one successor', 2, [one('a', stale), one('b', stale), one('c')], 1, ['b']],
  ['one was taken a moment ago, and one is left', 3, [one('a')], 0, [], true],
  ['one was taken a moment ago, and a stale one is left', 3, [one('a', stale)], 0, [], true],
  ['the last was taken a moment ago', 3, [one('a', booting)], 2, [], true],
];

test.each(CASES)('%s', (_title, wanted, members, make, end, taking = false) => {
  expect(refill(wanted, members, taking)).toEqual({ make, end });
});

test('settles at exactly the wanted number of fresh ones, and never has more than twice as many', () => {
  const member = fc.record({ fresh: fc.boolean(), ready: fc.boolean(), created_at: fc.nat(5) });
  fc.assert(
    fc.property(fc.nat(4), fc.array(member, { maxLength: 6 }), (wanted, given) => {
      let members: WarmMember[] = given.map((one, at) => ({ ...one, id: `w${at}` }));
      for (let round = 0; round < 20; round += 1) {
        const { make, end } = refill(wanted, members, false);
        members = members.filter(({ id }) => !end.includes(id));
        const made = Array.from({ length: make }, (_, at) => one(`n${round}-${at}`, booting));
        members = [...members, ...made];
        expect(members.length).toBeLessThanOrEqual(2 * wanted);
        // Booting takes a round.
        if (make === 0 && end.length === 0 && members.every(({ ready }) => ready)) break;
        members = members.map((each) => (made.includes(each) ? each : { ...each, ready: true }));
      }
      expect(members.filter(({ fresh }) => fresh)).toHaveLength(wanted);
      expect(members.filter(({ fresh }) => !fresh)).toHaveLength(0);
    }),
  );
});
