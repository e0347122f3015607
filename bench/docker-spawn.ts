/**
 * create → RUNNING in Docker with a real manager, compared with a bare create and start of the same container with the
 * Docker API until the wrapper's `ready`: one by one in alternation, and 20 at once; and the same for a CLAUDE worker
 * with an existing image.
 */
import { randomUUID } from 'node:crypto';
import Docker from 'dockerode';
import { createImages, machineCa } from '../src/images/index.ts';
import { workerSpec } from '../src/model/index.ts';
import { toConnection } from '../src/runtimes/docker/client.ts';
import { networkName } from '../src/runtimes/docker/names.ts';
import { bridgeGateway } from '../test/support/docker.ts';
import { startModel } from '../test/support/model/index.ts';
import { BareContainers, type DockerContext, type Fields } from './bare-containers.ts';
import { startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import { median, type Result } from './result.ts';

const ROUNDS = 9;
const AT_ONCE = 20;
const GOAL = 1.3;
const COMMON = { runtime: 'docker', stop_grace_seconds: 0 };
const CUSTOM = { ...COMMON, agent_type: 'CUSTOM', command_line: ['sleep', '1000'] };

export async function benchDockerSpawn(context: DockerContext): Promise<Result[]> {
  const custom = await withManager(context, { WORKER_IMAGE: context.image }, async (orchestrator, bare) => {
    const one = await inTurn(orchestrator, bare, CUSTOM);
    const many = await atOnce(orchestrator, bare);
    return [
      ratio('create → RUNNING in Docker', one.ours, one.bare, ''),
      ratio(
        `${AT_ONCE} at once → all RUNNING`,
        many.ours,
        many.best,
        `, best with ${many.concurrency} at once`,
      ),
    ];
  });
  return [...custom, await claude(context)];
}

async function claude(context: DockerContext): Promise<Result> {
  const model = await startModel({ host: await bridgeGateway(new Docker(toConnection(context.dockerHost))) });
  const fields = { ...COMMON, agent_type: 'CLAUDE', env: { ANTHROPIC_BASE_URL: model.url } };
  const images = createImages({ host: context.dockerHost, version: 'bench', ca: machineCa() });
  try {
    const image = await images.buildNow(workerSpec.parse(fields), () => {});
    return await withManager({ ...context, image }, {}, async (orchestrator, bare) => {
      const one = await inTurn(orchestrator, bare, fields);
      return ratio('create → RUNNING of CLAUDE, image there', one.ours, one.bare, '');
    });
  } finally {
    await images.close();
    await model.close();
  }
}

async function withManager<T>(
  context: DockerContext,
  more: Record<string, string>,
  act: (orchestrator: BenchOrchestrator, bare: BareContainers) => Promise<T>,
): Promise<T> {
  const { redisUrl, bodyRedisUrl, dockerHost } = context;
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const docker = new Docker(toConnection(dockerHost));
  const orchestrator = new BenchOrchestrator(redisUrl, cell);
  const manager = await startManager({
    REDIS_URL: redisUrl,
    WORKER_REDIS_URL: bodyRedisUrl,
    CELL: cell,
    RUNTIME: 'docker',
    ...more,
    DOCKER_HOST: dockerHost.startsWith('/') ? `unix://${dockerHost}` : dockerHost,
  });
  try {
    return await act(orchestrator, new BareContainers(docker, orchestrator, { ...context, cell }));
  } finally {
    await manager.stop();
    await docker
      .getNetwork(networkName(cell))
      .remove()
      .catch(() => {});
    await orchestrator.close(cell);
  }
}

function ratio(name: string, ours: number, floor: number, note: string): Result {
  const value = ours / floor;
  const comparison = `${ours.toFixed(0)} ms against ${floor.toFixed(0)} ms of the bare API${note}`;
  return { name, value, unit: 'times', goal: `<= ${GOAL}`, met: value <= GOAL, note: comparison };
}

async function inTurn(
  orchestrator: BenchOrchestrator,
  bare: BareContainers,
  fields: Fields,
): Promise<{ ours: number; bare: number }> {
  const ours: number[] = [];
  const floor: number[] = [];
  // The first round creates the network and warms up both sides.
  for (let round = -1; round < ROUNDS; round += 1) {
    const began = Date.now();
    const id = orchestrator.create(fields);
    const took = (await orchestrator.reached(id, 'ready')) - began;
    await orchestrator.delete([id]);
    const other = await bare.run([randomUUID()], 1, fields);
    if (round < 0) continue;
    ours.push(took);
    floor.push(other);
  }
  return { ours: median(ours), bare: median(floor) };
}

async function atOnce(orchestrator: BenchOrchestrator, bare: BareContainers) {
  const ours: number[] = [];
  const floors = new Map<number, number[]>([3, 4, 8].map((concurrency) => [concurrency, []]));
  for (let round = 0; round < 3; round += 1) {
    const began = Date.now();
    const ids = Array.from({ length: AT_ONCE }, () => orchestrator.create(CUSTOM));
    let last = 0;
    for (const id of ids) last = Math.max(last, await orchestrator.reached(id, 'ready'));
    ours.push(last - began);
    await orchestrator.delete(ids);
    for (const [concurrency, times] of floors) {
      times.push(
        await bare.run(
          Array.from({ length: AT_ONCE }, () => randomUUID()),
          concurrency,
          CUSTOM,
        ),
      );
    }
  }
  const all = [...floors].map(([concurrency, times]) => ({ concurrency, best: median(times) }));
  const best = all.reduce((a, b) => (b.best < a.best ? b : a));
  return { ours: median(ours), ...best };
}
