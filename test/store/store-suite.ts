/**
 * The loop's requirements on a store. The real one on Redis and the one in memory, which the property tests
 * use, both pass this. Each new rule of a script gets a test here, so that the model cannot drift away from
 * it.
 */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  formatInstant,
  type Heartbeat,
  type StatusRecord,
  type WorkerRecord,
  workerSpec,
} from '../../src/model/index.ts';
import { type CommandOutcome, type CommandSettlement, Fenced } from '../../src/store/index.ts';
import type { LoopStore } from '../support/memory-store.ts';

export interface StoreSubject {
  store: LoopStore;
  /** Creates another leader, as if the previous lease had ended; returns its epoch. */
  acquire(): Promise<number>;
  settle(epoch: number, what: Omit<CommandSettlement, 'entry' | 'replyTo'>): Promise<CommandOutcome>;
  /** All answers so far, in order. */
  answers(): Promise<unknown[]>;
  beat(id: string, heartbeat: Heartbeat): Promise<void>;
}

const NOW = Date.parse('2030-01-01T00:00:00.000Z');
const spec = workerSpec.parse({ agent_type: 'CUSTOM', command_line: ['agent'], runtime: 'process' });
/** A new identity for each call. */
export const identityAt = (at: number) => ({ id: randomUUID(), created_at: formatInstant(at), adopted: {} });
const memo = { machine_version: 1, value: { STARTING: 'creating' }, context: { incarnation: 1 } };
const status: StatusRecord = {
  status: 'STARTING',
  phase: 'creating',
  reason: '',
  message: 'é"\n',
  incarnation: 1,
  restarts: 0,
  runtime: 'process',
  observed_generation: 1,
  exit_code: undefined,
  image: 'worker:1',
};
const next = { status, memo, event: undefined };

