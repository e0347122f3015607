/** The usage record of images on a real Redis; each test has its own images. */
import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ImageUsage } from '../../src/store/index.ts';
import { openCell } from './cell.ts';

const DAY = 86_400_000;
/** Expiry uses the clock of Redis, whose answer may be late. */
const SOON = { timeout: 20_000, interval: 50 };

function open() {
  const { redis } = openCell();
  let time = Date.UTC(2026, 0, 1);
  const names: string[] = [];
  onTestFinished(async () => {
    const keys = names.map((name) => `worker:image:${name.slice(7)}`);
    if (keys.length > 0) await redis.del(...keys, ...keys.map((key) => `${key}:holds`));
  });
  const image = () => {
    const name = `worker:${randomBytes(6).toString('hex')}`;
    names.push(name);
    return name;
  };
  const pass = (ms: number) => {
    time += ms;
  };
  return { redis, usage: new ImageUsage(redis, () => time), image, pass, now: () => time };
}

test('the first use is its creation, and the last one is remembered', async () => {
  const { usage, image, pass, now } = open();
  const name = image();
  const began = now();
  await usage.touch(name);
  pass(DAY);
  await usage.hold(name, 'w1', 60_000);
  await expect(usage.entries([name, image()])).resolves.toEqual(
    new Map([[name, { created_at: began, last_used_at: began + DAY, holders: ['w1'] }]]),
  );
});

test('a clock that was set back does not reset the last use', async () => {
  const { usage, image, pass, now } = open();
  const name = image();
  await usage.touch(name);
  pass(-DAY);
  await usage.touch(name);
  expect((await usage.entries([name])).get(name)?.last_used_at).toBe(now() + DAY);
});

test('a held image is not removed until all holders have released it', async () => {
  const { usage, image, now } = open();
  const name = image();
  const claim = () => usage.claimRemoval(name, 60_000, { by: 'gc', seen: now() });
  await usage.hold(name, 'w1', 60_000);
  await usage.hold(name, 'w2', 60_000);
  await usage.hold(name, 'w2', 60_000);
  await usage.release(name, 'w1');
  await expect(claim()).resolves.toBe('held');
  await usage.release(name, 'w2');
  await expect(claim()).resolves.toBe('claimed');
});

test('the hold of a killed manager expires', async () => {
  const { usage, image, now } = open();
  const name = image();
  await usage.hold(name, 'w1', 50);
  const claim = () => usage.claimRemoval(name, 60_000, { by: 'gc', seen: now() });
  await vi.waitFor(async () => expect(await claim()).toBe('claimed'), SOON);
});

test('an image cannot be held during its removal', async () => {
  const { usage, image, now } = open();
  const name = image();
  await usage.touch(name);
  await usage.claimRemoval(name, 60_000, { by: 'gc', seen: now() });
  await expect(usage.hold(name, 'w1', 1000)).resolves.toBe('removing');
  // Repeating a claim, as after a lost answer, succeeds; a claim of another collection is rejected.
  await expect(usage.claimRemoval(name, 60_000, { by: 'gc', seen: now() })).resolves.toBe('claimed');
  await expect(usage.claimRemoval(name, 60_000, { by: 'other', seen: now() })).resolves.toBe('removing');
  await usage.endRemoval(name, { by: 'other', gone: true });
  await expect(usage.hold(name, 'w1', 1000)).resolves.toBe('removing');
  await usage.endRemoval(name, { by: 'gc', gone: false });
  await expect(usage.hold(name, 'w1', 1000)).resolves.toBe('held');
});

test('the claim of a killed collection expires', async () => {
  const { usage, image, now } = open();
  const name = image();
  await usage.touch(name);
  await usage.claimRemoval(name, 50, { by: 'gc', seen: now() });
  await vi.waitFor(async () => expect(await usage.hold(name, 'w1', 1000)).toBe('held'), SOON);
});

test('a use since the decision rejects the claim', async () => {
  const { usage, image, pass, now } = open();
  const name = image();
  await usage.touch(name);
  const seen = now();
  pass(1000);
  await usage.hold(name, 'w1', 60_000);
  await usage.release(name, 'w1');
  await expect(usage.claimRemoval(name, 60_000, { by: 'gc', seen })).resolves.toBe('used');
});

test('a removed image leaves no record', async () => {
  const { redis, usage, image, now } = open();
  const name = image();
  await usage.touch(name);
  await usage.claimRemoval(name, 60_000, { by: 'gc', seen: now() });
  await usage.endRemoval(name, { by: 'gc', gone: true });
  expect(await redis.keys(`worker:image:${name.slice(7)}*`)).toEqual([]);
});

test('a hold and a removal never both succeed', async () => {
  const { usage, image, now } = open();
  const other = new ImageUsage(openCell().redis, now);
  const seen = new Set<string>();
  for (let round = 0; round < 300; round += 1) {
    const name = image();
    await usage.touch(name);
    const hold = () => usage.hold(name, 'w1', 60_000);
    const claim = () => other.claimRemoval(name, 60_000, { by: 'gc', seen: now() });
    const both: Promise<string>[] = round % 2 ? [hold(), claim()] : [claim(), hold()];
    seen.add((await Promise.all(round % 2 ? both : both.reverse())).join(' and '));
  }
  // The claim returns `held` if the hold was first.
  expect([...seen].sort()).toEqual(['held and held', 'removing and claimed']);
});

test.each(['worker:latest', 'worker:0123456789ab:holds', 'worker:0123456789AB', 'node:24'])(
  '%s is not an image of ours',
  async (name) => {
    const { usage } = open();
    await expect(usage.touch(name)).rejects.toThrow(name);
  },
);
