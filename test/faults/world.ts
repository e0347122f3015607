/** One cell with real bodies and changing managers, for the fault tests. */
import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, vi } from 'vitest';
import { createDockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { createProcessRuntime } from '../../src/runtimes/process/process.ts';
import type { Runtime } from '../../src/runtimes/runtime.ts';
import { type Cell, openCell } from '../store/cell.ts';
import { dockerAt } from '../support/docker.ts';
import { cleanCell, type Manager, startManager } from '../support/manager.ts';
import { alive, pidsWith, signal } from '../support/processes.ts';

export type RuntimeUnderTest = 'docker' | 'process';
export const PATIENCE = { timeout: 30_000, interval: 20 };

export interface FaultWorld {
  /** The folder of its managers. */
  home: string;
  cell: Cell;
  runtime: Runtime;
  /** Starts a manager of the cell; `crashAt` is the point at which it dies, `env` its further environment. */
  start(crashAt?: string, env?: Record<string, string>, args?: string[]): Promise<Manager>;
  /** Pushes a command; `answer` waits for its answer. */
  push(command: object): Promise<string>;
  /** The only answer to a request; fails if there are two. */
  answer(requestId: string): Promise<Record<string, unknown>>;
  create(worker: string, more?: object): Promise<string>;
  reach(worker: string, expected: object): Promise<void>;
  /** Freezes everything in the body made for that worker, so that only SIGKILL works, until the returned function is called. */
  freeze(worker: string): Promise<() => void>;
  bodies(): Promise<{ id: string; worker_id: string; state: string; incarnation: number }[]>;
}

const OURS = 'worker-manager.cell';

/**
 * Creates a cell on the shared Redis, or on another; asserts that everything is removed when the test ends.
 */
export async function openWorld(
  name: RuntimeUnderTest,
  redis = { url: inject('redisUrl'), bodyUrl: inject('bodyRedisUrl') },
): Promise<FaultWorld> {
  const home = await mkdtemp(join(tmpdir(), 'wm-faults-'));
  const managers: Manager[] = [];
  const host = inject('dockerHost');
  const cell = openCell(redis.url);
  const runtime =
    name === 'docker'
      ? createDockerRuntime({ cell: cell.name, host, image: inject('image') })
      : createProcessRuntime({ cell: cell.name, root: home, wrapper: { argv: ['false'] } });
  onTestFinished(async () => {
    for (const { pid, kill, exited } of managers) {
      if (alive(pid)) kill('SIGKILL');
      await exited;
    }
    for (const { id } of await runtime.list()) await runtime.remove(id);
    await runtime.dismantle();
    await runtime.close();
    await cleanCell({ redisUrl: redis.url, cell: cell.name, home });
    if (name === 'docker') await nothingIsLeft(host, cell.name);
  });
  const push = async (command: object) => {
    const request_id = randomUUID();
    await cell.push({ request_id, ...command });
    return request_id;
  };
  return {
    home,
    cell,
    runtime,
    push,
    start: async (crashAt, env = {}, args = []) => {
      const manager = await startManager({
        redisUrl: redis.url,
        cell: cell.name,
        home,
        args,
        env: {
          RUNTIME: name,
          WORKER_REDIS_URL: name === 'docker' ? redis.bodyUrl : redis.url,
          ...{ DOCKER_HOST: host.startsWith('/') ? `unix://${host}` : host, WORKER_IMAGE: inject('image') },
          LEASE_SECONDS: '1',
          RESYNC_SECONDS: '0.3',
          CREATION_GRACE_SECONDS: '0.5',
          ...(crashAt ? { WM_CRASH_AT: crashAt } : {}),
          ...env,
        },
      });
      managers.push(manager);
      return manager;
    },
    create: (worker_id, more = {}) =>
      push({
        command: 'create',
        worker_id,
        agent_type: 'CUSTOM',
        runtime: name,
        stop_grace_seconds: 5,
        command_line: ['sleep', '600'],
        ...more,
      }),
    answer: (requestId) =>
      vi.waitFor(async () => {
        const all = (await cell.answers()).filter(({ request_id }) => request_id === requestId);
        expect(all).toHaveLength(1);
        return all[0] ?? {};
      }, PATIENCE),
    reach: (worker, expected) =>
      vi
        .waitFor(
          async () => expect((await cell.store.status(worker))?.status).toMatchObject(expected),
          PATIENCE,
        )
        .catch((error) => {
          // The information that a person would look at next.
          console.log(managers.at(-1)?.log().slice(-8000));
          throw error;
        }),
    freeze: async (worker) => {
      const body = (await runtime.list()).find(({ worker_id }) => worker_id === worker);
      if (!body) throw new Error(`worker ${worker} has no body`);
      // Not `docker pause`, which a SIGTERM ends.
      const pids = name === 'docker' ? await pidsIn(host, body.id) : pidsWith(worker);
      for (const pid of pids) signal(pid, 'SIGSTOP');
      return () => {
        for (const pid of pids) signal(pid, 'SIGCONT');
      };
    },
    bodies: () => runtime.list(),
  };
}

/** The pids of a container's processes, as its engine's machine has them: this one. */
async function pidsIn(host: string, container: string): Promise<number[]> {
  const { Titles, Processes } = await dockerAt(host).getContainer(container).top();
  const at = Titles.indexOf('PID');
  return (Processes as string[][]).map((row) => Number(row[at]));
}

async function nothingIsLeft(host: string, cell: string): Promise<void> {
  const docker = dockerAt(host);
  const filters = { label: [`${OURS}=${cell}`] };
  expect(await docker.listContainers({ all: true, filters })).toEqual([]);
  expect(await docker.listNetworks({ filters })).toEqual([]);
  expect((await docker.listVolumes({ filters })).Volumes ?? []).toEqual([]);
}
