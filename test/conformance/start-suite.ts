import { createHash } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { BodyRefused, RuntimeDown } from '../../src/runtimes/runtime.ts';
import { type ConformanceFixture, PATIENCE } from './fixture.ts';

/** A body runs once, and gets its secrets. */
export function startSuite(fixture: ConformanceFixture): void {
  const { make, find, reach, run, runToEnd } = fixture;

  describe('start', () => {
    test('runs the body once, however often it is called', async () => {
      const { id } = await make('runs');
      await Promise.all([fixture.runtime.start(id), fixture.subject.second.start(id)]);
      const body = await reach('running');
      await fixture.subject.settled(body);
      const alive = await fixture.subject.alive(body);
      await fixture.runtime.start(id);
      await fixture.subject.second.start(id);
      // A late start may still be on its way out, so there may be fewer; a second run would add two.
      expect(await fixture.subject.alive(body)).toBeLessThanOrEqual(alive);
      expect(body.started_at).toBeGreaterThanOrEqual(body.created_at - 1000);
      expect(await fixture.runtime.list()).toMatchObject([{ id, state: 'running' }]);
    });

    test('does not run an ended body again', async () => {
      const { id } = await runToEnd({ exits: 0 });
      await Promise.resolve(fixture.runtime.start(id)).catch(() => undefined);
      await vi.waitFor(async () => expect(await find()).toMatchObject({ id, state: 'exited' }), PATIENCE);
    });

    test('reports that the body is gone', async () => {
      const { id } = await make('runs');
      await fixture.runtime.remove(id);
      const late = fixture.runtime.start(id);
      await expect(late).rejects.toThrow(/gone|does not exist|no such|not found/i);
      await expect(late).rejects.not.toBeInstanceOf(RuntimeDown);
    });

    test('reports a missing program, by a refusal or by the end of the body', async () => {
      const refusal = await make('missingProgram')
        .then(({ id }) => fixture.runtime.start(id))
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
      if (left) await fixture.runtime.remove(left.id);
      expect((await make('runs')).state).toBe('created');
    });
  });

  describe('deliver', () => {
    // More than a pipe buffers, with characters that an encoding could corrupt.
    const content = JSON.stringify({ A: 'ä€\u0000\n'.repeat(30_000), B: "$(echo no) '" });

    test('delivers the whole content to a waiting body', async () => {
      const { id } = await make('takesSecrets');
      await fixture.runtime.start(id);
      // Retried like in the loop, because the pipe does not exist at once.
      await vi.waitFor(() => fixture.runtime.deliver(id, content), PATIENCE);
      const body = await reach('exited');
      expect(body.tail).toContain(createHash('sha256').update(content).digest('hex'));
      expect(body.exit_code).toBe(0);
    });

    test('rejects a body that does not wait, soon and without harm', async () => {
      const body = await run('runs');
      const late = fixture.runtime.deliver(body.id, content);
      await expect(late).rejects.toMatchObject({ code: 'conflict' });
      expect(await find()).toMatchObject({ id: body.id, state: 'running' });
      await fixture.runtime.terminate(body.id);
      await reach('exited');
      await expect(fixture.runtime.deliver(body.id, content)).rejects.toThrow(/secrets/i);
    });

    test('times out if the body does not read', async () => {
      const body = await run('neverReads');
      await expect(fixture.runtime.deliver(body.id, content)).rejects.toThrow();
      expect(await find()).toMatchObject({ id: body.id, state: 'running' });
      await fixture.runtime.remove(body.id);
      await expect(fixture.runtime.deliver(body.id, content)).rejects.toMatchObject({ code: 'not_found' });
    });
  });
}
