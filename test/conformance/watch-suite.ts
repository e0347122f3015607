import { describe, expect, test, vi } from 'vitest';
import type { Runtime } from '../../src/runtimes/runtime.ts';
import { type ConformanceFixture, PATIENCE } from './fixture.ts';

/** Events of bodies reach every manager. */
export function watchSuite(fixture: ConformanceFixture): void {
  const { needs, reach, run, runToEnd } = fixture;

  describe('watch', () => {
    const collect = (manager: Runtime) => {
      const hints: (string | undefined)[] = [];
      const watch = manager.watch((workerId) => hints.push(workerId));
      return { hints, watch, about: () => hints.includes(fixture.worker) || hints.includes(undefined) };
    };

    test('reports the start and the end of a body to each manager', async () => {
      const all = [fixture.runtime, fixture.subject.second].map(collect);
      const { id } = await run('runs');
      for (const { about } of all) await vi.waitFor(() => expect(about()).toBe(true), PATIENCE);
      for (const { hints } of all) hints.length = 0;
      await fixture.runtime.terminate(id);
      await reach('exited');
      for (const { about } of all) await vi.waitFor(() => expect(about()).toBe(true), PATIENCE);
      for (const { watch } of all) await watch.close();
    });

    needs('reconnect', 'asks for a resync after it was cut off, and continues', async () => {
      const { hints, watch, about } = collect(fixture.runtime);
      const { id } = await run('runs');
      await vi.waitFor(() => expect(about()).toBe(true), PATIENCE);
      hints.length = 0;
      await fixture.subject.breakWatch?.();
      await vi.waitFor(() => expect(hints).toContain(undefined), PATIENCE);
      hints.length = 0;
      await fixture.runtime.terminate(id);
      await vi.waitFor(() => expect(about()).toBe(true), PATIENCE);
      await watch.close();
    });

    test('is silent once it is closed', async () => {
      const { hints, watch } = collect(fixture.runtime);
      await watch.close();
      hints.length = 0;
      await runToEnd({ exits: 0 });
      expect(hints).toEqual([]);
    });
  });
}
