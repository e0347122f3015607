/**
 * The loop's requirements on every runtime, tested on real bodies. A runtime passes with a file next to this
 * one: `runtimeConformance('docker', async () => subject, { skip: { pause: 'why not' } })`.
 */
import { createHash, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Body, BodyState } from '../../src/model/index.ts';
import { BodyConflict, BodyRefused, type Runtime, RuntimeDown } from '../../src/runtimes/runtime.ts';
import { type Ability, PRINTED, type Program, type Subject } from './subject.ts';
import { workspaceConformance } from './workspaces.ts';

export * from './subject.ts';

const PATIENCE = { timeout: 15_000, interval: 20 };

/**
 * Registers the suite. `skip` lists what this runtime does not support, each with the reason that is printed.
 */
export function runtimeConformance(
  name: string,
  makeSubject: () => Promise<Subject>,
  { skip = {} }: { skip?: Partial<Record<Ability, string>> } = {},
): void {
  describe(`a runtime (${name})`, () => {
    let subject: Subject;
    let runtime: Runtime;
    let worker: string;

    beforeEach(async () => {
      subject = await makeSubject();
      runtime = subject.runtime;
      worker = randomUUID();
    });
    afterEach(() => subject?.close());

    const needs = (ability: Ability, title: string, body: () => Promise<void>) => {
      const reason = skip[ability];
      if (reason !== undefined) console.info(`skipped for ${name}: "${title}": ${reason}`);
      test(
        reason === undefined ? title : `${title} (skipped: ${reason})`,
        { skip: reason !== undefined },
        body,
      );
    };
    const make = (program: Program) => runtime.create(subject.order(worker, program));
    const find = async () => (await runtime.find(worker, undefined))[0];
    const reach = (state: BodyState): Promise<Body> =>
      vi.waitFor(async () => {
        const body = await find();
        expect(body?.state).toBe(state);
        return body as Body;
      }, PATIENCE);
    const run = async (program: Program): Promise<Body> => {
      const { id } = await make(program);
      await runtime.start(id);
      const body = await reach('running');
      await subject.settled(body);
      return body;
    };
    const runToEnd = async (program: Program): Promise<Body> => {
      const { id } = await make(program);
      await runtime.start(id);
      return reach('exited');
    };

    test('reports its name and which limits it enforces', async () => {
      const info = await runtime.probe();
      expect(info.name).toBe(runtime.name);
      expect(info.version).not.toBe('');
      for (const { how } of Object.values(info.limits)) expect(how).not.toBe('');
    });

    describe('create', () => {
      test('labels a body with its store, if it has one', async () => {
        const order = subject.order(worker, 'runs');
        const store = randomUUID();
        await runtime.create({ ...order, store });
        const other = await runtime.create(subject.order(randomUUID(), 'runs'));
        const bodies = await runtime.list();
        expect(bodies.find(({ worker_id }) => worker_id === order.worker_id)?.store).toBe(store);
        expect((await runtime.find(order.worker_id, undefined))[0]?.store).toBe(store);
        expect(bodies.find(({ id }) => id === other.id)?.store).toBeUndefined();
      });

      test('makes an unstarted body with the fields of its order', async () => {
        const before = Date.now();
        const order = subject.order(worker, 'runs');
        const body = await runtime.create(order);
        expect(body).toMatchObject({
          runtime: runtime.name,
          worker_id: worker,
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
        expect(await subject.alive(body)).toBe(0);
      });

      test('is reported equally by list and by find, in both managers', async () => {
        const body = await make('runs');
        for (const manager of [runtime, subject.second]) {
          expect(await manager.list()).toEqual([body]);
          expect(await manager.find(worker, undefined)).toEqual([body]);
          expect(await manager.find(worker, body.id)).toEqual([body]);
        }
      });

      test('finds nothing for a worker without a body', async () => {
        expect(await runtime.list()).toEqual([]);
        expect(await runtime.find(worker, undefined)).toEqual([]);
        const gone = await make('runs');
        await runtime.remove(gone.id);
        expect(await runtime.find(worker, gone.id)).toEqual([]);
      });

      test('refuses a second body of the same worker, whatever its incarnation', async () => {
        const body = await make('runs');
        const again = runtime.create({ ...subject.order(worker, 'runs'), incarnation: 2 });
        await expect(again).rejects.toBeInstanceOf(BodyConflict);
        await expect(again).rejects.toMatchObject({ ours: true });
        expect((await runtime.list()).map(({ id }) => id)).toEqual([body.id]);
      });

      test('succeeds for one of three concurrent calls', async () => {
        const order = subject.order(worker, 'runs');
        const tries = [runtime, subject.second, runtime].map((manager) => manager.create(order));
        const results = await Promise.allSettled(tries);
        const made = results.filter((result) => result.status === 'fulfilled');
        expect(made).toHaveLength(1);
        for (const result of results) {
          if (result.status === 'rejected')
            expect(result.reason).toMatchObject({ name: 'BodyConflict', ours: true });
        }
        expect((await runtime.list()).map(({ id }) => id)).toEqual(made.map(({ value }) => value.id));
      });

      test('does not touch or report a foreign object with the name', async () => {
        const foreign = await subject.occupyName(worker);
        try {
          await expect(make('runs')).rejects.toMatchObject({ name: 'BodyConflict', ours: false });
          expect(await runtime.find(worker, undefined)).toEqual([]);
          expect(await runtime.list()).toEqual([]);
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
          await runtime.remove(id);
        }
        expect(ids.size).toBe(3);
      });
    });

    describe('start', () => {
      test('runs the body once, however often it is called', async () => {
        const { id } = await make('runs');
        await Promise.all([runtime.start(id), subject.second.start(id)]);
        const body = await reach('running');
        await subject.settled(body);
        const alive = await subject.alive(body);
        await runtime.start(id);
        await subject.second.start(id);
        // A late start may still be on its way out, so there may be fewer; a second run would add two.
        expect(await subject.alive(body)).toBeLessThanOrEqual(alive);
        expect(body.started_at).toBeGreaterThanOrEqual(body.created_at - 1000);
        expect(await runtime.list()).toMatchObject([{ id, state: 'running' }]);
      });

      test('does not run an ended body again', async () => {
        const { id } = await runToEnd({ exits: 0 });
        await Promise.resolve(runtime.start(id)).catch(() => undefined);
        await vi.waitFor(async () => expect(await find()).toMatchObject({ id, state: 'exited' }), PATIENCE);
      });

      test('reports that the body is gone', async () => {
        const { id } = await make('runs');
        await runtime.remove(id);
        const late = runtime.start(id);
        await expect(late).rejects.toThrow(/gone|does not exist|no such|not found/i);
        await expect(late).rejects.not.toBeInstanceOf(RuntimeDown);
      });

      test('reports a missing program, by a refusal or by the end of the body', async () => {
        const refusal = await make('missingProgram')
          .then(({ id }) => runtime.start(id))
          .catch((error: unknown) => error);
        if (refusal !== undefined) {
          expect(refusal).toBeInstanceOf(BodyRefused);
          expect((refusal as BodyRefused).reason).toMatch(/\S/);
        } else {
          const body = await reach('exited');
          expect(body.exit_code).toBe(127);
          expect(body.error).toMatch(/\S/);
        }
        const left = await find();
        if (left) await runtime.remove(left.id);
        expect((await make('runs')).state).toBe('created');
      });
    });

    describe('deliver', () => {
      // More than a pipe buffers, with characters that an encoding could corrupt.
      const content = JSON.stringify({ A: 'ä€\u0000\n'.repeat(30_000), B: "$(echo no) '" });

      test('delivers the whole content to a waiting body', async () => {
        const { id } = await make('takesSecrets');
        await runtime.start(id);
        // Retried like in the loop, because the pipe does not exist at once.
        await vi.waitFor(() => runtime.deliver(id, content), PATIENCE);
        const body = await reach('exited');
        expect(body.tail).toContain(createHash('sha256').update(content).digest('hex'));
        expect(body.exit_code).toBe(0);
      });

      test('rejects a body that does not wait, soon and without harm', async () => {
        const body = await run('runs');
        const late = runtime.deliver(body.id, content);
        await expect(late).rejects.toMatchObject({ code: 'conflict' });
        expect(await find()).toMatchObject({ id: body.id, state: 'running' });
        await runtime.terminate(body.id);
        await reach('exited');
        await expect(runtime.deliver(body.id, content)).rejects.toThrow(/secrets/i);
      });

      test('times out if the body does not read', async () => {
        const body = await run('neverReads');
        await expect(runtime.deliver(body.id, content)).rejects.toThrow();
        expect(await find()).toMatchObject({ id: body.id, state: 'running' });
        await runtime.remove(body.id);
        await expect(runtime.deliver(body.id, content)).rejects.toMatchObject({ code: 'not_found' });
      });
    });

    describe('the end of a body', () => {
      test.each([0, 3])('keeps exit code %i', async (exits) => {
        const body = await runToEnd({ exits });
        expect(body.exit_code).toBe(exits);
        expect(body.oom_killed ?? false).toBe(false);
        expect(body.finished_at).toBeGreaterThanOrEqual((body.started_at ?? 0) - 1000);
        expect(await subject.second.list()).toMatchObject([
          { id: body.id, state: 'exited', exit_code: exits },
        ]);
      });

      test('is 137 and not out of memory if another process killed it', async () => {
        await subject.killFromOutside(await run('runs'));
        const body = await reach('exited');
        expect(body.exit_code).toBe(137);
        expect(body.oom_killed ?? false).toBe(false);
      });

      needs('oom', 'is distinguished if memory ran out', async () => {
        const { id } = await make('oom');
        await runtime.start(id);
        expect((await reach('exited')).exit_code).not.toBe(0);
        // An engine may report the end before its cause.
        await vi.waitFor(async () => expect((await find())?.oom_killed).toBe(true), PATIENCE);
      });

      test('is 143 when it was terminated', async () => {
        const { id } = await run('runs');
        await runtime.terminate(id);
        expect(await reach('exited')).toMatchObject({ id, exit_code: 143 });
      });

      test('is forced by kill, but not by terminate', async () => {
        const body = await run('ignoresSigterm');
        const alive = await subject.alive(body);
        await runtime.terminate(body.id);
        await runtime.terminate(body.id);
        expect(await subject.alive(body)).toBe(alive);
        expect(await find()).toMatchObject({ state: 'running' });
        await runtime.kill(body.id);
        expect(await reach('exited')).toMatchObject({ id: body.id, exit_code: 137 });
      });

      needs('grandchildren', 'takes grandchildren in sessions of their own along', async () => {
        const body = await run('ignoresSigterm');
        expect(await subject.alive(body)).toBeGreaterThan(1);
        await runtime.kill(body.id);
        await vi.waitFor(async () => expect(await subject.alive(body)).toBe(0), PATIENCE);
      });

      needs('pause', 'comes by kill to a paused body too', async () => {
        const body = await run('runs');
        await subject.pause?.(body);
        await vi.waitFor(
          async () => expect(await find()).toMatchObject({ state: 'running', paused: true }),
          PATIENCE,
        );
        await runtime.kill(body.id);
        expect(await reach('exited')).toMatchObject({ exit_code: 137 });
      });

      test('keeps the last lines of output for find, but not for list', async () => {
        const body = await runToEnd('prints');
        expect(body.exit_code).toBe(3);
        expect(body.tail).toContain(PRINTED);
        expect((await runtime.list())[0]?.tail).toBeUndefined();
      });

      test('can be requested again after it', async () => {
        const { id } = await runToEnd({ exits: 3 });
        await runtime.terminate(id);
        await runtime.kill(id);
        expect(await find()).toMatchObject({ id, state: 'exited', exit_code: 3 });
      });
    });

    describe('remove', () => {
      test('ends a running body by force', async () => {
        const body = await run('ignoresSigterm');
        await runtime.remove(body.id);
        expect(await runtime.list()).toEqual([]);
        await vi.waitFor(async () => expect(await subject.alive(body)).toBe(0), PATIENCE);
      });

      test('succeeds however often, and by whichever manager, it is called', async () => {
        const { id } = await run('runs');
        await Promise.all([runtime.remove(id), subject.second.remove(id), runtime.remove(id)]);
        await runtime.remove(id);
        expect(await runtime.list()).toEqual([]);
      });

      test('never touches a later body', async () => {
        const old = await make('runs');
        await runtime.remove(old.id);
        const body = await run('runs');
        await subject.second.remove(old.id);
        await subject.second.kill(old.id);
        await subject.second.terminate(old.id);
        expect(await find()).toMatchObject({ id: body.id, state: 'running' });
        expect(await subject.alive(body)).toBeGreaterThan(0);
      });

      test('leaves nothing to end or measure', async () => {
        const { id } = await make('runs');
        await runtime.remove(id);
        await runtime.terminate(id);
        await runtime.kill(id);
        expect(await runtime.usage(id)).toEqual({});
      });
    });

    workspaceConformance(() => subject);

    test('measures a running body, or returns nothing', async () => {
      const { id } = await run('runs');
      const usage = await runtime.usage(id);
      for (const figure of Object.values(usage)) expect(figure).toBeGreaterThanOrEqual(0);
      if (usage.pids !== undefined) expect(usage.pids).toBeGreaterThan(0);
      if (usage.memory_bytes !== undefined) expect(usage.memory_bytes).toBeGreaterThan(0);
    });

    test('keeps bodies after their manager has ended', async () => {
      const body = await run('runs');
      const alive = await subject.alive(body);
      await runtime.close();
      expect(await subject.alive(body)).toBe(alive);
      const [found] = await subject.second.find(worker, body.id);
      expect(found).toMatchObject({ id: body.id, state: 'running', started_at: body.started_at });
      await subject.second.terminate(body.id);
      runtime = subject.second;
      expect(await reach('exited')).toMatchObject({ exit_code: 143 });
    });

    test('keeps cells apart', async () => {
      const { id } = await run('runs');
      expect(await subject.otherCell.list()).toEqual([]);
      expect(await subject.otherCell.find(worker, undefined)).toEqual([]);
      const other = await subject.otherCell.create(subject.order(worker, 'runs'));
      expect(await runtime.list()).toMatchObject([{ id }]);
      await subject.otherCell.remove(other.id);
      expect(await find()).toMatchObject({ id, state: 'running' });
    });

    needs('outlivesName', 'finds a body by its id when its name is lost', async () => {
      const body = await run('runs');
      await subject.renameAway?.(body);
      expect(await runtime.find(worker, body.id)).toMatchObject([{ id: body.id, state: 'running' }]);
      await runtime.remove(body.id);
      expect(await runtime.find(worker, body.id)).toEqual([]);
    });

    describe('watch', () => {
      const collect = (manager: Runtime) => {
        const hints: (string | undefined)[] = [];
        const watch = manager.watch((workerId) => hints.push(workerId));
        return { hints, watch, about: () => hints.includes(worker) || hints.includes(undefined) };
      };

      test('reports the start and the end of a body to each manager', async () => {
        const all = [runtime, subject.second].map(collect);
        const { id } = await run('runs');
        for (const { about } of all) await vi.waitFor(() => expect(about()).toBe(true), PATIENCE);
        for (const { hints } of all) hints.length = 0;
        await runtime.terminate(id);
        await reach('exited');
        for (const { about } of all) await vi.waitFor(() => expect(about()).toBe(true), PATIENCE);
        for (const { watch } of all) await watch.close();
      });

      needs('reconnect', 'asks for a resync after it was cut off, and continues', async () => {
        const { hints, watch, about } = collect(runtime);
        const { id } = await run('runs');
        await vi.waitFor(() => expect(about()).toBe(true), PATIENCE);
        hints.length = 0;
        await subject.breakWatch?.();
        await vi.waitFor(() => expect(hints).toContain(undefined), PATIENCE);
        hints.length = 0;
        await runtime.terminate(id);
        await vi.waitFor(() => expect(about()).toBe(true), PATIENCE);
        await watch.close();
      });

      test('is silent once it is closed', async () => {
        const { hints, watch } = collect(runtime);
        await watch.close();
        hints.length = 0;
        await runToEnd({ exits: 0 });
        expect(hints).toEqual([]);
      });
    });

    test('releases everything when the cell is empty', async () => {
      const { id } = await make('runs');
      await runtime.remove(id);
      await runtime.dismantle();
      expect(await subject.second.list()).toEqual([]);
    });
  });
}
