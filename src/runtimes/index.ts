/** Makes the runtimes that the settings name, in the order of preference. */
import type { RuntimeName } from '../model/index.ts';
import { DEADLINES } from './docker/client.ts';
import { createDockerRuntime, type DockerRuntime } from './docker/docker.ts';
import { observed } from './observed.ts';
import { createProcessRuntime } from './process/process.ts';
import type { DefaultLimits, Runtime } from './runtime.ts';

export interface RuntimeChoice {
  /** `auto` uses both, and prefers Docker. */
  runtime: 'auto' | 'docker' | 'process';
  cell: string;
  redisUrl: string;
  /** Redis as a Docker body sees it; made from `redisUrl` where it is missing. */
  workerRedisUrl: string | undefined;
  dockerHost: string;
  image: string;
  dockerCallMs: number;
  /** Folder of the process runtime. */
  home: string;
  /** PROCESS_USER. */
  processUser?: string;
  wrapper: { argv: string[] };
  /** HANDLERS_DIR, bound into Docker bodies that name files of it. */
  handlersDir?: string | undefined;
  /** Whether Docker bodies reach link-local addresses. */
  linkLocal?: boolean | undefined;
  /** Limits of bodies whose spec names none. */
  defaults?: DefaultLimits | undefined;
  observe: (runtime: RuntimeName, call: string, result: string, seconds: number) => void;
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)$/;

export function createRuntimes(choice: RuntimeChoice): {
  runtimes: Runtime[];
  bodyRedisUrl: (runtime: RuntimeName) => Promise<string>;
} {
  const { cell, runtime } = choice;
  const capped = Object.entries(DEADLINES).map(([call, ms]) => [call, Math.min(ms, choice.dockerCallMs)]);
  const docker: DockerRuntime | undefined =
    runtime === 'process'
      ? undefined
      : createDockerRuntime({
          ...{ cell, host: choice.dockerHost, image: choice.image, deadlines: Object.fromEntries(capped) },
          ...{ handlersDir: choice.handlersDir, linkLocal: choice.linkLocal, defaults: choice.defaults },
          observe: (call, result, seconds) => choice.observe('docker', call, result, seconds),
        });
  const direct =
    runtime === 'docker'
      ? undefined
      : observed(
          createProcessRuntime({
            ...{ cell, root: choice.home, wrapper: choice.wrapper, user: choice.processUser },
            programs: choice.handlersDir === undefined ? [] : [choice.handlersDir],
            defaults: choice.defaults,
          }),
          (call, result, seconds) => choice.observe('process', call, result, seconds),
        );
  return {
    runtimes: [docker, direct].filter((one) => one !== undefined),
    // A process shares the manager's machine, and so its view of Redis.
    bodyRedisUrl: async (name) =>
      name === 'docker'
        ? (choice.workerRedisUrl ?? throughGateway(choice.redisUrl, await docker?.gatewayAddress()))
        : choice.redisUrl,
  };
}

/** Loopback inside a container is the container itself; the engine's gateway leads to its machine. */
export function throughGateway(url: string, gateway: string | undefined): string {
  const seen = new URL(url);
  if (!gateway || !LOOPBACK.test(seen.hostname)) return url;
  seen.hostname = gateway;
  return seen.href;
}
