import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { formatInstant } from '../../src/model/index.ts';
import { answers, NOW, next, type StoreFixture, spec, status } from './store-fixture.ts';

/** How commands change desired records, and what they answer. */
export function acceptSuite(fixture: StoreFixture): void {
  const { create, desire, load, outcomes } = fixture;

  test('stores the requested fields, and reports missing ones', async () => {
    expect(await fixture.store.load(fixture.id)).toBeUndefined();
    expect(await fixture.store.status(fixture.id)).toBeUndefined();
    expect(await create('r1')).toBe('ok');
    const desired = {
      desired: 'running',
      generation: 1,
      created_at: formatInstant(NOW),
      request_id: 'r1',
      spec,
    };
    expect(await fixture.store.load(fixture.id)).toEqual({
      record: { id: fixture.id, desired, status: undefined, memo: undefined, revision: 0 },
      heartbeat: undefined,
    });
    expect(await fixture.store.status(fixture.id)).toEqual({ desired: 'running', status: undefined });
    expect(await fixture.store.index()).toEqual({ [fixture.id]: '1.0' });
  });

  test('lists workers in the order of their creation', async () => {
    const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
    await create('r2', second, NOW + 2);
    await create('r1', first, NOW + 1);
    await create('r3', third, NOW + 3);
    expect(await fixture.store.ids()).toEqual([first, second, third]);
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
      expect(await fixture.store.index()).toEqual({ [fixture.id]: once });
      // A start always has an effect: the worker may have ended unobserved.
      expect(await desire(to)).toBe(to === 'running' ? 'ok' : 'same');
      expect(await fixture.store.index()).toEqual({ [fixture.id]: twice });
    },
  );

  test('answers a command for an unknown worker, and never reuses an ID', async () => {
    expect(await desire('deleted')).toBe('not_found');
    expect(await create()).toBe('ok');
    expect(await create()).toBe('conflict');
    expect(await outcomes()).toEqual(['not_found', 'ok', 'conflict']);
    expect((await load()).desired.generation).toBe(1);
  });

  test('recognizes a repeated request, even from another leader', async () => {
    await create('r1');
    expect(await desire('stopped', 'r2')).toBe('ok');
    expect(await desire('running', 'r3')).toBe('ok');
    fixture.epoch = await fixture.subject.acquire();
    expect(await create('r1', randomUUID())).toBe('repeated');
    expect(await desire('stopped', 'r2')).toBe('repeated');
    expect((await load()).desired).toMatchObject({ desired: 'running', generation: 3 });
    expect(await outcomes()).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
    expect(await fixture.store.ids()).toEqual([fixture.id]);
  });

  test('remembers a permanent rejection, but not a temporary one', async () => {
    const refuse = (operation: 'later' | 'answer', requestId: string) =>
      fixture.subject.settle(fixture.epoch, { requestId, operation, answers });
    expect([await refuse('later', 'a'), await refuse('later', 'a')]).toEqual(['ok', 'ok']);
    expect([await refuse('answer', 'b'), await refuse('answer', 'b')]).toEqual(['ok', 'repeated']);
  });

  test('notes which body a restart replaces, and remembers the request', async () => {
    await create();
    const restart = (requestId: string) =>
      fixture.subject.settle(fixture.epoch, {
        requestId,
        operation: 'restart',
        workerId: fixture.id,
        desired: 'running',
        answers,
      });
    expect(await restart('early')).toBe('ok');
    expect((await load()).desired).toMatchObject({ generation: 2, min_incarnation: 1 });
    await fixture.store.record(fixture.epoch, await load(), {
      ...next,
      status: { ...status, incarnation: 4 },
    });
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
      return fixture.subject.settle(fixture.epoch, { ...what, answers: named });
    };
    const ask = (workerId: string, desired: 'running' | 'stopped' | 'deleted') => {
      const what = { requestId: randomUUID(), operation: 'desire', workerId, desired } as const;
      return fixture.subject.settle(fixture.epoch, { ...what, answers: named });
    };
    const [second, third] = [randomUUID(), randomUUID()];
    expect([await give(fixture.id), await give(second)]).toEqual(['ok', 'name_taken']);
    expect((await outcomes()).at(-1)).toBe(`taken by ${fixture.id}`);
    // A worker that was asked to stop is still alive until its status shows that it has ended.
    await ask(fixture.id, 'stopped');
    expect(await give(second)).toBe('name_taken');
    const ended = { ...status, status: 'STOPPED', phase: 'finished', observed_generation: 2 } as const;
    await fixture.store.record(fixture.epoch, await load(), { ...next, status: ended });
    expect(await give(second)).toBe('ok');
    expect(await ask(fixture.id, 'running')).toBe('name_taken');
    await ask(second, 'deleted');
    expect(await ask(fixture.id, 'running')).toBe('ok');
    expect(await give(third)).toBe('name_taken');
    await ask(fixture.id, 'deleted');
    await fixture.store.purge(fixture.epoch, await load());
    expect(await give(third)).toBe('ok');
  });

  test('reports with a repeated answer that its worker has been deleted since', async () => {
    const text = JSON.stringify({ command: 'create', success: true, worker_id: fixture.id });
    const again = () => {
      const created = { spec, at: formatInstant(NOW), ms: NOW, prompt: undefined };
      const what = { requestId: 'first', operation: 'create', workerId: fixture.id, created } as const;
      return fixture.subject.settle(fixture.epoch, { ...what, answers: { ok: text } });
    };
    expect([await again(), await again()]).toEqual(['ok', 'repeated']);
    const before = (await fixture.subject.answers()).slice(-2);
    await desire('deleted');
    await again();
    await fixture.store.purge(fixture.epoch, await load());
    await again();
    const after = (await fixture.subject.answers()).slice(-2);
    expect(before).toEqual([JSON.parse(text), JSON.parse(text)]);
    for (const answer of after) expect(answer).toEqual({ ...JSON.parse(text), worker_deleted: true });
  });

  test('reports with a repeated answer that the repeated command has other fields', async () => {
    const send = (requestId: string, fingerprint: string) =>
      fixture.subject.settle(fixture.epoch, { requestId, fingerprint, operation: 'answer', answers });
    expect([await send('a', 'abc1'), await send('a', 'abc1'), await send('a', '77')]).toEqual([
      'ok',
      'repeated',
      'repeated',
    ]);
    const replies = [{ is: 'ok' }, { is: 'ok' }, { is: 'ok', differs: true }];
    expect(await fixture.subject.answers()).toEqual(replies);
    // A command that could not be read has none.
    await send('a', '');
    expect((await fixture.subject.answers()).at(-1)).toEqual({ is: 'ok' });
  });

  test('refuses a change of a generation that is not the one it was made for', async () => {
    const stale = { ...answers, stale: '{"is":"at @generation@"}' };
    const change = (ifGeneration: number, desired: 'running' | 'stopped' | 'deleted') => {
      const what = {
        requestId: randomUUID(),
        operation: 'desire',
        workerId: fixture.id,
        desired,
      } as const;
      return fixture.subject.settle(fixture.epoch, { ...what, ifGeneration, answers: stale });
    };
    expect(await change(1, 'stopped')).toBe('not_found');
    await create();
    expect([await change(2, 'stopped'), await change(0, 'deleted')]).toEqual(['stale', 'stale']);
    expect((await outcomes()).slice(-2)).toEqual(['at 1', 'at 1']);
    expect((await load()).desired).toMatchObject({ desired: 'running', generation: 1 });
    const both = await Promise.all([change(1, 'stopped'), change(1, 'deleted')]);
    expect(both.sort()).toEqual(['ok', 'stale']);
    expect((await load()).desired.generation).toBe(2);
  });

  test('does not remember answers to reads', async () => {
    const read = (ok: string) =>
      fixture.subject.settle(fixture.epoch, { requestId: 'r', operation: 'read', answers: { ok } });
    expect([await read('{"is":"one"}'), await read('{"is":"two"}')]).toEqual(['ok', 'ok']);
    expect(await outcomes()).toEqual(['one', 'two']);
  });
}
