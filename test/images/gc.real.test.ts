/**
 * The collection on a real engine that others use as well: tiny images with the test's own label, which the
 * collector gets as a required label, and a clock that the test moves.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import Docker from 'dockerode';
import { expect, inject, onTestFinished, test } from 'vitest';
import { type CollectorOptions, createCollector } from '../../src/images/gc.ts';
import { toConnection } from '../../src/runtimes/docker/client.ts';
import { ImageUsage } from '../../src/store/index.ts';
import { openCell } from '../store/cell.ts';
import { tarOf } from '../support/tar.ts';

const DAY = 86_400_000;

function world(more: Partial<CollectorOptions> = {}) {
  const docker = new Docker(toConnection(inject('dockerHost')));
  const mark = `worker-manager.test=${randomUUID()}`;
  const { redis } = openCell();
  let time = Date.now();
  const now = () => time;
  const usage = new ImageUsage(redis, now);
  const names: string[] = [];
  const collector = createCollector({
    host: inject('dockerHost'),
    usage,
    now,
    labels: [mark],
    retentionDays: 7,
    budgetBytes: undefined,
    cacheBudgetBytes: undefined,
    ...more,
  });
  onTestFinished(async () => {
    const images = await docker.listImages({ filters: { label: [mark] } });
    for (const { Id } of images) await docker.getImage(Id).remove({ force: true });
    const keys = names.map((name) => `worker:image:${name.slice(7)}`);
    if (keys.length > 0) await redis.del(...keys, ...keys.map((key) => `${key}:holds`));
    collector.close();
  });
  /** Builds an image with a file of that many bytes on top of another; without a name if none is given. */
  async function build(bytes: number, { on = 'scratch', tag = true } = {}): Promise<string> {
    const name = `worker:${randomBytes(6).toString('hex')}`;
    const [key, value] = mark.split('=');
    const dockerfile = `FROM ${on}\nLABEL worker-manager.managed=true ${key}=${value}\nCOPY data-${name.slice(7)} /\nCMD ["/none"]\n`;
    const context = tarOf({ Dockerfile: dockerfile, [`data-${name.slice(7)}`]: randomBytes(bytes) });
    const told = await docker.buildImage(Readable.from(context), tag ? { t: name } : {});
    const lines = await new Promise<{ error?: string }[]>((resolve, reject) =>
      docker.modem.followProgress(told, (error, output) => (error ? reject(error) : resolve(output))),
    );
    const failed = lines.find(({ error }) => error);
    if (failed) throw new Error(failed.error);
    if (tag) {
      names.push(name);
      await usage.touch(name);
    }
    return name;
  }
  async function container(image: string) {
    const made = await docker.createContainer({ Image: image });
    // Already gone if the test removed it.
    onTestFinished(() => made.remove({ force: true }).catch(() => undefined));
    return made;
  }
  const there = async () =>
    (await docker.listImages({ filters: { label: [mark] } }))
      .flatMap(({ RepoTags }) => RepoTags ?? [])
      .filter((tag) => tag !== '<none>:<none>')
      .sort();
  const pass = (ms: number) => {
    time += ms;
  };
  return { docker, usage, collector, build, container, there, pass, redis };
}

test('an image unused for the retention is removed, and a used one stays', async () => {
  const { collector, build, there, pass, usage, redis } = world();
  const [old, used] = [await build(20_000), await build(1000)];
  pass(6 * DAY);
  await usage.touch(used);
  pass(2 * DAY);
  const done = await collector.collect();
  expect(await there()).toEqual([used]);
  expect(done).toMatchObject({
    dry_run: false,
    removed: [{ name: old, why: 'not used for 8 days' }],
    skipped: [],
    freed_bytes: 20_000,
    images: 1,
    image_bytes: 1000,
  });
  expect(done.disk_bytes_before).toBeGreaterThan(20_000);
  expect(await redis.exists(`worker:image:${old.slice(7)}`)).toBe(0);
});

test('a dry run reports the same and does nothing', async () => {
  const { collector, build, there, pass } = world();
  const name = await build(5000);
  pass(8 * DAY);
  const dry = await collector.collect({ dryRun: true });
  expect(await there()).toEqual([name]);
  const { disk_bytes_before: _, disk_bytes_after: __, ...done } = await collector.collect();
  expect(dry).toMatchObject({ ...done, dry_run: true });
  expect(await there()).toEqual([]);
});

test('above the budget the least recently used are removed, and shared layers count once', async () => {
  const { collector, build, there, pass } = world({ budgetBytes: 110_000 });
  const base = await build(100_000);
  pass(60_000);
  const names: string[] = [];
  for (let nth = 0; nth < 3; nth += 1) {
    names.push(await build(4000, { on: base }));
    pass(60_000);
  }
  pass(DAY);
  const done = await collector.collect();
  // The base is removed first and frees nothing, because others are built on it; then the oldest of these.
  expect(done.removed.map(({ name }) => name)).toEqual([base, names[0]]);
  expect(done.freed_bytes).toBe(4000);
  expect(done.image_bytes).toBe(108_000);
  expect(await there()).toEqual(names.slice(1).sort());
});

