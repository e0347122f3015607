import pino from 'pino';
import { expect, test } from 'vitest';
import { Adoption } from '../../src/leader/adoption.ts';

test('a worker whose record is lost or unreadable does not block adoption of the others', () => {
  let done = 0;
  const log = pino({ level: 'silent' });
  const adoption = new Adoption(
    ['lost', 'unreadable'],
    log,
    () => {},
    () => {
      done += 1;
    },
  );
  adoption.skip('lost');
  adoption.skip('another');
  expect(done).toBe(0);
  adoption.skip('unreadable');
  adoption.skip('unreadable');
  expect(done).toBe(1);
});
