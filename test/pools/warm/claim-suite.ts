/** The guarantees for workers in bodies that were created before them, on real bodies. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { LifecycleEvent } from '../../../src/model/index.ts';
import { openWorld, PATIENCE, type RuntimeUnderTest } from '../../faults/world.ts';
import { startRedis } from '../../support/redis.ts';
import {
  bodyOf,
  claimedBodies,
  fillPool,
  outputOf,
  untilAvailable,
  untilDeleted,
  untilPrinted,
  untilRecovered,
} from './claim-world.ts';

const LONG_MS = 120_000;
/** Prints its location and its settings, then echoes each prompt. */
const AGENT = ['sh', '-c', 'echo "$GREETING $WORKER_ID [$WORKER_POOL]"; cat CLAUDE.md; echo; exec cat'];
/**
 * A lease lost to a pause of the machine also loses the warm pool; a create then correctly gets a new body.
 */
const LASTING = { LEASE_SECONDS: '60' };
/** For a manager whose lease is lost intentionally: a test waits for its expiry. */
const LONGER = { LEASE_SECONDS: '3' };

export function claimSuite(name: RuntimeUnderTest): void {
  describe(`a create that matches a warm worker of ${name}`, { timeout: LONG_MS }, () => {
    test('is RUNNING in its body, as if it had been created for it; the pool refills', async () => {
      const world = await openWorld(name);
      const manager = await world.start(undefined, LASTING);
      const [warm] = await fillPool(world, name, 1);
      await untilRecovered(manager);
      const worker = randomUUID();
      const created = await world.create(worker, {
        command_line: AGENT,
        env: { GREETING: 'hello' },
        instructions: 'Be brief.',
        prompt: 'the prompt',
        labels: { a: 'b' },
        name: 'mine',
        restart_policy: 'always',
      });
      await world.reach(worker, { status: 'RUNNING', phase: 'ready', incarnation: 1, restarts: 0 });
      expect(await world.answer(created)).toMatchObject({ success: true, worker_id: worker });
      expect(await bodyOf(world, worker)).toBe(warm?.body);
      const history = (await world.cell.read(world.cell.store.keys.events(worker))) as LifecycleEvent[];
      // On a busy machine, an observation in between may find the agent starting, which adds a line.
      expect(history.filter(({ phase }) => phase !== 'booting').slice(0, 2)).toMatchObject([
        { type: 'status', status: 'RUNNING', phase: 'assigned', reason: 'TakenOver', incarnation: 1 },
        { type: 'progress', status: 'RUNNING', phase: 'ready', incarnation: 1 },
      ]);
      expect(new Set(history.map(({ status }) => status))).toEqual(new Set(['RUNNING']));

      const output = await untilPrinted(world, worker, 'the prompt');
      expect(output.map(({ seq }) => seq)).toEqual(output.map((_, at) => at + 1));
      expect(new Set(output.map(({ incarnation }) => incarnation))).toEqual(new Set([1]));
      expect(output[0]).toMatchObject({ type: 'ready' });
      await untilPrinted(world, worker, `hello ${worker} []\nBe brief.`);

      const [next] = await untilAvailable(world, 1);
      expect(next?.id).not.toBe(warm?.id);
      expect(await world.cell.store.status(warm?.id ?? '')).toMatchObject({
        desired: 'deleted',
        status: { status: 'STOPPED', reason: 'TakenOver' },
      });
      expect(await world.bodies()).toHaveLength(2);

      await world.push({ command: 'delete', worker_id: worker });
      await untilDeleted(world, worker);
      expect((await world.bodies()).map(({ id }) => id)).toEqual([next?.body]);
      expect(await claimedBodies(world)).toEqual({});
    });

    test('gets its own body if it does not match, or if none is left', async () => {
      const world = await openWorld(name);
      const manager = await world.start(undefined, LASTING);
      const [warm] = await fillPool(world, name, 1);
      await untilRecovered(manager);
      const other = randomUUID();
      await world.create(other, { protocol: 'json' });
      await world.reach(other, { status: 'RUNNING' });
      expect(await bodyOf(world, other)).not.toBe(warm?.body);
      const many = [randomUUID(), randomUUID(), randomUUID()];
      for (const id of many) await world.create(id);
      for (const id of many) await world.reach(id, { status: 'RUNNING', incarnation: 1 });
      const bodies = await Promise.all(many.map((id) => bodyOf(world, id)));
      expect(new Set(bodies).size).toBe(3);
      expect(bodies).toContain(warm?.body);
    });

    test('gets a body of its own when that one has died, by its policy', async () => {
      const world = await openWorld(name);
      const manager = await world.start(undefined, { ...LASTING, RESTART_BACKOFF_SECONDS: '0.1' });
      const [warm] = await fillPool(world, name, 1);
      await untilRecovered(manager);
      const worker = randomUUID();
      await world.create(worker, { command_line: ['cat'], restart_policy: 'always' });
      await world.reach(worker, { status: 'RUNNING', body_id: warm?.body });
      await world.runtime.kill(warm?.body ?? '');
      await world.reach(worker, { status: 'RUNNING', incarnation: 2, restarts: 1 });
      expect(await bodyOf(world, worker)).not.toBe(warm?.body);
      await vi.waitFor(async () => expect(await claimedBodies(world)).toEqual({}), PATIENCE);
      expect((await world.bodies()).map(({ id }) => id)).not.toContain(warm?.body);
      const output = await outputOf(world, worker);
      expect(output.map(({ seq }) => seq)).toEqual(output.map((_, at) => at + 1));
    });

    test('gets its own body if the claimed one died unobserved, whatever its policy', async () => {
      const world = await openWorld(name);
      const first = await world.start(undefined, LASTING);
      const [warm] = await fillPool(world, name, 1);
      await first.stop();
      const crashing = await world.start('command:settled', LONGER);
      await untilRecovered(crashing);
      // It receives nothing any more, without a report.
      await world.freeze(warm?.id ?? '');
      const worker = randomUUID();
      await world.create(worker, { command_line: ['cat'], restart_policy: 'never' });
      expect(await crashing.exited, crashing.log()).toBe(-1);
      await world.reach(worker, { status: 'RUNNING', phase: 'assigned', body_id: warm?.body });
      await world.runtime.kill(warm?.body ?? '');
      await world.start();
      await world.reach(worker, { status: 'RUNNING', phase: 'ready', incarnation: 2, restarts: 0 });
      expect(await bodyOf(world, worker)).not.toBe(warm?.body);
      expect((await world.bodies()).map(({ id }) => id)).not.toContain(warm?.body);
    });

    test('receives its secrets, which the warm worker did not have', async () => {
      const world = await openWorld(name);
      const secrets = await mkdtemp(join(tmpdir(), 'wm-secrets-'));
      onTestFinished(() => rm(secrets, { recursive: true }));
      await writeFile(join(secrets, 'TOKEN'), 'the secret', { mode: 0o600 });
      const manager = await world.start(undefined, { ...LASTING, SECRETS_DIR: secrets });
      const [warm] = await fillPool(world, name, 1);
      await untilRecovered(manager);
      const worker = randomUUID();
      const show = ['sh', '-c', 'echo "got $(cat "$SECRETS_PATH/TOKEN")"; exec cat'];
      await world.create(worker, { command_line: show, secrets: ['TOKEN'] });
      await world.reach(worker, { status: 'RUNNING', body_id: warm?.body });
      await untilPrinted(world, worker, 'got the secret');
    });

    test('has its own limits from its first moment', async ({ skip }) => {
      const world = await openWorld(name);
      const { limits } = await world.runtime.probe();
      if (!limits.memory.adjustable)
        skip(`the memory of a living body cannot be limited here: ${limits.memory.how}`);
      const manager = await world.start(undefined, LASTING);
      const [warm] = await fillPool(world, name, 1, { resources: { memory: '512m' } });
      await untilRecovered(manager);
      const worker = randomUUID();
      // Where a body sees its cgroup as the root of all, and where it sees the machine's.
      const look =
        'p=$(sed -n "s/^[0-9]*:memory://p;s/^0:://p" /proc/self/cgroup | head -1); ' +
        'cat /sys/fs/cgroup/memory$p/memory.limit_in_bytes /sys/fs/cgroup/memory/memory.limit_in_bytes ' +
        '/sys/fs/cgroup$p/memory.max /sys/fs/cgroup/memory.max 2>/dev/null | head -1; exec cat';
      await world.create(worker, { command_line: ['sh', '-c', look], resources: { memory: '300m' } });
      await world.reach(worker, { status: 'RUNNING', body_id: warm?.body });
      await untilPrinted(world, worker, String(300 * 1024 ** 2));
    });

    test.each(['command:settled', 'record:before', 'record:after', 'recovered'])(
      'survives a manager that dies at %s',
      async (at) => {
        const world = await openWorld(name);
        const first = await world.start(undefined, LASTING);
        const [warm] = await fillPool(world, name, 1);
        await first.stop();
        // A crash at `recovered` is one before the create: what it leaves is taken over by the next manager.
        const crashing = await world.start(at, LONGER);
        if (at !== 'recovered') await untilRecovered(crashing);
        const worker = randomUUID();
        const created = await world.create(worker, { command_line: AGENT, env: { GREETING: 'hello' } });
        expect(await crashing.exited, crashing.log()).toBe(-1);
        const second = await world.start();
        await world.reach(worker, { status: 'RUNNING', incarnation: 1, restarts: 0 });
        expect(await world.answer(created)).toMatchObject({ success: true });
        await untilPrinted(world, worker, `hello ${worker}`);
        await untilRecovered(second);
        if (at !== 'recovered') expect(await bodyOf(world, worker)).toBe(warm?.body);
        await untilAvailable(world, 1);
        expect(await world.bodies()).toHaveLength(2);
      },
    );

    test('is found again after the store has lost everything', async () => {
      const redis = await startRedis();
      onTestFinished(() => redis.stop());
      const world = await openWorld(name, redis);
      const manager = await world.start(undefined, LONGER);
      const [warm] = await fillPool(world, name, 1);
      await untilRecovered(manager);
      const worker = randomUUID();
      await world.create(worker, { command_line: ['cat'], name: 'mine', ttl_seconds: 3600 });
      await world.reach(worker, { status: 'RUNNING', body_id: warm?.body });
      const [spare] = await untilAvailable(world, 1);
      await world.cell.redis.flushall();
      await world.reach(worker, { status: 'RUNNING', body_id: warm?.body, incarnation: 1 });
      const loaded = await world.cell.store.load(worker);
      expect(loaded?.record.desired.spec).toMatchObject({ name: 'mine', ttl_seconds: 3600 });
      expect(Object.keys(await claimedBodies(world))).toEqual([worker]);
      await world.cell.redis.xadd(
        world.cell.store.keys.input(worker),
        '*',
        'data',
        '{"type":"prompt","content":"again"}',
      );
      await untilPrinted(world, worker, 'again');
      // The unclaimed one waits again as before.
      await world.reach(spare?.id ?? '', { status: 'RUNNING', body_id: spare?.body });
      expect(await world.bodies()).toHaveLength(2);
    });
  });
}