export function storeSuite(name: string, makeSubject: () => Promise<StoreSubject>): void {
  describe(`a store (${name})`, () => {
    let subject: StoreSubject;
    let store: LoopStore;
    let epoch: number;
    let id: string;

    beforeEach(async () => {
      subject = await makeSubject();
      store = subject.store;
      epoch = await subject.acquire();
      id = randomUUID();
    });

    const answers = { ok: '{"is":"ok"}', conflict: '{"is":"conflict"}', not_found: '{"is":"not_found"}' };
    const create = (requestId: string = randomUUID(), workerId = id, at = NOW) => {
      const created = { spec, at: formatInstant(at), ms: at, prompt: undefined };
      return subject.settle(epoch, { requestId, operation: 'create', workerId, created, answers });
    };
    const desire = (desired: 'running' | 'stopped' | 'deleted', requestId: string = randomUUID()) =>
      subject.settle(epoch, { requestId, operation: 'desire', workerId: id, desired, answers });
    const load = async (): Promise<WorkerRecord> => {
      const loaded = await store.load(id);
      if (!loaded) throw new Error('there is no record');
      return loaded.record;
    };
    const said = async () => (await subject.answers()).map((answer) => (answer as { is: string }).is);

    test('stores the requested fields, and reports missing ones', async () => {
      expect(await store.load(id)).toBeUndefined();
      expect(await store.status(id)).toBeUndefined();
      expect(await create('r1')).toBe('ok');
      const desired = {
        desired: 'running',
        generation: 1,
        created_at: formatInstant(NOW),
        request_id: 'r1',
        spec,
      };
      expect(await store.load(id)).toEqual({
        record: { id, desired, status: undefined, memo: undefined, revision: 0 },
        heartbeat: undefined,
      });
      expect(await store.status(id)).toEqual({ desired: 'running', status: undefined });
      expect(await store.index()).toEqual({ [id]: '1.0' });
    });

    test('lists workers in the order of their creation', async () => {
      const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
      await create('r2', second, NOW + 2);
      await create('r1', first, NOW + 1);
      await create('r3', third, NOW + 3);
      expect(await store.ids()).toEqual([first, second, third]);
    });

    test.each([
      ['stop', 'stopped', 'stopped', '2.0', '2.0'],
      ['start', 'running', 'running', '2.0', '3.0'],
      ['delete', 'deleted', 'deleted', '2.0', '2.0'],
    ] as const)(
      '%s changes what is desired, and reports when it changes nothing',
      async (_, to, is, once, twice) => {
        await create();
        expect(await desire(to)).toBe('ok');
        expect((await load()).desired.desired).toBe(is);
        expect(await store.index()).toEqual({ [id]: once });
        // A start always has an effect: the worker may have ended unobserved.
        expect(await desire(to)).toBe(to === 'running' ? 'ok' : 'same');
        expect(await store.index()).toEqual({ [id]: twice });
      },
    );

    test('answers a command for an unknown worker, and never reuses an ID', async () => {
      expect(await desire('deleted')).toBe('not_found');
      expect(await create()).toBe('ok');
      expect(await create()).toBe('conflict');
      expect(await said()).toEqual(['not_found', 'ok', 'conflict']);
      expect((await load()).desired.generation).toBe(1);
    });

    test('recognizes a repeated request, even from another leader', async () => {
      await create('r1');
      expect(await desire('stopped', 'r2')).toBe('ok');
      expect(await desire('running', 'r3')).toBe('ok');
      epoch = await subject.acquire();
      expect(await create('r1', randomUUID())).toBe('repeated');
      expect(await desire('stopped', 'r2')).toBe('repeated');
      expect((await load()).desired).toMatchObject({ desired: 'running', generation: 3 });
      expect(await said()).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
      expect(await store.ids()).toEqual([id]);
    });

    test('remembers a permanent rejection, but not a temporary one', async () => {
      const refuse = (operation: 'later' | 'answer', requestId: string) =>
        subject.settle(epoch, { requestId, operation, answers });
      expect([await refuse('later', 'a'), await refuse('later', 'a')]).toEqual(['ok', 'ok']);
      expect([await refuse('answer', 'b'), await refuse('answer', 'b')]).toEqual(['ok', 'repeated']);
    });

    test('stores a decision unchanged', async () => {
      await create();
      expect(await store.record(epoch, await load(), next)).toBe('ok');
      const { exit_code: _, ...kept } = status;
      expect(await load()).toMatchObject({ status: kept, memo, revision: 1 });
      expect((await load()).status).not.toHaveProperty('exit_code', expect.anything());
      expect(await store.index()).toEqual({ [id]: '1.1' });
      expect((await store.status(id))?.status).toEqual(kept);
    });

    test('rejects a decision based on an older status', async () => {
      await create();
      const read = await load();
      expect(await store.record(epoch, read, next)).toBe('ok');
      const late = { ...next, status: { ...status, incarnation: 9 } };
      expect(await store.record(epoch, read, late)).toBe('conflict');
      expect(await load()).toMatchObject({ status: { incarnation: 1 }, revision: 1 });
    });

    test('rejects a decision based on an older desired record', async () => {
      await create();
      const read = await load();
      await desire('stopped');
      expect(await store.record(epoch, read, next)).toBe('conflict');
      expect(await store.purge(epoch, read)).toBe('conflict');
      expect(await load()).toMatchObject({ desired: { desired: 'stopped' }, status: undefined });
    });

    test('a command does not change the status, nor a status the desired record', async () => {
      await create();
      await store.record(epoch, await load(), next);
      await desire('stopped');
      expect(await store.index()).toEqual({ [id]: '2.1' });
      expect(await store.record(epoch, await load(), next)).toBe('ok');
      expect(await load()).toMatchObject({ desired: { desired: 'stopped', generation: 2 }, revision: 2 });
      expect(await store.index()).toEqual({ [id]: '2.2' });
    });

    test('deletes a worker and leaves a tombstone', async () => {
      await create();
      await store.record(epoch, await load(), next);
      await desire('deleted');
      const read = await load();
      expect(await store.purge(epoch, read)).toBe('ok');
      expect(await store.load(id)).toBeUndefined();
      expect([await store.ids(), await store.index()]).toEqual([[], {}]);
      expect(await store.status(id)).toMatchObject({ desired: 'deleted', status: { phase: 'creating' } });
      // Late decisions do not restore anything.
      expect(await store.purge(epoch, read)).toBe('gone');
      expect(await store.record(epoch, read, next)).toBe('gone');
      expect(await store.index()).toEqual({});
    });

    test('a deleted worker can be deleted again, but not started or recreated', async () => {
      await create();
      await desire('deleted');
      await store.purge(epoch, await load());
      expect(await desire('deleted')).toBe('same');
      expect(await desire('running')).toBe('conflict');
      expect(await desire('stopped')).toBe('conflict');
      expect(await create()).toBe('conflict');
      expect(await store.restore(epoch, id, spec, NOW)).toBe(false);
      expect(await store.load(id)).toBeUndefined();
    });

    test('rejects every write of a former leader, but none of its reads', async () => {
      await create('r1');
      const read = await load();
      const old = epoch;
      epoch = await subject.acquire();
      expect(epoch).toBeGreaterThan(old);
      expect([await store.leads(old), await store.leads(epoch)]).toEqual([false, true]);
      const settle = (operation: 'create' | 'desire' | 'answer') =>
        subject.settle(old, {
          requestId: randomUUID(),
          operation,
          workerId: id,
          desired: 'deleted',
          answers,
        });
      await expect(settle('create')).rejects.toThrow(Fenced);
      await expect(settle('desire')).rejects.toThrow(Fenced);
      await expect(settle('answer')).rejects.toThrow(Fenced);
      await expect(store.record(old, read, next)).rejects.toThrow(Fenced);
      await expect(store.purge(old, read)).rejects.toThrow(Fenced);
      await expect(store.restore(old, randomUUID(), spec, NOW)).rejects.toThrow(Fenced);
      await expect(store.identify(old, identityAt(NOW))).rejects.toThrow(Fenced);
      expect(await load()).toEqual(read);
      expect([await said(), await store.identity(), await store.ids()]).toEqual([['ok'], undefined, [id]]);
    });

    test('has one identity from its first leader on', async () => {
      expect(await store.identity()).toBeUndefined();
      expect((await store.indexState()).identity).toBeNull();
      await store.identify(epoch, identityAt(NOW));
      const first = await store.identity();
      expect(first?.created_at).toBe(formatInstant(NOW));
      await store.identify(epoch, identityAt(NOW + 1));
      expect(await store.identity()).toEqual(first);
      expect((await store.indexState()).identity).toBe(first?.id);
    });

    test('its revision changes with every write, and with nothing else', async () => {
      const pulses = [(await store.indexState()).revision];
      const note = async () => pulses.push((await store.indexState()).revision);
      await create();
      await note();
      await store.record(epoch, await load(), next);
      await note();
      await desire('deleted');
      await note();
      await store.purge(epoch, await load());
      await note();
      expect(new Set(pulses).size).toBe(5);
      await desire('deleted');
      await store.load(id);
      expect((await store.indexState()).revision).toBe(pulses.at(-1));
    });

    test('restores a record from the labels of its body, once', async () => {
      expect(await store.restore(epoch, id, spec, NOW)).toBe(true);
      expect(await store.restore(epoch, id, spec, NOW + 1)).toBe(false);
      expect((await load()).desired).toMatchObject({
        desired: 'running',
        generation: 1,
        created_at: formatInstant(NOW),
        request_id: `restored-${id}`,
      });
      expect([await store.ids(), await store.index()]).toEqual([[id], { [id]: '1.0' }]);
    });

    test('notes which body a restart replaces, and remembers the request', async () => {
      await create();
      const restart = (requestId: string) =>
        subject.settle(epoch, { requestId, operation: 'restart', workerId: id, desired: 'running', answers });
      expect(await restart('early')).toBe('ok');
      expect((await load()).desired).toMatchObject({ generation: 2, min_incarnation: 1 });
      await store.record(epoch, await load(), { ...next, status: { ...status, incarnation: 4 } });
      await desire('stopped');
      expect([await restart('again'), await restart('again')]).toEqual(['ok', 'repeated']);
      expect((await load()).desired).toMatchObject({ desired: 'running', generation: 4, min_incarnation: 5 });
      await desire('deleted');
      expect(await restart('late')).toBe('conflict');
    });

    test('gives one name to one living worker, and frees it at the end of that worker', async () => {
      const named = { ...answers, name_taken: '{"is":"taken by @holder@"}' };
      const give = (workerId: string) => {
        const created = {
          spec: { ...spec, name: 'ann' },
          at: formatInstant(NOW),
          ms: NOW,
          prompt: undefined,
        };
        const what = { requestId: randomUUID(), operation: 'create', workerId, created } as const;
        return subject.settle(epoch, { ...what, answers: named });
      };
      const ask = (workerId: string, desired: 'running' | 'stopped' | 'deleted') => {
        const what = { requestId: randomUUID(), operation: 'desire', workerId, desired } as const;
        return subject.settle(epoch, { ...what, answers: named });
      };
      const [second, third] = [randomUUID(), randomUUID()];
      expect([await give(id), await give(second)]).toEqual(['ok', 'name_taken']);
      expect((await said()).at(-1)).toBe(`taken by ${id}`);
      // A worker that was asked to stop is still alive until its status shows that it has ended.
      await ask(id, 'stopped');
      expect(await give(second)).toBe('name_taken');
      const ended = { ...status, status: 'STOPPED', phase: 'finished', observed_generation: 2 } as const;
      await store.record(epoch, await load(), { ...next, status: ended });
      expect(await give(second)).toBe('ok');
      expect(await ask(id, 'running')).toBe('name_taken');
      await ask(second, 'deleted');
      expect(await ask(id, 'running')).toBe('ok');
      expect(await give(third)).toBe('name_taken');
      await ask(id, 'deleted');
      await store.purge(epoch, await load());
      expect(await give(third)).toBe('ok');
    });

    test('reports with a repeated answer that its worker has been deleted since', async () => {
      const text = JSON.stringify({ command: 'create', success: true, worker_id: id });
      const again = () => {
        const created = { spec, at: formatInstant(NOW), ms: NOW, prompt: undefined };
        const what = { requestId: 'first', operation: 'create', workerId: id, created } as const;
        return subject.settle(epoch, { ...what, answers: { ok: text } });
      };
      expect([await again(), await again()]).toEqual(['ok', 'repeated']);
      const before = (await subject.answers()).slice(-2);
      await desire('deleted');
      await again();
      await store.purge(epoch, await load());
      await again();
      const after = (await subject.answers()).slice(-2);
      expect(before).toEqual([JSON.parse(text), JSON.parse(text)]);
      for (const answer of after) expect(answer).toEqual({ ...JSON.parse(text), worker_deleted: true });
    });

    test('reports with a repeated answer that the repeated command has other fields', async () => {
      const send = (requestId: string, fingerprint: string) =>
        subject.settle(epoch, { requestId, fingerprint, operation: 'answer', answers });
      expect([await send('a', 'abc1'), await send('a', 'abc1'), await send('a', '77')]).toEqual([
        'ok',
        'repeated',
        'repeated',
      ]);
      expect(await subject.answers()).toEqual([{ is: 'ok' }, { is: 'ok' }, { is: 'ok', differs: true }]);
      // A command that could not be read has none.
      await send('a', '');
      expect((await subject.answers()).at(-1)).toEqual({ is: 'ok' });
    });

    test('refuses a change of a generation that is not the one it was made for', async () => {
      const stale = { ...answers, stale: '{"is":"at @generation@"}' };
      const change = (ifGeneration: number, desired: 'running' | 'stopped' | 'deleted') => {
        const what = { requestId: randomUUID(), operation: 'desire', workerId: id, desired } as const;
        return subject.settle(epoch, { ...what, ifGeneration, answers: stale });
      };
      expect(await change(1, 'stopped')).toBe('not_found');
      await create();
      expect([await change(2, 'stopped'), await change(0, 'deleted')]).toEqual(['stale', 'stale']);
      expect((await said()).slice(-2)).toEqual(['at 1', 'at 1']);
      expect((await load()).desired).toMatchObject({ desired: 'running', generation: 1 });
      const both = await Promise.all([change(1, 'stopped'), change(1, 'deleted')]);
      expect(both.sort()).toEqual(['ok', 'stale']);
      expect((await load()).desired.generation).toBe(2);
    });

    test('does not remember answers to reads', async () => {
      const read = (ok: string) =>
        subject.settle(epoch, { requestId: 'r', operation: 'read', answers: { ok } });
      expect([await read('{"is":"one"}'), await read('{"is":"two"}')]).toEqual(['ok', 'ok']);
      expect(await said()).toEqual(['one', 'two']);
    });

    test('returns raw heartbeats in the requested order', async () => {
      const at = formatInstant(NOW);
      const beat = { incarnation: 1, phase: 'ready', at, active_at: at, busy: false, seq: 3 } as const;
      await create();
      await subject.beat(id, beat);
      expect((await store.load(id))?.heartbeat).toEqual(beat);
      const [none, found] = await store.heartbeats([randomUUID(), id]);
      expect([none, JSON.parse(found ?? '')]).toEqual([null, beat]);
    });
  });
}
