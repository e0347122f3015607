import { describe, expect, test, vi } from 'vitest';
import { type ConformanceFixture, PATIENCE } from './fixture.ts';
import { PRINTED } from './subject.ts';

/** How a body ended is known until it is removed. */
export function endSuite(fixture: ConformanceFixture): void {
  const { needs, make, find, reach, run, runToEnd } = fixture;

  describe('the end of a body', () => {
    test.each([0, 3])('keeps exit code %i', async (exits) => {
      const body = await runToEnd({ exits });
      expect(body.exit_code).toBe(exits);
      expect(body.oom_killed ?? false).toBe(false);
      expect(body.finished_at).toBeGreaterThanOrEqual((body.started_at ?? 0) - 1000);
      expect(await fixture.subject.second.list()).toMatchObject([
        { id: body.id, state: 'exited', exit_code: exits },
      ]);
    });

    test('is 137 and not out of memory if another process killed it', async () => {
      await fixture.subject.killFromOutside(await run('runs'));
      const body = await reach('exited');
      expect(body.exit_code).toBe(137);
      expect(body.oom_killed ?? false).toBe(false);
    });

    needs('oom', 'is distinguished if memory ran out', async () => {
      const { id } = await make('oom');
      await fixture.runtime.start(id);
      expect((await reach('exited')).exit_code).not.toBe(0);
      // An engine may report the end before its cause.
      await vi.waitFor(async () => expect((await find())?.oom_killed).toBe(true), PATIENCE);
    });

    test('is 143 when it was terminated', async () => {
      const { id } = await run('runs');
      await fixture.runtime.terminate(id);
      expect(await reach('exited')).toMatchObject({ id, exit_code: 143 });
    });

    test('is forced by kill, but not by terminate', async () => {
      const body = await run('ignoresSigterm');
      const alive = await fixture.subject.alive(body);
      await fixture.runtime.terminate(body.id);
      await fixture.runtime.terminate(body.id);
      expect(await fixture.subject.alive(body)).toBeGreaterThanOrEqual(alive);
      expect(await find()).toMatchObject({ state: 'running' });
      await fixture.runtime.kill(body.id);
      expect(await reach('exited')).toMatchObject({ id: body.id, exit_code: 137 });
    });

    needs('grandchildren', 'takes grandchildren in sessions of their own along', async () => {
      const body = await run('ignoresSigterm');
      expect(await fixture.subject.alive(body)).toBeGreaterThan(1);
      await fixture.runtime.kill(body.id);
      await vi.waitFor(async () => expect(await fixture.subject.alive(body)).toBe(0), PATIENCE);
    });

    needs('pause', 'comes by kill to a paused body too', async () => {
      const body = await run('runs');
      await fixture.subject.pause?.(body);
      await vi.waitFor(
        async () => expect(await find()).toMatchObject({ state: 'running', paused: true }),
        PATIENCE,
      );
      await fixture.runtime.kill(body.id);
      expect(await reach('exited')).toMatchObject({ exit_code: 137 });
    });

    test('keeps the last lines of output for find, but not for list', async () => {
      const body = await runToEnd('prints');
      expect(body.exit_code).toBe(3);
      expect(body.tail).toContain(PRINTED);
      expect((await fixture.runtime.list())[0]?.tail).toBeUndefined();
    });

    test('can be requested again after it', async () => {
      const { id } = await runToEnd({ exits: 3 });
      await fixture.runtime.terminate(id);
      await fixture.runtime.kill(id);
      expect(await find()).toMatchObject({ id, state: 'exited', exit_code: 3 });
    });
  });

  describe('remove', () => {
    test('ends a running body by force', async () => {
      const body = await run('ignoresSigterm');
      await fixture.runtime.remove(body.id);
      expect(await fixture.runtime.list()).toEqual([]);
      await vi.waitFor(async () => expect(await fixture.subject.alive(body)).toBe(0), PATIENCE);
    });

    test('succeeds however often, and by whichever manager, it is called', async () => {
      const { id } = await run('runs');
      await Promise.all([
        fixture.runtime.remove(id),
        fixture.subject.second.remove(id),
        fixture.runtime.remove(id),
      ]);
      await fixture.runtime.remove(id);
      expect(await fixture.runtime.list()).toEqual([]);
    });

    test('never touches a later body', async () => {
      const old = await make('runs');
      await fixture.runtime.remove(old.id);
      const body = await run('runs');
      await fixture.subject.second.remove(old.id);
      await fixture.subject.second.kill(old.id);
      await fixture.subject.second.terminate(old.id);
      expect(await find()).toMatchObject({ id: body.id, state: 'running' });
      expect(await fixture.subject.alive(body)).toBeGreaterThan(0);
    });

    test('leaves nothing to end or measure', async () => {
      const { id } = await make('runs');
      await fixture.runtime.remove(id);
      await fixture.runtime.terminate(id);
      await fixture.runtime.kill(id);
      expect(await fixture.runtime.usage(id)).toEqual({});
    });
  });
}
