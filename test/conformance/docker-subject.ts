import { randomUUID } from 'node:crypto';
import { expect, inject, vi } from 'vitest';
import { createDockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { dockerAt } from '../support/docker.ts';
import { startDockerProxy } from '../support/docker-proxy.ts';
import {
  echoes,
  PRINTED,
  type Program,
  READS,
  type Subject,
  TAKES_SECRETS,
  WRITES,
  workerSpec,
} from './subject.ts';

const READY = 'the program is ready';
/** Foreign images have no directory for the pipe. */
const PLACE = 'mkdir -p $(dirname "$SECRETS_PIPE")';

function argvOf(program: Program): string[] {
  const sh = (script: string) => ['/bin/sh', '-c', script];
  if (typeof program === 'object') return sh(`exit ${program.exits}`);
  switch (program) {
    case 'runs':
      return sh(`echo '${READY}'; exec sleep 300`);
    case 'ignoresSigterm':
      return sh(`trap '' TERM; setsid sh -c "echo '${READY}'; exec sleep 300" & exec sleep 301`);
    case 'oom':
      return ['node', '-e', 'const all = []; for (;;) all.push(Buffer.alloc(8 << 20, 1))'];
    case 'missingProgram':
      return ['/nowhere/program'];
    case 'prints':
      return sh(`echo '${PRINTED}'; exit 3`);
    case 'takesSecrets':
      return sh(`${PLACE}; ${TAKES_SECRETS}`);
    case 'writes':
      return sh(WRITES);
    case 'reads':
      return sh(READS);
    case 'echoes':
      return ['node', '-e', echoes(`console.log('${READY}')`)];
    case 'neverReads':
      return sh(`${PLACE}; mkfifo -m 600 "$SECRETS_PIPE"; echo '${READY}'; exec sleep 300`);
  }
}

/** Bodies on the run's daemon, whose managers reach it at `host` and may take that long to pass secrets. */
export async function makeDockerSubject({
  host = inject('dockerHost'),
  deliverMs = 10_000,
  connectBy = undefined as 'address' | 'exec' | undefined,
} = {}): Promise<Subject> {
  const docker = dockerAt(inject('dockerHost'));
  // Between the runtime and the daemon, so that the test can break the event connection.
  const proxy = await startDockerProxy(host);
  const cell = `t-${randomUUID().slice(0, 8)}`;
  const make = (name: string, at: string) =>
    createDockerRuntime({
      cell: name,
      host: at,
      image: inject('baseImage'),
      deadlines: { deliver: deliverMs },
      connectBy,
    });
  const runtime = make(cell, proxy.socket);
  const [second, otherCell] = [make(cell, host), make(`${cell}-other`, host)];
  const container = (id: string) => docker.getContainer(id);
  return {
    runtime,
    second,
    otherCell,
    order: (worker_id, program) => ({
      worker_id,
      incarnation: 1,
      spec: workerSpec({ runtime: 'docker', ...(program === 'oom' ? { resources: { memory: '96m' } } : {}) }),
      spec_hash: 'a'.repeat(64),
      epoch: 1,
      env: { WORKER_ID: worker_id },
      argv: argvOf(program),
    }),
    settled: async ({ id }) => {
      const printed = async () => (await container(id).logs({ stdout: true, follow: false })).toString();
      await vi.waitFor(async () => expect(await printed()).toContain(READY), {
        timeout: 10_000,
        interval: 20,
      });
    },
    killFromOutside: ({ id }) => container(id).kill(),
    alive: async ({ id }) => {
      const top = await container(id)
        .top()
        .catch(() => ({ Processes: [] }));
      return top.Processes.length;
    },
    occupyName: async (worker) => {
      const name = `wm-${cell}-${worker}`;
      const foreign = await docker.createContainer({ name, Image: inject('baseImage'), Cmd: ['true'] });
      return {
        isThere: async () => (await foreign.inspect()).Name === `/${name}`,
        remove: () => foreign.remove(),
      };
    },
    renameAway: ({ id }) => container(id).rename({ name: `away-${randomUUID()}` }),
    breakWatch: async () => proxy.cutAll(),
    pause: ({ id }) => container(id).pause(),
    close: async () => {
      for (const each of [second, otherCell]) {
        for (const { id } of await each.list()) await each.remove(id);
        await each.dismantle();
        await each.close();
      }
      await runtime.close();
      await proxy.close();
      const filters = { label: ['worker-manager.managed=true'], name: [`wm-${cell}`] };
      expect(await docker.listContainers({ all: true, filters })).toEqual([]);
      expect(await docker.listNetworks({ filters })).toEqual([]);
      expect((await docker.listVolumes({ filters: JSON.stringify(filters) })).Volumes ?? []).toEqual([]);
    },
  };
}
