/**
 * `npm run test:engines [-- OPTION] [FILE …]`: the suites that depend on an engine, against a newer one than the machine's own.
 *
 *     --docker=trixie|sid         Docker 26.1 or 28.5 (the default); conformance, the Docker runtime, images, security, an agent
 *     --redis=redis-8|valkey-9    the store, the lease, commands, tasks and output
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Suite, startNewerEngine } from './newer-engine.ts';

const DOCKER_SUITES: readonly string[] = ['trixie', 'sid'] satisfies Suite[];
const DOCKER_FILES = ['conformance', 'runtimes/docker', 'images', 'security', 'e2e/agents-claude'];
const REDIS_SERVERS = ['redis-8', 'valkey-9'];
const REDIS_FILES = ['store', 'queue', 'commands', 'tasks', 'worker-base/streams'];
/** Kept between runs: making the root of an engine takes two minutes. */
const DIRECTORY = '/var/lib/worker-manager-engines';
const TEST = [process.execPath, join(import.meta.dirname, 'test.ts'), '--project', 'real'];

const args = process.argv.slice(2);
const redis = option('redis', REDIS_SERVERS);
const docker = option('docker', DOCKER_SUITES);
const files = args.filter((arg) => !arg.startsWith('--'));
process.exitCode = redis
  ? run(TEST, REDIS_FILES, { TEST_REDIS: redis })
  : await withDocker((docker ?? 'sid') as Suite);

async function withDocker(suite: Suite): Promise<number> {
  const engine = await startNewerEngine(DIRECTORY, { suite, log: console.error });
  try {
    const env = { DOCKER_HOST: engine.dockerHost, TMPDIR: engine.shared };
    return run([...engine.enter, ...TEST], DOCKER_FILES, env);
  } finally {
    await engine.stop();
  }
}

function run([program = '', ...before]: readonly string[], suites: string[], env: Record<string, string>) {
  const chosen = files.length > 0 ? files : suites.map((name) => `test/${name}`);
  const { status } = spawnSync(program, [...before, ...chosen], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  return status ?? 1;
}

function option(name: string, allowed: readonly string[]): string | undefined {
  const value = args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  if (value === undefined || allowed.includes(value)) return value;
  console.error(`--${name} must be one of ${allowed.join(', ')}, not ${value}.`);
  process.exit(2);
}
