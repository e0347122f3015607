/**
 * The loop's requirements on every runtime, tested on real bodies. A runtime passes with a file next to this
 * one: `runtimeConformance('docker', async () => subject, { skip: { pause: 'why not' } })`.
 */
import { describe, expect, test } from 'vitest';
import { connectSuite } from './connect-suite.ts';
import { createSuite } from './create-suite.ts';
import { endSuite } from './end-suite.ts';
import { ConformanceFixture, type Skip } from './fixture.ts';
import { startSuite } from './start-suite.ts';
import type { Subject } from './subject.ts';
import { watchSuite } from './watch-suite.ts';
import { workspaceConformance } from './workspaces.ts';

export * from './subject.ts';

/**
 * Registers the suite. `skip` lists what this runtime does not support, each with the reason that is printed.
 */
export function runtimeConformance(
  name: string,
  makeSubject: () => Promise<Subject>,
  { skip = {} }: { skip?: Skip } = {},
): void {
  describe(`a runtime (${name})`, () => {
    const fixture = new ConformanceFixture(name, makeSubject, skip);
    const { needs, make, find, reach, run } = fixture;

    test('reports its name and which limits it enforces', async () => {
      const info = await fixture.runtime.probe();
      expect(info.name).toBe(fixture.runtime.name);
      expect(info.version).not.toBe('');
      for (const { how } of Object.values(info.limits)) expect(how).not.toBe('');
    });

    createSuite(fixture);
    startSuite(fixture);
    connectSuite(fixture);
    endSuite(fixture);
    watchSuite(fixture);
    workspaceConformance(() => fixture.subject);

    test('measures a running body, or returns nothing', async () => {
      const { id } = await run('runs');
      const usage = await fixture.runtime.usage(id);
      for (const figure of Object.values(usage)) expect(figure).toBeGreaterThanOrEqual(0);
      if (usage.pids !== undefined) expect(usage.pids).toBeGreaterThan(0);
      if (usage.memory_bytes !== undefined) expect(usage.memory_bytes).toBeGreaterThan(0);
    });

    test('keeps bodies after their manager has ended', async () => {
      const body = await run('runs');
      const alive = await fixture.subject.alive(body);
      await fixture.runtime.close();
      expect(await fixture.subject.alive(body)).toBe(alive);
      const [found] = await fixture.subject.second.find(fixture.worker, body.id);
      expect(found).toMatchObject({ id: body.id, state: 'running', started_at: body.started_at });
      await fixture.subject.second.terminate(body.id);
      fixture.runtime = fixture.subject.second;
      expect(await reach('exited')).toMatchObject({ exit_code: 143 });
    });

    test('keeps cells apart', async () => {
      const { id } = await run('runs');
      expect(await fixture.subject.otherCell.list()).toEqual([]);
      expect(await fixture.subject.otherCell.find(fixture.worker, undefined)).toEqual([]);
      const other = await fixture.subject.otherCell.create(fixture.subject.order(fixture.worker, 'runs'));
      expect(await fixture.runtime.list()).toMatchObject([{ id }]);
      await fixture.subject.otherCell.remove(other.id);
      expect(await find()).toMatchObject({ id, state: 'running' });
    });

    needs('outlivesName', 'finds a body by its id when its name is lost', async () => {
      const body = await run('runs');
      await fixture.subject.renameAway?.(body);
      expect(await fixture.runtime.find(fixture.worker, body.id)).toMatchObject([
        { id: body.id, state: 'running' },
      ]);
      await fixture.runtime.remove(body.id);
      expect(await fixture.runtime.find(fixture.worker, body.id)).toEqual([]);
    });

    test('releases everything when the cell is empty', async () => {
      const { id } = await make('runs');
      await fixture.runtime.remove(id);
      await fixture.runtime.dismantle();
      expect(await fixture.subject.second.list()).toEqual([]);
    });
  });
}
