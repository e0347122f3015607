/**
 * Real Redis servers for tests, in containers on the machine's own network, so that tests and bodies reach them.
 *
 * `inject('redisUrl')` is one that all tests share; a test that hurts Redis starts its own here.
 */
import { existsSync } from 'node:fs';
import type Docker from 'dockerode';
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';
import { inject } from 'vitest';
import { bridgeGateway } from './docker.ts';
import { freePort } from './free-port.ts';

export interface RedisOptions {
  /** Every change is in the append-only file before it is answered; default true. */
  appendonly?: boolean;
  /** Further arguments, such as `['--maxmemory', '10mb']`. */
  args?: string[];
}

/** Where a server is made: the daemon and the image that the set-up built. */
export interface RedisPlace {
  dockerHost: string;
  redisImage: string;
}

export interface RedisServer {
  /** As the test sees it. */
  url: string;
  /** As a container on a bridge sees it. */
  bodyUrl: string;
  port: number;
  containerId: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port and files; resolves when it takes commands. */
  start(): Promise<void>;
  /** Freezes it: connections stay open and nothing answers. */
  pause(): Promise<void>;
  unpause(): Promise<void>;
  /** Ends it and removes its container. */
  stop(): Promise<void>;
}

/** Starts a Redis of the test's own. */
export function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  return startRedisAt({ dockerHost: inject('dockerHost'), redisImage: inject('redisImage') }, options);
}

/** As `startRedis`, for the set-up itself, which has nothing to inject yet. */
export async function startRedisAt(place: RedisPlace, options: RedisOptions = {}): Promise<RedisServer> {
  pointTestcontainersAt(place.dockerHost);
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const gateway = await bridgeGateway(dockerode);
  const port = await freePort();
  const command = ['redis-server', '--bind', '127.0.0.1', gateway, '--port', String(port)];
  command.push('--protected-mode', 'no', '--save', '', '--dir', '/data');
  command.push('--appendonly', options.appendonly === false ? 'no' : 'yes');
  // With `everysec` a write waits up to two seconds for a disk that is busy, after its answer was given.
  command.push('--appendfsync', 'always', ...(options.args ?? []));
  const started = await new GenericContainer(place.redisImage)
    .withNetworkMode('host')
    .withCommand(command)
    .withLabels({ [OWNER]: String(process.pid) })
    .withWaitStrategy(Wait.forLogMessage(READY))
    .start();
  const container = dockerode.getContainer(started.getId());
  return {
    url: `redis://127.0.0.1:${port}`,
    bodyUrl: `redis://${gateway}:${port}`,
    port,
    containerId: started.getId(),
    kill: async () => {
      const ended = container.wait();
      await container.kill();
      await ended;
    },
    start: async () => {
      // By the daemon's own clock, and to the millisecond: what it said in the life before counts for nothing.
      const { State } = await container.inspect();
      const since = Date.parse(State.FinishedAt) / 1000;
      await container.start();
      const log = await container.logs({ follow: true, stdout: true, stderr: true, since });
      await readUntil(log, READY);
    },
    pause: () => container.pause(),
    unpause: () => container.unpause(),
    stop: async () => {
      await container.remove({ force: true, v: true });
    },
  };
}

/** testcontainers reads these when it first looks for a daemon; its reaper's image cannot be assumed to be there. */
export function pointTestcontainersAt(dockerHost: string): void {
  process.env.DOCKER_HOST = dockerHost.startsWith('/') ? `unix://${dockerHost}` : dockerHost;
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
}

/** Removes servers whose test process was killed before it could stop them. */
export async function sweepRedis(docker: Docker): Promise<void> {
  const left = await docker.listContainers({ all: true, filters: { label: [OWNER] } });
  const dead = left.filter(({ Labels }) => !existsSync(`/proc/${Labels[OWNER]}`));
  await Promise.all(dead.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
}

/** The test process that started a server. */
const OWNER = 'worker-test.owner-pid';
const READY = 'Ready to accept connections';

async function readUntil(log: NodeJS.ReadableStream, text: string): Promise<void> {
  let seen = '';
  for await (const chunk of log) {
    seen += chunk;
    if (seen.includes(text)) return;
  }
  throw new Error(`Redis ended before it was ready: ${seen.slice(-500)}`);
}
