import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { BodyConflict } from '../../src/runtimes/runtime.ts';
import type { ConformanceFixture } from './fixture.ts';

/** A body is made once, with the fields of its order, and foreign objects are left alone. */
export function createSuite(fixture: ConformanceFixture): void {
  const { make } = fixture;

  describe('create', () => {
    test('labels a body with its store, if it has one', async () => {
      const order = fixture.subject.order(fixture.worker, 'runs');
      const store = randomUUID();
      await fixture.runtime.create({ ...order, store });
      const other = await fixture.runtime.create(fixture.subject.order(randomUUID(), 'runs'));
      const bodies = await fixture.runtime.list();
      expect(bodies.find(({ worker_id }) => worker_id === order.worker_id)?.store).toBe(store);
      expect((await fixture.runtime.find(order.worker_id, undefined))[0]?.store).toBe(store);
      expect(bodies.find(({ id }) => id === other.id)?.store).toBeUndefined();
    });

    test('makes an unstarted body with the fields of its order', async () => {
      const before = Date.now();
      const order = fixture.subject.order(fixture.worker, 'runs');
      const body = await fixture.runtime.create(order);
      expect(body).toMatchObject({
        runtime: fixture.runtime.name,
        worker_id: fixture.worker,
        incarnation: order.incarnation,
        spec_hash: order.spec_hash,
        state: 'created',
      });
      expect(body.id).toMatch(/\S/);
      expect(JSON.parse(body.spec)).toEqual(order.spec);
      // Engines report whole seconds, and some use another clock.
      expect(body.created_at).toBeGreaterThan(before - 10_000);
      expect(body.created_at).toBeLessThan(Date.now() + 10_000);
      expect(body.exit_code).toBeUndefined();
      expect(await fixture.subject.alive(body)).toBe(0);
    });

    test('is reported equally by list and by find, in both managers', async () => {
      const body = await make('runs');
      for (const manager of [fixture.runtime, fixture.subject.second]) {
        expect(await manager.list()).toEqual([body]);
        expect(await manager.find(fixture.worker, undefined)).toEqual([body]);
        expect(await manager.find(fixture.worker, body.id)).toEqual([body]);
      }
    });

    test('finds nothing for a worker without a body', async () => {
      expect(await fixture.runtime.list()).toEqual([]);
      expect(await fixture.runtime.find(fixture.worker, undefined)).toEqual([]);
      const gone = await make('runs');
      await fixture.runtime.remove(gone.id);
      expect(await fixture.runtime.find(fixture.worker, gone.id)).toEqual([]);
    });

    test('refuses a second body of the same worker, whatever its incarnation', async () => {
      const body = await make('runs');
      const again = fixture.runtime.create({
        ...fixture.subject.order(fixture.worker, 'runs'),
        incarnation: 2,
      });
      await expect(again).rejects.toBeInstanceOf(BodyConflict);
      await expect(again).rejects.toMatchObject({ ours: true });
      expect((await fixture.runtime.list()).map(({ id }) => id)).toEqual([body.id]);
    });

    test('succeeds for one of three concurrent calls', async () => {
      const order = fixture.subject.order(fixture.worker, 'runs');
      const tries = [fixture.runtime, fixture.subject.second, fixture.runtime].map((manager) =>
        manager.create(order),
      );
      const results = await Promise.allSettled(tries);
      const made = results.filter((result) => result.status === 'fulfilled');
      expect(made).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected')
          expect(result.reason).toMatchObject({ name: 'BodyConflict', ours: true });
      }
      expect((await fixture.runtime.list()).map(({ id }) => id)).toEqual(made.map(({ value }) => value.id));
    });

    test('does not touch or report a foreign object with the name', async () => {
      const foreign = await fixture.subject.occupyName(fixture.worker);
      try {
        await expect(make('runs')).rejects.toMatchObject({ name: 'BodyConflict', ours: false });
        expect(await fixture.runtime.find(fixture.worker, undefined)).toEqual([]);
        expect(await fixture.runtime.list()).toEqual([]);
        expect(await foreign.isThere()).toBe(true);
      } finally {
        await foreign.remove();
      }
      expect((await make('runs')).state).toBe('created');
    });

    test('gives each body a unique ID', async () => {
      const ids = new Set<string>();
      for (let count = 0; count < 3; count += 1) {
        const { id } = await make('runs');
        ids.add(id);
        await fixture.runtime.remove(id);
      }
      expect(ids.size).toBe(3);
    });
  });
}
