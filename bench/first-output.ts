/**
 * The time from a create over HTTP until the output of a command in the new worker arrives, over HTTP too: with an available warm
 * worker, in both runtimes; and in Docker without one, compared with a bare create and start of the same container until its
 * wrapper's `ready`, in alternation.
 */
import { randomUUID } from 'node:crypto';
import Docker from 'dockerode';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { connect } from '../src/client/index.ts';
import { toConnection } from '../src/runtimes/docker/client.ts';
import { networkName } from '../src/runtimes/docker/names.ts';
import { BareContainers, type DockerContext } from './bare-containers.ts';
import { startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import { median, quantile, type Result } from './result.ts';

const BURSTS = 8;
/** This many are claimed before the pool refills. */
const BURST = 5;
/** The first ones warm up the compilers and create the network. */
const WARM_UP = 1;
const COLD = 9;
const WARM_MS = 50;
const COLD_RATIO = 1.15;
const TOKEN = 'bench-token';
const SPEC = { agent_type: 'CUSTOM' as const, command_line: ['sleep', '3600'], stop_grace_seconds: 0 };

type Client = ReturnType<typeof connect>;
type Runtime = 'docker' | 'process';

/** Without Docker, only the process runtime is measured. */
export async function benchFirstOutput(
  redisUrl: string,
  context: DockerContext | undefined,
): Promise<Result[]> {
  await bundleWrapper();
  const results = await withManager(redisUrl, { RUNTIME: 'process' }, async ({ client, orchestrator }) => [
    await measureWarm(client, orchestrator, 'process'),
  ]);
  if (!context) return results;
  const { dockerHost, bodyRedisUrl, image } = context;
  const docker = new Docker(toConnection(dockerHost));
  const env = {
    RUNTIME: 'docker',
    WORKER_REDIS_URL: bodyRedisUrl,
    WORKER_IMAGE: image,
    DOCKER_HOST: dockerHost.startsWith('/') ? `unix://${dockerHost}` : dockerHost,
  };
  const inDocker = await withManager(redisUrl, env, async ({ client, orchestrator, cell }) => {
    const warm = await measureWarm(client, orchestrator, 'docker');
    const bare = new BareContainers(docker, orchestrator, { ...context, cell });
    const cold = await measureCold(client, orchestrator, bare);
    await docker
      .getNetwork(networkName(cell))
      .remove()
      .catch(() => {});
    return [warm, cold];
  });
  return [...results, ...inDocker];
}

async function withManager(
  redisUrl: string,
  env: Record<string, string>,
  act: (scene: { client: Client; orchestrator: BenchOrchestrator; cell: string }) => Promise<Result[]>,
): Promise<Result[]> {
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const orchestrator = new BenchOrchestrator(redisUrl, cell);
  const manager = await startManager({ REDIS_URL: redisUrl, CELL: cell, API_TOKEN: TOKEN, ...env });
  const client = connect({ url: manager.url, token: TOKEN });
  try {
    return await act({ client, orchestrator, cell });
  } finally {
    await client.close();
    await manager.stop();
    await orchestrator.close(cell);
  }
}

/** Creates a worker and runs a command in it; milliseconds until the first byte of its output. */
async function timed(client: Client, runtime: Runtime): Promise<{ id: string; took: number }> {
  let took = Number.NaN;
  const began = performance.now();
  const { id, commands } = await client.workers.create({ ...SPEC, runtime });
  await commands.run(['echo', 'hello'], {
    onStdout: () => {
      took = performance.now() - began;
    },
  });
  return { id, took };
}

async function measureWarm(
  client: Client,
  orchestrator: BenchOrchestrator,
  runtime: Runtime,
): Promise<Result> {
  const times: number[] = [];
  for (let burst = -WARM_UP; burst < BURSTS; burst += 1) {
    const pool = { name: 'warm', warm: BURST, execution_mode: runtime === 'docker' ? 'docker' : 'direct' };
    const template = { agent_type: SPEC.agent_type, command_line: SPEC.command_line };
    await orchestrator.send({ command: 'apply', pool: { ...pool, template } });
    await orchestrator.untilWarm(BURST);
    const ids: string[] = [];
    for (let n = 0; n < BURST; n += 1) {
      const { id, took } = await timed(client, runtime);
      ids.push(id);
      if (burst >= 0) times.push(took);
      if (!(await orchestrator.wasClaimed(id))) throw new Error('A create did not claim a warm worker.');
    }
    await orchestrator.send({ command: 'delete_pool', pool: 'warm' });
    await orchestrator.delete(ids);
  }
  const value = median(times);
  return {
    name: `create → output of a command, warm, ${runtime}, p50`,
    value,
    unit: 'ms',
    goal: `<= ${WARM_MS}`,
    met: value <= WARM_MS,
    note: `${times.length} creates, p99 ${quantile(times, 0.99).toFixed(0)} ms`,
  };
}

async function measureCold(
  client: Client,
  orchestrator: BenchOrchestrator,
  bare: BareContainers,
): Promise<Result> {
  const [ours, floor]: [number[], number[]] = [[], []];
  for (let round = -WARM_UP; round < COLD; round += 1) {
    const { id, took } = await timed(client, 'docker');
    await orchestrator.delete([id]);
    const other = await bare.run([randomUUID()], 1, { ...SPEC, runtime: 'docker' });
    if (round < 0) continue;
    ours.push(took);
    floor.push(other);
  }
  const value = median(ours) / median(floor);
  return {
    name: 'create → output of a command, cold, Docker, over a bare container until ready, p50',
    value,
    unit: 'times',
    goal: `<= ${COLD_RATIO}`,
    met: value <= COLD_RATIO,
    note: `${median(ours).toFixed(0)} ms against ${median(floor).toFixed(0)} ms`,
  };
}
