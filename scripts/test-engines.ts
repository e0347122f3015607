/**
 * `npm run test:engines [-- SERVER …] [FILE …]`: the suites that depend on an engine, against other versions than `npm test` uses.
 *
 *     docker-26, docker-28    conformance, the Docker runtime, images, security and a conversation with an agent
 *     redis-8, valkey-9       the store, the lease, commands, tasks and output
 *
 * Without a server, all of them. `--short` is what `npm test` runs; it gives the reason if a server cannot be had.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import Docker from 'dockerode';
import { errorMessage } from '../src/model/index.ts';
import { toConnection } from '../src/runtimes/docker/client.ts';
import { ensureBaseImage } from './base-image.ts';
import { archiveProblem, hasRoot } from './debian-root.ts';
import { engineAtAnyPrice } from './engine.ts';
import { copyTestImages } from './engine-images.ts';
import { ENGINES, type EngineName, engineDirectory, startNewerEngine } from './newer-engine.ts';

/** Beside the data of the private daemon, and kept as those are: making a root takes a minute. */
const DIRECTORY = '/var/lib/worker-manager-engines';
const REDIS_SERVERS = ['redis-8', 'valkey-9'];
const ENGINE_FILES = ['conformance', 'runtimes/docker', 'images', 'security', 'e2e/agents-claude'];
const REDIS_FILES = ['store', 'queue', 'commands', 'tasks', 'worker-base/streams'];
const SHORT = {
  engine: { name: 'docker-26', files: ['conformance/docker', 'images/builders'] },
  redis: { name: 'redis-8', files: ['store'] },
} as const;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const TEST = [process.execPath, join(import.meta.dirname, 'test.ts'), '--project', 'real'];

const args = process.argv.slice(2);
const short = args.includes('--short');
const isServer = (arg: string) => isEngine(arg) || REDIS_SERVERS.includes(arg);
const named = args.filter(isServer);
const files = args.filter((arg) => !arg.startsWith('--') && !isServer(arg));
process.exitCode = short
  ? await runShort()
  : await runAll(named.length > 0 ? named : [...Object.keys(ENGINES), ...REDIS_SERVERS]);

/** All tests of each of these servers, or the given files; fails if one of them fails. */
async function runAll(servers: readonly string[]): Promise<number> {
  let worst = 0;
  for (const server of servers) {
    console.log(`\n${server}:`);
    const status = isEngine(server)
      ? await withEngine(server, { worker: false }, (engine) => test(ENGINE_FILES, engine))
      : await test(REDIS_FILES, { env: { TEST_REDIS: server } });
    worst = Math.max(worst, status);
  }
  return worst;
}

/** About two minutes; a machine on which a server cannot be had is not a failure. */
async function runShort(): Promise<number> {
  const { engine, redis } = SHORT;
  const problem = await archiveProblem('trixie');
  let status = 0;
  const unmade = hasRoot(engineDirectory(DIRECTORY, engine.name)) ? undefined : problem;
  try {
    if (unmade) throw new Error(unmade);
    await withEngine(engine.name, { worker: true }, async (run) => {
      // Before the engine is stopped, which may fail, too.
      status = await test(engine.files, run);
      return status;
    });
  } catch (error) {
    console.log(`\n${engine.name} was not tested: ${errorMessage(error)}`);
  }
  if (problem) console.log(`\n${redis.name} was not tested: ${problem}`);
  else status = Math.max(status, await test(redis.files, { env: { TEST_REDIS: redis.name } }));
  return status;
}

interface Run {
  /** What the tests run inside of. */
  enter?: readonly string[];
  env: Record<string, string>;
}

/** `worker`: take over the worker image, too, instead of building it. */
async function withEngine(
  name: EngineName,
  { worker }: { worker: boolean },
  act: (run: Run) => Promise<number>,
): Promise<number> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error('a second engine needs root on Linux.');
  const own = await engineAtAnyPrice(console.error);
  if ('error' in own) throw new Error(own.error);
  try {
    await ensureBaseImage(own.docker, console.error);
    const engine = await startNewerEngine(DIRECTORY, { name, log: console.error });
    try {
      const docker = new Docker(toConnection(engine.dockerHost));
      await copyTestImages(own.docker, docker, { worker, log: console.error });
      const PATH = `${engine.programs}:${process.env.PATH}`;
      return await act({
        enter: engine.enter,
        env: {
          DOCKER_HOST: engine.dockerHost,
          TMPDIR: engine.shared,
          TEST_ENGINE_ROOT: engine.root,
          PATH,
        },
      });
    } finally {
      await engine.stop();
    }
  } finally {
    await own.stop();
  }
}

/** Runs test files, or those that were asked for, to their end; returns the exit code. */
async function test(names: readonly string[], { enter = [], env }: Run): Promise<number> {
  const chosen = files.length > 0 ? files : names.map((name) => `test/${name}`);
  const [program = '', ...before] = [...enter, ...TEST];
  const child = spawn(program, [...before, ...chosen], { stdio: 'inherit', env: { ...process.env, ...env } });
  // The whole group of a terminal gets Ctrl-C. This process continues either way, to stop the engine.
  const forward = (signal: NodeJS.Signals) => void (process.stdin.isTTY || child.kill(signal));
  for (const signal of SIGNALS) process.on(signal, forward);
  const [code] = (await once(child, 'close')) as [number | null];
  for (const signal of SIGNALS) process.off(signal, forward);
  return code ?? 1;
}

function isEngine(name: string): name is EngineName {
  return name in ENGINES;
}
