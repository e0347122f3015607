/** The files of a worker, seen from outside: what they survive, and when they go. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { openWorld, PATIENCE, type RuntimeUnderTest } from './world.ts';

/** Appends the attempt to a file of the workspace, prints the file, and stays. */
const APPENDS = ['sh', '-c', 'echo "by $WORKER_INCARNATION of $WORKER_ID" >>kept; cat kept; exec sleep 600'];

/** Registers the suite for one runtime. */
export function workspaceSuite(name: RuntimeUnderTest): void {
  describe(`the files of a worker (${name})`, { timeout: 120_000 }, () => {
    const world = () => openWorld(name);
    type World = Awaited<ReturnType<typeof world>>;
    /** What each body has printed, in the order of the output. */
    const printed = async ({ cell }: World, worker: string) =>
      ((await cell.read(cell.store.keys.output(worker))) as { type: string; content: string }[])
        .filter(({ type }) => type === 'stdout')
        .map(({ content }) => content);
    const lines = (worker: string, count: number) =>
      Array.from({ length: count }, (_, at) => `by ${at + 1} of ${worker}`).join('\n');
    const untilLines = (here: World, worker: string, count: number) =>
      vi.waitFor(
        async () => expect((await printed(here, worker)).at(-1)).toBe(lines(worker, count)),
        PATIENCE,
      );
    const options = { command_line: APPENDS, restart_policy: 'always', stop_grace_seconds: 1 };
    const files = async ({ runtime }: World) => (await runtime.listWorkspaces()).map(({ id }) => id).sort();

    /** SIGKILL to everything in the body, behind the back of the manager. */
    async function killBody({ runtime }: World, worker: string): Promise<void> {
      const [body] = await runtime.find(worker, undefined);
      await runtime.kill(body?.id ?? '');
    }

    test('survive the death of the body, a restart, a stop and a start, and the manager; and go with the worker', async () => {
      const here = await world();
      const [worker, other] = [randomUUID(), randomUUID()];
      const env = { RESTART_BACKOFF_SECONDS: '0.05' };
      const first = await here.start(undefined, env);
      await here.create(worker, options);
      await here.create(other, options);
      await untilLines(here, worker, 1);
      await killBody(here, worker);
      await untilLines(here, worker, 2);
      first.kill('SIGKILL');
      await first.exited;
      await killBody(here, worker);
      await here.start(undefined, env);
      await untilLines(here, worker, 3);
      await here.push({ command: 'restart', worker_id: worker });
      await untilLines(here, worker, 4);
      await here.push({ command: 'stop', worker_id: worker });
      await here.reach(worker, { status: 'STOPPED', phase: 'finished' });
      await vi.waitFor(async () => expect(await here.runtime.find(worker, undefined)).toEqual([]), PATIENCE);
      expect(await files(here)).toEqual([worker, other].sort());
      await here.push({ command: 'start', worker_id: worker });
      await untilLines(here, worker, 5);
      const ready = (await here.cell.read(here.cell.store.keys.output(worker))) as Record<string, unknown>[];
      expect(ready.filter(({ type }) => type === 'ready').map(({ resumed }) => resumed)).toEqual([
        undefined,
        ...Array(4).fill(true),
      ]);
      expect(ready.findLast(({ type }) => type === 'ready')?.workspace_written_at).toMatch(/^\d{4}-/);
      // One worker never has the files of another.
      await untilLines(here, other, 1);
      await here.push({ command: 'delete', worker_id: worker });
      await here.reach(worker, { phase: 'deleted' });
      await vi.waitFor(async () => expect(await files(here)).toEqual([other]), PATIENCE);
    });

    test('end with each body if the spec says so', async () => {
      const here = await world();
      const worker = randomUUID();
      await here.start(undefined, { RESTART_BACKOFF_SECONDS: '0.05' });
      await here.create(worker, { ...options, workspace: { persist: 'body' } });
      await vi.waitFor(async () => expect(await printed(here, worker)).toHaveLength(1), PATIENCE);
      await killBody(here, worker);
      await vi.waitFor(
        async () => expect(await printed(here, worker)).toEqual([`by 1 of ${worker}`, `by 2 of ${worker}`]),
        PATIENCE,
      );
      expect(await files(here)).toEqual([]);
    });

    test('are not lost with the records in Redis, and restored records use them', async () => {
      const here = await world();
      const { cell } = here;
      const worker = randomUUID();
      await here.start(undefined, { RESTART_BACKOFF_SECONDS: '0.05' });
      await here.create(worker, options);
      await untilLines(here, worker, 1);
      // A workspace without a body, whose record is lost as well.
      const stopped = randomUUID();
      await here.create(stopped, options);
      await untilLines(here, stopped, 1);
      await here.push({ command: 'stop', worker_id: stopped });
      await here.reach(stopped, { status: 'STOPPED', phase: 'finished' });
      const all: string[] = [];
      for await (const keys of cell.redis.scanStream({ match: `${cell.name}:*`, count: 1000 }))
        all.push(...keys);
      // All at once, like a lost store: a manager that reads in between would mistake a part for the whole.
      await cell.redis.del(all);
      await vi.waitFor(async () => expect((await cell.store.load(worker))?.record).toBeDefined(), PATIENCE);
      await killBody(here, worker);
      await vi.waitFor(
        async () => expect((await printed(here, worker)).at(-1)).toBe(lines(worker, 2)),
        PATIENCE,
      );
      expect(await files(here)).toEqual([worker, stopped].sort());
    });
  });
}
