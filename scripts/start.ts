/**
 * `npm start`: runs a manager. It is `worker-manager serve`, after creating what a checkout lacks: the wrapper, the
 * worker image if a Docker daemon answers, and a private Redis if REDIS_URL is not set.
 *
 * The private Redis stops with its last manager, and its data, port and password are kept: the next start uses the same
 * workers. A second start of the same cell uses the running Redis, and its manager is a standby. Arguments are passed
 * to `serve`; the exit code is the manager's.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { constants } from 'node:os';
import { join } from 'node:path';
import { resolveApiToken } from '../src/config/api-token.ts';
import { readSettings, type Settings } from '../src/config/settings.ts';
import { listen } from '../src/http/listen.ts';
import { errorMessage } from '../src/model/index.ts';
import { createRuntimes } from '../src/runtimes/index.ts';
import { getKeys } from '../src/store/keys.ts';
import { bundleWrapper } from './bundle-wrapper.ts';
import { type Engine, engineAtHand } from './engine.ts';
import { ensureRedis, type RedisAccess } from './redis.ts';
import { ensureWorkerImage } from './worker-image.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const EXAMPLE = {
  command: 'create',
  // A request_id identifies a command permanently: a repeated one would create nothing.
  request_id: randomUUID(),
  agent_type: 'CUSTOM',
  command_line: ['sh', '-c', 'while read -r line; do echo "you said: $line"; done'],
};
const print = (line: string) => console.error(line);

/** Milliseconds for an engine to list its bodies. */
const LIST_MS = 5000;

let redis: RedisAccess | undefined;
let ended: { settings: Settings; env: NodeJS.ProcessEnv } | undefined;
try {
  const settings = readSettings(process.env);
  // Checked before anything is started, like an invalid setting. On loopback, the manager generates a missing
  // token.
  resolveApiToken(settings, () => '');
  await checkPort(settings);
  await bundleWrapper();
  const engine = settings.runtime === 'process' ? undefined : await findEngine();
  const env = { ...process.env, ...(await prepareImages(settings, engine)) };
  const directory = join(settings.home, `redis-${settings.cell}`);
  if (process.env.REDIS_URL) print('Using the Redis in REDIS_URL; unset that variable for a private one.');
  else {
    const found = await ensureRedis(print, { docker: engine?.docker, directory });
    if ('error' in found) throw new Error(found.error);
    redis = found;
    env.REDIS_URL = redis.url;
    if (redis.bodyUrl) env.WORKER_REDIS_URL ??= redis.bodyUrl;
    printAddresses(redis, settings, directory);
  }
  process.exitCode = await runManager(env, redis?.usersFd);
  ended = { settings, env };
} catch (error) {
  console.error(errorMessage(error));
  process.exitCode = 1;
} finally {
  const redisEnded = await redis?.stop();
  if (ended) await printLeftovers(ended.settings, ended.env, redisEnded ?? false);
}

/** After the manager ends, the user should know what keeps running and how to get back to it. */
async function printLeftovers(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  redisEnded: boolean,
): Promise<void> {
  const { redisUrl, workerRedisUrl, workerImage, runtime, cell, home, dockerHost } = settings;
  const { runtimes } = createRuntimes({
    runtime: env.RUNTIME === 'process' ? 'process' : runtime,
    cell,
    home,
    redisUrl,
    workerRedisUrl,
    dockerHost,
    image: workerImage ?? '',
    dockerCallMs: LIST_MS,
    wrapper: { argv: [] },
    observe: () => {},
  });
  // A runtime that does not answer counts as having none.
  const lists = await Promise.all(runtimes.map((one) => one.list().catch(() => [])));
  await Promise.all(runtimes.map((one) => one.close()));
  const left = lists.flat().filter(({ state }) => state === 'running').length;
  if (left === 0) return;
  const redis = redisEnded
    ? ' The private Redis has stopped; their output is kept until it is running again.'
    : '';
  print(`${left} ${left === 1 ? 'worker keeps' : 'workers keep'} running without a manager.${redis}
\`npm start\` adopts them; \`npm run --silent wm -- dismantle --force\` ends and removes all of them.`);
}

/**
 * Checked before anything is started: a manager without an HTTP port would exit immediately, and stop what it started.
 */
async function checkPort({ httpHost: host, httpPort: port }: Settings): Promise<void> {
  const names = { host: 'HTTP_HOST', port: 'HTTP_PORT' };
  const server = await listen({ host, port, names, routes: [], log: { error: () => {} } });
  await server.close();
}

async function findEngine(): Promise<Engine | undefined> {
  const engine = await engineAtHand();
  return 'error' in engine ? undefined : engine;
}

/** Builds the simplest image, and with it the layers of all others. If that fails, `auto` means processes. */
async function prepareImages(
  { runtime, workerImage }: Settings,
  engine: Engine | undefined,
): Promise<NodeJS.ProcessEnv> {
  if (!engine || workerImage) return {};
  try {
    await ensureWorkerImage(engine.docker, print);
    return {};
  } catch (error) {
    if (runtime === 'docker') throw error;
    print(`${errorMessage(error)}\nContinuing with processes only; RUNTIME=docker requires Docker.`);
    return { RUNTIME: 'process' };
  }
}

function printAddresses({ url, how, joined }: RedisAccess, { cell }: Settings, directory: string): void {
  const { port, password } = new URL(url);
  const secret = password ? `default:$(cat '${join(directory, 'password')}')@` : '';
  const { commands, responses } = getKeys(cell);
  const cli = 'redis-cli --no-auth-warning -u "$REDIS_URL"';
  const whose = joined
    ? 'Another manager of this cell started it and this one shares it; it stops with the last of them'
    : 'It stops with this manager';
  const exports = (['CELL', 'WORKER_MANAGER_HOME'] as const)
    .flatMap((name) => (process.env[name] ? [`  export ${name}='${process.env[name]}'\n`] : []))
    .join('');
  print(`Redis is ${how} on 127.0.0.1:${port}. ${whose}; its data stay in ${directory}.
Try in another shell:

${exports}  npm run --silent wm -- ps

or, as any orchestrator does:

  export REDIS_URL="redis://${secret}127.0.0.1:${port}"
  ${cli} XADD ${commands} '*' data '${JSON.stringify(EXAMPLE)}'
  ${cli} XREAD STREAMS ${responses} 0
`);
}

/**
 * Runs the manager in the foreground until it ends; it inherits the lock that counts it as a user of the private Redis.
 */
function runManager(env: NodeJS.ProcessEnv, usersFd: number | undefined): Promise<number> {
  const manager = spawn(process.execPath, [MAIN, 'serve', ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', ...(usersFd === undefined ? [] : [usersFd])],
    env,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    // A terminal sends SIGINT and SIGQUIT to the whole group; a second signal would mean an immediate exit.
    const fromTerminal = process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT');
    process.on(signal, () => fromTerminal || manager.kill(signal));
  }
  return new Promise((resolve, reject) => {
    manager.once('error', reject);
    manager.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
