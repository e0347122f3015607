import { expect, onTestFinished, test } from 'vitest';
import { createDoorSigner } from '../../src/doors/signer.ts';
import { isDoorTokenCurrent, parseDoorToken } from '../../src/model/doors/door-token.ts';

test('a token is used again for a minute, for its body only, and is valid for minutes after that', () => {
  let now = 1_000_000;
  const signer = createDoorSigner(
    async () => {},
    () => now,
  );
  onTestFinished(() => signer.close());
  const body = { cell: 'a', worker_id: 'w', incarnation: 1 };
  const first = signer.sign(body);
  now += 59_000;
  expect(signer.sign(body)).toBe(first);
  expect(signer.sign({ ...body, incarnation: 2 })).not.toBe(first);
  now += 1000;
  const second = signer.sign(body);
  expect(second).not.toBe(first);
  const token = parseDoorToken(first);
  expect(token && isDoorTokenCurrent(token, now + 200_000)).toBe(true);
  // A clock that was set back makes a new one.
  now -= 3_600_000;
  const third = parseDoorToken(signer.sign(body));
  expect(third && isDoorTokenCurrent(third, now)).toBe(true);
});
