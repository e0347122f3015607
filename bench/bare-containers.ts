/** The containers of workers, created with the Docker API alone: what a manager is compared with. */
import type Docker from 'dockerode';
import pLimit from 'p-limit';
import { workerSpec } from '../src/model/index.ts';
import { toContainer } from '../src/runtimes/docker/container.ts';
import { bodyName, networkName } from '../src/runtimes/docker/names.ts';
import type { BenchOrchestrator } from './orchestrator.ts';

export type Fields = { agent_type: string } & Record<string, unknown>;

export interface DockerContext {
  redisUrl: string;
  /** The URL of Redis from a container. */
  bodyRedisUrl: string;
  dockerHost: string;
  image: string;
}

/** Creates them in a cell of their own, beside that of a manager. */
export class BareContainers {
  readonly #docker: Docker;
  readonly #orchestrator: BenchOrchestrator;
  readonly #context: DockerContext & { cell: string };

  constructor(docker: Docker, orchestrator: BenchOrchestrator, context: DockerContext & { cell: string }) {
    this.#docker = docker;
    this.#orchestrator = orchestrator;
    this.#context = context;
  }

  /** Milliseconds until the last of them is ready. */
  async run(ids: string[], concurrency: number, fields: Fields): Promise<number> {
    const { keys, redis } = this.#orchestrator;
    const spec = workerSpec.parse(fields);
    for (const id of ids) await redis.hset(keys.desired(id), 'spec', JSON.stringify(spec));
    const limit = pLimit(concurrency);
    const began = Date.now();
    const made = await Promise.all(ids.map((id) => limit(() => this.#start(id, spec))));
    let last = 0;
    for (const id of ids) last = Math.max(last, await this.#orchestrator.printed(id, 'ready'));
    await Promise.all(made.map((container) => container.remove({ force: true, v: true })));
    return last - began;
  }

  async #start(id: string, spec: ReturnType<typeof workerSpec.parse>): Promise<Docker.Container> {
    const { bodyRedisUrl, image, cell } = this.#context;
    const env = {
      WORKER_ID: id,
      WORKER_TYPE: spec.agent_type,
      WORKER_INCARNATION: '1',
      WORKER_CELL: cell,
      REDIS_URL: bodyRedisUrl,
    };
    const order = { worker_id: id, incarnation: 1, spec, spec_hash: 'bench', epoch: 0, env };
    // A separate cell: the manager would remove these as bodies without a record.
    const body = toContainer(order, { cell: `${cell}-bare`, image, network: networkName(cell) });
    const options = { _query: { name: bodyName(`${cell}-bare`, id) }, _body: body };
    const container = await this.#docker.createContainer(options as never);
    await container.start();
    return container;
  }
}