test('an image of a container stays, running or not, and counts as used', async () => {
  const { collector, build, container, there, pass } = world();
  const name = await build(1000);
  const made = await container(name);
  pass(30 * DAY);
  expect((await collector.collect()).removed).toEqual([]);
  expect(await collector.list()).toMatchObject([{ name, used_by: [expect.any(String)] }]);
  await made.remove();
  pass(6 * DAY);
  await collector.collect();
  expect(await there()).toEqual([name]);
  pass(2 * DAY);
  await collector.collect();
  expect(await there()).toEqual([]);
});

test('a held image stays until it is released', async () => {
  const { collector, build, there, pass, usage } = world();
  const name = await build(1000);
  await usage.hold(name, 'w1', 60_000);
  pass(30 * DAY);
  await collector.collect();
  expect(await there()).toEqual([name]);
  await usage.release(name, 'w1');
  await collector.collect();
  expect(await there()).toEqual([]);
});

test('an image with a tag of the user stays', async () => {
  const { docker, collector, build, there, pass } = world();
  const name = await build(1000);
  const mine = `kept-${randomUUID().slice(0, 8)}`;
  await docker.getImage(name).tag({ repo: mine, tag: 'by-me' });
  pass(30 * DAY);
  await collector.collect();
  expect(await there()).toEqual([`${mine}:by-me`, name].sort());
});

test('an image without a record is kept for the whole retention', async () => {
  const { collector, build, there, pass, redis } = world();
  const name = await build(1000);
  await redis.del(`worker:image:${name.slice(7)}`);
  pass(30 * DAY);
  await collector.collect();
  expect(await there()).toEqual([name]);
  pass(8 * DAY);
  await collector.collect();
  expect(await there()).toEqual([]);
});

test('build leftovers are removed if they are old, or above their budget', async () => {
  const { collector, build, pass } = world({ cacheBudgetBytes: 10 ** 15 });
  await build(3000, { tag: false });
  expect((await collector.collect()).leftovers_removed).toBe(0);
  pass(8 * DAY);
  expect(await collector.collect({ dryRun: true })).toMatchObject({
    leftovers_removed: 1,
    freed_bytes: 3000,
  });
  expect(await collector.collect()).toMatchObject({ leftovers_removed: 1, freed_bytes: 3000 });
  expect(await collector.collect()).toMatchObject({ leftovers_removed: 0, freed_bytes: 0 });
});

test('images without our label are ignored', async () => {
  const { docker, collector, pass } = world();
  const name = `worker:${randomBytes(6).toString('hex')}`;
  const context = tarOf({ Dockerfile: 'FROM scratch\nCOPY data /\n', data: randomBytes(100) });
  const told = await docker.buildImage(Readable.from(context), { t: name });
  await new Promise((resolve) => docker.modem.followProgress(told, resolve));
  onTestFinished(() => docker.getImage(name).remove());
  pass(300 * DAY);
  expect(await collector.collect()).toMatchObject({ removed: [], images: 0 });
  await expect(docker.getImage(name).inspect()).resolves.toBeDefined();
});

test('a hold by a create and a collection never both succeed', async () => {
  const { docker, collector, build, pass, usage } = world();
  const outcomes = new Set<string>();
  for (let round = 0; round < 12; round += 1) {
    const name = await build(100);
    pass(8 * DAY);
    const create = async () => {
      // In the loop's order: hold, inspect, create, release.
      for (let turn = 0; turn < round; turn += 1) await usage.entries([name]);
      if ((await usage.hold(name, 'w1', 60_000)) === 'removing') return 'built again';
      const present = await docker
        .getImage(name)
        .inspect()
        .then(
          () => true,
          () => false,
        );
      if (!present) return 'built again';
      const made = await docker.createContainer({ Image: name });
      await usage.release(name, 'w1');
      await made.remove();
      return 'created';
    };
    const [created] = await Promise.all([create(), collector.collect()]);
    outcomes.add(created);
  }
  // A failed create would have thrown.
  for (const outcome of outcomes) expect(['created', 'built again']).toContain(outcome);
}, 120_000);

test('two collections at once remove each image once', async () => {
  const { collector, build, there, pass } = world();
  const names = [await build(1000), await build(1000), await build(1000)];
  pass(8 * DAY);
  const both = await Promise.all([collector.collect(), collector.collect()]);
  expect(await there()).toEqual([]);
  expect(new Set(both.flatMap(({ removed }) => removed.map(({ name }) => name)))).toEqual(new Set(names));
});
