/** Creates the configured runtimes, in the order of preference. */
import { type RuntimeName, toRuntimeNames } from '../model/index.ts';
import { DEADLINES } from './docker/client.ts';
import { createDockerRuntime } from './docker/docker.ts';
import { createProcessRuntime } from './process/process.ts';
import type { DefaultLimits, Runtime } from './runtime.ts';
import { withMetrics } from './with-metrics.ts';

export interface RuntimeChoice {
  /** `auto` enables all of them. */
  runtime: 'auto' | RuntimeName;
  cell: string;
  redisUrl: string;
  /** The Redis URL for bodies with their own address; derived from `redisUrl` if absent. */
  workerRedisUrl: string | undefined;
  dockerHost: string;
  image: string;
  dockerCallMs: number;
  /** Folder of the process runtime. */
  home: string;
  /** PROCESS_USER. */
  processUser?: string;
  wrapper: { argv: string[] };
  /** HANDLERS_DIR, mounted into Docker bodies that use its files. */
  handlersDir?: string | undefined;
  /** Whether Docker bodies can reach link-local addresses. */
  linkLocal?: boolean | undefined;
  /** Limits of bodies whose spec has none. */
  defaults?: DefaultLimits | undefined;
  observe: (runtime: RuntimeName, call: string, result: string, seconds: number) => void;
}

interface Made {
  runtime: Runtime;
  /** The Redis URL for the body. */
  bodyRedisUrl: () => Promise<string>;
}

/** A runtime that is in the table of names but not here is a compile error. */
const MAKERS: { [name in RuntimeName]: (choice: RuntimeChoice) => Made } = {
  docker: makeDocker,
  process: makeProcess,
};

export function createRuntimes(choice: RuntimeChoice): {
  runtimes: Runtime[];
  bodyRedisUrl: (runtime: RuntimeName) => Promise<string>;
} {
  const made = new Map(toRuntimeNames(choice.runtime).map((name) => [name, MAKERS[name](choice)]));
  return {
    runtimes: [...made.values()].map(({ runtime }) => runtime),
    bodyRedisUrl: async (name) => made.get(name)?.bodyRedisUrl() ?? choice.redisUrl,
  };
}

function makeDocker(choice: RuntimeChoice): Made {
  const capped = Object.entries(DEADLINES).map(([call, ms]) => [call, Math.min(ms, choice.dockerCallMs)]);
  const runtime = createDockerRuntime({
    cell: choice.cell,
    host: choice.dockerHost,
    image: choice.image,
    deadlines: Object.fromEntries(capped),
    handlersDir: choice.handlersDir,
    linkLocal: choice.linkLocal,
    defaults: choice.defaults,
    observe: (call, result, seconds) => choice.observe(runtime.name, call, result, seconds),
  });
  return {
    runtime,
    bodyRedisUrl: async () =>
      choice.workerRedisUrl ?? throughGateway(choice.redisUrl, await runtime.gatewayAddress()),
  };
}

function makeProcess(choice: RuntimeChoice): Made {
  const runtime = createProcessRuntime({
    cell: choice.cell,
    root: choice.home,
    wrapper: choice.wrapper,
    user: choice.processUser,
    programs: choice.handlersDir === undefined ? [] : [choice.handlersDir],
    defaults: choice.defaults,
  });
  return {
    runtime: withMetrics(runtime, (call, result, seconds) =>
      choice.observe(runtime.name, call, result, seconds),
    ),
    // A process runs on the manager's machine, so it uses the same Redis URL.
    bodyRedisUrl: async () => choice.redisUrl,
  };
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)$/;

/** Loopback inside a container is the container itself; the engine's gateway address leads to the host. */
export function throughGateway(url: string, gateway: string | undefined): string {
  const shown = new URL(url);
  if (!gateway || !LOOPBACK.test(shown.hostname)) return url;
  shown.hostname = gateway;
  return shown.href;
}
