/**
 * `true` in a running worker over HTTP: in a container, compared with `docker exec` in the same one; as a process, with a
 * bare spawn. The pairs are measured in turn.
 */
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { connect } from '../src/client/index.ts';
import { toConnection } from '../src/runtimes/docker/client.ts';
import type { DockerContext } from './bare-containers.ts';
import { startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import { median, quantile, type Result } from './result.ts';

const run = promisify(execFile);
const ROUNDS = 60;
const WARM_UP = 10;
const TOKEN = 'bench-token';
/** Of `true` in a worker, times the time of its peer. */
const GOALS = { docker: 0.15, process: 2 };

export async function benchExec(context: DockerContext): Promise<Result[]> {
  await bundleWrapper();
  const { dockerHost } = context;
  const host = dockerHost.startsWith('/') ? `unix://${dockerHost}` : dockerHost;
  const dockerExec = async (id: string) => {
    const [container] = await new Docker(toConnection(dockerHost)).listContainers({
      filters: { label: [`worker-manager.worker-id=${id}`] },
    });
    const argv = ['exec', container?.Id ?? '', 'true'];
    return async () => void (await run('docker', argv, { env: { ...process.env, DOCKER_HOST: host } }));
  };
  return [
    await compare(context, 'docker', host, 'docker exec', dockerExec),
    await compare(context, 'process', host, 'a bare spawn', async () => async () => {
      await once(spawn('true', { stdio: 'ignore' }), 'close');
    }),
  ];
}

async function compare(
  { redisUrl, bodyRedisUrl, image }: DockerContext,
  runtime: 'docker' | 'process',
  host: string,
  peerName: string,
  toPeer: (id: string) => Promise<() => Promise<void>>,
): Promise<Result> {
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const orchestrator = new BenchOrchestrator(redisUrl, cell);
  const manager = await startManager({
    REDIS_URL: redisUrl,
    WORKER_REDIS_URL: runtime === 'docker' ? bodyRedisUrl : redisUrl,
    CELL: cell,
    RUNTIME: runtime,
    API_TOKEN: TOKEN,
    ...(runtime === 'docker' && { DOCKER_HOST: host, WORKER_IMAGE: image }),
  });
  const client = connect({ url: manager.url, token: TOKEN });
  try {
    const spec = { agent_type: 'CUSTOM' as const, command_line: ['sleep', '3600'], stop_grace_seconds: 0 };
    const worker = await client.workers.create(spec, { wait: 'ready' });
    const peer = await toPeer(worker.id);
    const times = { here: [] as number[], there: [] as number[] };
    for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
      const here = await timed(async () => void (await worker.commands.run(['true'])));
      const there = await timed(peer);
      if (round < WARM_UP) continue;
      times.here.push(here);
      times.there.push(there);
    }
    const ratio = median(times.here) / median(times.there);
    await orchestrator.delete([worker.id]);
    return {
      name: `true in a worker (${runtime}), over ${peerName}, p50`,
      value: ratio,
      unit: 'times',
      goal: `<= ${GOALS[runtime]}`,
      met: ratio <= GOALS[runtime],
      note: `${median(times.here).toFixed(2)} and ${median(times.there).toFixed(2)} ms, p99 ${quantile(times.here, 0.99).toFixed(2)} ms`,
    };
  } finally {
    await client.close();
    await manager.stop();
    await orchestrator.close(cell);
  }
}

async function timed(act: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}
