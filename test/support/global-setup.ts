/**
 * Gives the `real` tests a Docker daemon, the worker image and one Redis, and takes back what it made.
 *
 * Nothing here pulls where an image can be made: images are built once and kept by the daemon.
 */
import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { GenericContainer } from 'testcontainers';
import type { TestProject } from 'vitest/node';
import { ensureBaseImage, isPresent } from '../../scripts/base-image.ts';
import { ensureDocker } from '../../scripts/ensure-docker.ts';
import { ensureWorkerImage } from '../../scripts/worker-image.ts';
import { dockerAt } from './docker.ts';
import { pointTestcontainersAt, startRedisAt, sweepRedis } from './redis.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The Redis that all tests share, as the test sees it. */
    redisUrl: string;
    /** The same, as a container on a bridge sees it. */
    bodyRedisUrl: string;
    /** The daemon: the path of its Unix socket, or its URL. */
    dockerHost: string;
    /** Debian and Node and nothing of ours: what the worker image stands on. */
    baseImage: string;
    /** The worker image. */
    image: string;
    /** The image that `startRedis` runs. */
    redisImage: string;
  }
}

const ROOT = join(import.meta.dirname, '..', '..');
const log = (line: string) => console.error(`[set-up] ${line}`);

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const access = await ensureDocker(log);
  if ('error' in access) throw new Error(access.error);
  try {
    const dockerHost = access.socket;
    pointTestcontainersAt(dockerHost);
    const docker = dockerAt(dockerHost);
    const baseImage = await ensureBaseImage(docker, log);
    const redisImage = await ensureRedisImage(docker, baseImage);
    const image = await ensureWorkerImage(docker, log);
    if (process.platform === 'linux') await sweepRedis(docker);
    const redis = await startRedisAt({ dockerHost, redisImage });
    project.provide('dockerHost', dockerHost);
    project.provide('baseImage', baseImage);
    project.provide('redisImage', redisImage);
    project.provide('image', image);
    project.provide('redisUrl', redis.url);
    project.provide('bodyRedisUrl', redis.bodyUrl);
    return async () => {
      await redis.stop();
      await access.stop();
    };
  } catch (error) {
    await access.stop();
    throw error;
  }
}

/** Servers that tests may run against, by the value of TEST_REDIS: Debian's release and its packages. */
const REDIS_SERVERS: Record<string, { suite: string; packages: string; program?: string }> = {
  'redis-7': { suite: 'bookworm', packages: 'redis-server' },
  'redis-8': { suite: 'trixie', packages: 'redis-server' },
  'valkey-9': { suite: 'sid', packages: 'valkey-server', program: 'valkey-server' },
};

/** Redis from Debian on the base that is here anyway: no registry needed. */
async function ensureRedisImage(docker: Docker, base: string): Promise<string> {
  const chosen = process.env.TEST_REDIS ?? 'redis-7';
  const server = REDIS_SERVERS[chosen];
  if (!server)
    throw new Error(`TEST_REDIS must be one of ${Object.keys(REDIS_SERVERS).join(', ')}, not ${chosen}.`);
  const { suite, packages, program } = server;
  // A file may have moved from a package of this release to another one of the newer.
  const newer = suite !== 'bookworm' && [
    `RUN sed 's/bookworm/${suite}/' /etc/apt/sources.list > /etc/apt/sources.list.d/newer.list`,
    // The Release file of sid may be past its date on a mirror that lags behind.
    `RUN echo 'Acquire::Check-Valid-Until "false";' > /etc/apt/apt.conf.d/99check`,
  ];
  const dockerfile = [
    `FROM ${base}`,
    ...(newer || []),
    `RUN apt-get update && apt-get install -y --no-install-recommends ${newer ? '-o Dpkg::Options::=--force-overwrite ' : ''}-t ${suite} ${packages} && rm -rf /var/lib/apt/lists/*`,
    ...(program ? [`RUN ln -s ${program} /usr/bin/redis-server`] : []),
    'RUN mkdir -p /data',
    'LABEL worker-manager.managed=true',
    '',
  ].join('\n');
  const name = `worker-test-redis:${createHash('sha256').update(dockerfile).digest('hex').slice(0, 12)}`;
  if (await isPresent(docker, name)) return name;
  log(`Building ${name} …`);
  const context = join(ROOT, '.cache', `redis-image-${process.pid}`);
  await mkdir(context, { recursive: true });
  try {
    await writeFile(join(context, 'Dockerfile'), dockerfile);
    await GenericContainer.fromDockerfile(context).build(name, { deleteOnExit: false });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
  return name;
}
