import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PoolSpec } from '../../src/model/index.ts';
import type { PoolDecision } from '../../src/pools/observation.ts';
import { poolOf } from './observation.ts';
import { World } from './world.ts';

/** A run is minutes of a pool's life: a few of them take as long as a thousand of other properties. */
const RUNS = { numRuns: Number(process.env.FC_RUNS ?? 20) };
const size = fc.integer({ min: 0, max: 8 });
const update = fc
  .record({ max_surge: fc.integer({ min: 0, max: 3 }), max_unavailable: fc.integer({ min: 0, max: 3 }) })
  .filter(({ max_surge, max_unavailable }) => max_surge + max_unavailable > 0);
const scaled = fc
  .record({
    min: fc.integer({ min: 0, max: 3 }),
    extra: fc.integer({ min: 1, max: 7 }),
    concurrency: fc.integer({ min: 1, max: 3 }),
    update,
  })
  .map(({ min, extra, ...more }) => poolOf({ min, max: min + extra, ...more }));

const happening = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ what: fc.constant('tasks' as const), n: fc.integer({ min: 0, max: 12 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('kill' as const), n: fc.integer({ min: 0, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('forget' as const), n: fc.constant(0) }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('template' as const), n: fc.integer({ min: 0, max: 4 }) }),
  },
);
const story = fc.array(fc.record({ event: happening, seconds: fc.integer({ min: 1, max: 40 }) }), {
  maxLength: 25,
});

const bounds = ({ min, max, count }: PoolSpec) => [min ?? count ?? 0, max ?? count ?? 0] as const;

/** Invariants that hold after every decision. */
function holds(world: World, { intents, status }: PoolDecision): void {
  const [least, most] = bounds(world.spec);
  expect(status.desired).toBeGreaterThanOrEqual(least);
  expect(status.desired).toBeLessThanOrEqual(most);
  const surge = world.spec.update?.max_surge ?? 1;
  const adds = intents.some(({ type }) => type === 'add');
  if (adds) expect(world.staying.length).toBeLessThanOrEqual(status.desired + surge);
  const busyOnes = intents.filter((one) => one.type === 'retire' && one.busy && one.why === 'surplus');
  // A busy one of the newest template leaves only if no idle one of it is left.
  if (busyOnes.length > 0) {
    const idle = world.ready.filter(({ busy, revision }) => !busy && revision === world.revision);
    const outdated = world.bodies.some(({ revision }) => revision !== world.revision);
    if (!outdated) expect(idle).toEqual([]);
  }
  const places = world.bodies.map(({ index }) => index);
  expect(new Set(places).size).toBe(places.length);
}

function live(world: World, told: { event: { what: string; n: number }; seconds: number }[]): void {
  for (const { event, seconds } of told) {
    if (event.what === 'tasks') world.queued += event.n;
    if (event.what === 'kill') world.kill(event.n);
    if (event.what === 'forget') world.memo = undefined;
    if (event.what === 'template') world.apply(world.spec, `t${event.n}`);
    for (let second = 0; second < seconds; second += 1) holds(world, world.step());
  }
}

test('whatever happens, a scaled pool keeps its bounds, and settles at its minimum', () => {
  fc.assert(
    fc.property(scaled, story, (spec, told) => {
      const world = new World(spec);
      live(world, told);
      for (let second = 0; second < 400; second += 1) holds(world, world.step());
      const { intents, status } = world.step();
      expect(intents).toEqual([]);
      expect(status).toMatchObject({ phase: 'ready', ready: spec.min, queued: 0, updated: spec.min });
    }),
    RUNS,
  );
});

test('whatever happens, a fixed pool settles at its requested size', () => {
  fc.assert(
    fc.property(size, update, story, (count, how, told) => {
      const world = new World(poolOf({ count, update: how }));
      live(world, told);
      world.queued = 0;
      for (let second = 0; second < 300; second += 1) holds(world, world.step());
      const { intents, status } = world.step();
      expect(intents).toEqual([]);
      expect(status).toMatchObject({ phase: 'ready', ready: count, updated: count });
    }),
    RUNS,
  );
});

test('while a new template is rolled out, as many are ready as its strategy promises, and no task is lost', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      update,
      fc.integer({ min: 0, max: 60 }),
      (count, how, queued) => {
        const world = new World(poolOf({ count, update: { ...how, min_ready_seconds: 0 } }));
        for (let second = 0; second < 10; second += 1) world.step();
        expect(world.ready).toHaveLength(count);
        world.queued = queued;
        world.apply(world.spec, 'b');
        for (
          let second = 0;
          second < 200 && (second < 2 || world.status?.reason === 'RollingOut');
          second += 1
        ) {
          world.step();
          expect(world.ready.length).toBeGreaterThanOrEqual(count - how.max_unavailable);
          expect(world.staying.length).toBeLessThanOrEqual(count + how.max_surge);
        }
        expect(world.ready.every(({ revision }) => revision === 'b')).toBe(true);
        for (let second = 0; second < 300; second += 1) world.step();
        expect(world.done).toBe(queued);
      },
    ),
    RUNS,
  );
});

test('a template that does not work is stopped automatically, and costs no more than its strategy allows', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), update, (count, how) => {
      const world = new World(poolOf({ count, update: { ...how, progress_deadline_seconds: 60 } }));
      for (let second = 0; second < 10; second += 1) world.step();
      world.broken.add('b');
      world.apply(world.spec, 'b');
      for (let second = 0; second < 120; second += 1) {
        world.step();
        expect(world.ready.length).toBeGreaterThanOrEqual(count - how.max_unavailable);
      }
      // A strategy that allows all workers to be unavailable leaves no old one to return to.
      expect(world.status).toMatchObject({ phase: count > how.max_unavailable ? 'stopped' : 'degraded' });
      expect(world.step().intents).toEqual([]);
      // A template that works continues from there.
      world.apply(world.spec, 'c');
      for (let second = 0; second < 200; second += 1) world.step();
      expect(world.status).toMatchObject({ phase: 'ready', ready: count, updated: count });
    }),
    RUNS,
  );
});

test('under a steady load with noise, a scaled pool does not go up and down', () => {
  const noise = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 30, maxLength: 30 });
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 15 }), noise, (load, noises) => {
      const world = new World(poolOf({ min: 0, max: 20 }), { task: 1 });
      let changes = 0;
      let before = -1;
      for (let second = 0; second < 1200; second += 1) {
        world.queued = Math.max(0, load + (noises[second % noises.length] ?? 0));
        const { status } = world.step();
        if (second > 120 && before !== status.desired) changes += 1;
        before = status.desired;
      }
      expect(changes).toBeLessThanOrEqual(1);
    }),
    RUNS,
  );
});

test('bursts that recur within the window neither start nor end workers', () => {
  const world = new World(poolOf({ min: 0, max: 10 }), { task: 1 });
  const sizes = new Set<number>();
  for (let second = 0; second < 1800; second += 1) {
    if (second % 45 === 0) world.queued += 10;
    const { status } = world.step();
    if (second > 60) sizes.add(status.desired);
  }
  expect([...sizes]).toEqual([10]);
});
