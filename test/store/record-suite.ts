import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { formatInstant } from '../../src/model/index.ts';
import { Fenced } from '../../src/store/index.ts';
import { answers, identityAt, memo, NOW, next, type StoreFixture, spec, status } from './store-fixture.ts';

/** How the loop stores its decisions: conditional, fenced, and until the worker is purged. */
export function recordSuite(fixture: StoreFixture): void {
  const { create, desire, load, outcomes } = fixture;

  test('stores a decision unchanged', async () => {
    await create();
    expect(await fixture.store.record(fixture.epoch, await load(), next)).toBe('ok');
    const { exit_code: _, ...kept } = status;
    expect(await load()).toMatchObject({ status: kept, memo, revision: 1 });
    expect((await load()).status).not.toHaveProperty('exit_code', expect.anything());
    expect(await fixture.store.index()).toEqual({ [fixture.id]: '1.1' });
    expect((await fixture.store.status(fixture.id))?.status).toEqual(kept);
  });

  test('rejects a decision based on an older status', async () => {
    await create();
    const read = await load();
    expect(await fixture.store.record(fixture.epoch, read, next)).toBe('ok');
    const late = { ...next, status: { ...status, incarnation: 9 } };
    expect(await fixture.store.record(fixture.epoch, read, late)).toBe('conflict');
    expect(await load()).toMatchObject({ status: { incarnation: 1 }, revision: 1 });
  });

  test('rejects a decision based on an older desired record', async () => {
    await create();
    const read = await load();
    await desire('stopped');
    expect(await fixture.store.record(fixture.epoch, read, next)).toBe('conflict');
    expect(await fixture.store.purge(fixture.epoch, read)).toBe('conflict');
    expect(await load()).toMatchObject({ desired: { desired: 'stopped' }, status: undefined });
  });

  test('a command does not change the status, nor a status the desired record', async () => {
    await create();
    await fixture.store.record(fixture.epoch, await load(), next);
    await desire('stopped');
    expect(await fixture.store.index()).toEqual({ [fixture.id]: '2.1' });
    expect(await fixture.store.record(fixture.epoch, await load(), next)).toBe('ok');
    expect(await load()).toMatchObject({ desired: { desired: 'stopped', generation: 2 }, revision: 2 });
    expect(await fixture.store.index()).toEqual({ [fixture.id]: '2.2' });
  });

  test('deletes a worker and leaves a tombstone', async () => {
    await create();
    await fixture.store.record(fixture.epoch, await load(), next);
    await desire('deleted');
    const read = await load();
    expect(await fixture.store.purge(fixture.epoch, read)).toBe('ok');
    expect(await fixture.store.load(fixture.id)).toBeUndefined();
    expect([await fixture.store.ids(), await fixture.store.index()]).toEqual([[], {}]);
    expect(await fixture.store.status(fixture.id)).toMatchObject({
      desired: 'deleted',
      status: { phase: 'creating' },
    });
    // Late decisions do not restore anything.
    expect(await fixture.store.purge(fixture.epoch, read)).toBe('gone');
    expect(await fixture.store.record(fixture.epoch, read, next)).toBe('gone');
    expect(await fixture.store.index()).toEqual({});
  });

  test('a deleted worker can be deleted again, but not started or recreated', async () => {
    await create();
    await desire('deleted');
    await fixture.store.purge(fixture.epoch, await load());
    expect(await desire('deleted')).toBe('same');
    expect(await desire('running')).toBe('conflict');
    expect(await desire('stopped')).toBe('conflict');
    expect(await create()).toBe('conflict');
    expect(await fixture.store.restore(fixture.epoch, fixture.id, spec, NOW)).toBe(false);
    expect(await fixture.store.load(fixture.id)).toBeUndefined();
  });

  test('rejects every write of a former leader, but none of its reads', async () => {
    await create('r1');
    const read = await load();
    const old = fixture.epoch;
    fixture.epoch = await fixture.subject.acquire();
    expect(fixture.epoch).toBeGreaterThan(old);
    expect([await fixture.store.leads(old), await fixture.store.leads(fixture.epoch)]).toEqual([false, true]);
    const settle = (operation: 'create' | 'desire' | 'answer') =>
      fixture.subject.settle(old, {
        requestId: randomUUID(),
        operation,
        workerId: fixture.id,
        desired: 'deleted',
        answers,
      });
    await expect(settle('create')).rejects.toThrow(Fenced);
    await expect(settle('desire')).rejects.toThrow(Fenced);
    await expect(settle('answer')).rejects.toThrow(Fenced);
    await expect(fixture.store.record(old, read, next)).rejects.toThrow(Fenced);
    await expect(fixture.store.purge(old, read)).rejects.toThrow(Fenced);
    await expect(fixture.store.restore(old, randomUUID(), spec, NOW)).rejects.toThrow(Fenced);
    await expect(fixture.store.identify(old, identityAt(NOW))).rejects.toThrow(Fenced);
    expect(await load()).toEqual(read);
    expect([await outcomes(), await fixture.store.identity(), await fixture.store.ids()]).toEqual([
      ['ok'],
      undefined,
      [fixture.id],
    ]);
  });

  test('has one identity from its first leader on', async () => {
    expect(await fixture.store.identity()).toBeUndefined();
    expect((await fixture.store.indexState()).identity).toBeNull();
    await fixture.store.identify(fixture.epoch, identityAt(NOW));
    const first = await fixture.store.identity();
    expect(first?.created_at).toBe(formatInstant(NOW));
    await fixture.store.identify(fixture.epoch, identityAt(NOW + 1));
    expect(await fixture.store.identity()).toEqual(first);
    expect((await fixture.store.indexState()).identity).toBe(first?.id);
  });

  test('its revision changes with every write, and with nothing else', async () => {
    const pulses = [(await fixture.store.indexState()).revision];
    const note = async () => pulses.push((await fixture.store.indexState()).revision);
    await create();
    await note();
    await fixture.store.record(fixture.epoch, await load(), next);
    await note();
    await desire('deleted');
    await note();
    await fixture.store.purge(fixture.epoch, await load());
    await note();
    expect(new Set(pulses).size).toBe(5);
    await desire('deleted');
    await fixture.store.load(fixture.id);
    expect((await fixture.store.indexState()).revision).toBe(pulses.at(-1));
  });

  test('restores a record from the labels of its body, once', async () => {
    expect(await fixture.store.restore(fixture.epoch, fixture.id, spec, NOW)).toBe(true);
    expect(await fixture.store.restore(fixture.epoch, fixture.id, spec, NOW + 1)).toBe(false);
    expect((await load()).desired).toMatchObject({
      desired: 'running',
      generation: 1,
      created_at: formatInstant(NOW),
      request_id: `restored-${fixture.id}`,
    });
    expect([await fixture.store.ids(), await fixture.store.index()]).toEqual([
      [fixture.id],
      { [fixture.id]: '1.0' },
    ]);
  });

  test('returns raw heartbeats in the requested order', async () => {
    const at = formatInstant(NOW);
    const beat = { incarnation: 1, phase: 'ready', at, active_at: at, busy: false, seq: 3 } as const;
    await create();
    await fixture.subject.beat(fixture.id, beat);
    expect((await fixture.store.load(fixture.id))?.heartbeat).toEqual(beat);
    const [none, found] = await fixture.store.heartbeats([randomUUID(), fixture.id]);
    expect([none, JSON.parse(found ?? '')]).toEqual([null, beat]);
  });
}
