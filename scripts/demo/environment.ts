import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorMessage } from '../../src/model/index.ts';
import { createRuntimes } from '../../src/runtimes/index.ts';
import { bundleWrapper } from '../bundle-wrapper.ts';
import { canReach, type Engine, engineAtAnyPrice, engineAtHand } from '../engine.ts';
import { bridgeAddress, ensureRedis } from '../redis.ts';
import { ensureWorkerImage } from '../worker-image.ts';
import { type Cleanup, dismantle } from './cleanup.ts';
import { ManagerProcess } from './manager.ts';
import { removeKeys } from './orchestrator.ts';

/** `undefined`: processes, and Docker if it is available. */
export type DemoOptions = 'docker' | 'process' | undefined;
type Log = (line: string) => void;

/** The environment of the demo. */
export interface DemoEnvironment {
  cell: string;
  redisUrl: string;
  redisHow: string;
  manager: ManagerProcess;
  /** Runtimes of the two workers. */
  runtimes: ('docker' | 'process')[];
  engine: Engine | undefined;
  /** Folder of the process runtime. */
  home: string;
}

/** Finds or creates everything; `cleanup` undoes what was created. Throws if something is missing. */
export async function setStage(options: DemoOptions, cleanup: Cleanup, say: Log): Promise<DemoEnvironment> {
  const cell = `demo-${randomBytes(3).toString('hex')}`;
  const home = mkdtempSync(join(tmpdir(), 'worker-manager-demo-'));
  cleanup.add('its folder', () => rmSync(home, { recursive: true, force: true }));
  const wrapper = await bundleWrapper();
  const found = await findEngine(options, cleanup, say);

  const redis = await ensureRedis(say, { docker: found?.engine.docker });
  if ('error' in redis) throw new Error(redis.error);
  cleanup.add('Redis', () => redis.stop());
  // After the bodies, which write to their streams as long as they run.
  cleanup.add('keys', () => removeKeys(redis.url, cell));
  const bodyUrl = redis.bodyUrl ?? (found && (await throughBridge(redis.url, found.engine)));
  const obstacle = found && (await whyUnreachable(found, bodyUrl ?? redis.url));
  if (obstacle && options === 'docker') throw new Error(obstacle);
  if (obstacle) say(`${obstacle} Continuing without Docker.`);
  const usable = obstacle ? undefined : found;

  const second = usable ? 'docker' : 'process';
  const runtimes: DemoEnvironment['runtimes'] =
    options === 'docker' ? ['docker', 'docker'] : ['process', second];
  const runtime = options ?? (usable ? 'auto' : 'process');
  const env = {
    ...process.env,
    CELL: cell,
    RUNTIME: runtime,
    REDIS_URL: redis.url,
    WORKER_MANAGER_HOME: home,
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: '0',
    LEASE_SECONDS: '2',
    LOG_LEVEL: 'info',
    ...(bodyUrl && { WORKER_REDIS_URL: bodyUrl }),
    ...(usable && { DOCKER_HOST: usable.engine.host, WORKER_IMAGE: usable.image }),
  };
  cleanup.add('bodies, network and folders', async () => {
    const own = createRuntimes({
      runtime,
      cell,
      home,
      redisUrl: redis.url,
      workerRedisUrl: bodyUrl,
      dockerHost: usable?.engine.host ?? '',
      image: usable?.image ?? '',
      dockerCallMs: 30_000,
      wrapper: { argv: [process.execPath, wrapper.path] },
      observe: () => {},
    });
    const left = await Promise.all(own.runtimes.map(dismantle));
    const count = left.reduce((sum, one) => sum + one, 0);
    if (count > 0) say(`Stopped ${count} remaining bodies.`);
  });
  const manager = new ManagerProcess(env, join(home, 'manager.log'));
  cleanup.add('the manager', () => manager.stop());
  return { cell, redisUrl: redis.url, redisHow: redis.how, manager, runtimes, engine: usable?.engine, home };
}

interface Found {
  engine: Engine;
  image: string;
}

async function findEngine(options: DemoOptions, cleanup: Cleanup, say: Log): Promise<Found | undefined> {
  if (options === 'process') return undefined;
  const engine = options === 'docker' ? await engineAtAnyPrice(say) : await engineAtHand();
  if ('error' in engine) {
    if (options === 'docker') throw new Error(engine.error);
    say(`${engine.error} Continuing with processes only.`);
    return undefined;
  }
  cleanup.add('the Docker daemon', () => engine.stop());
  try {
    return { engine, image: await ensureWorkerImage(engine.docker, say) };
  } catch (error) {
    if (options === 'docker') throw error;
    say(`The worker image could not be built: ${errorMessage(error)} Continuing with processes only.`);
    return undefined;
  }
}

/** The user's Redis on a loopback address, as a container must address it. */
async function throughBridge(redisUrl: string, { docker }: Engine): Promise<string | undefined> {
  const url = new URL(redisUrl);
  const bridge = await bridgeAddress(docker);
  if (!bridge || !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)) return undefined;
  url.hostname = bridge;
  return url.href;
}

async function whyUnreachable({ engine, image }: Found, bodyUrl: string): Promise<string | undefined> {
  if (await canReach(engine.docker, image, bodyUrl)) return undefined;
  const { hostname, port } = new URL(bodyUrl);
  return `Containers cannot reach Redis at ${hostname}:${port || 6379}: a firewall blocks the connection, or Redis listens on loopback only. Set WORKER_REDIS_URL to an address that they can reach.`;
}
