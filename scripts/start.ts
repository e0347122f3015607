/**
 * `npm start`: runs a manager. It is `worker-manager serve`, after creating what a checkout lacks: the wrapper, the
 * worker image if a Docker daemon answers, and the program of a private Redis if REDIS_URL is not set.
 *
 * Arguments are passed to `serve`; the exit code is the manager's.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { resolveApiToken } from '../src/config/api-token.ts';
import { readSettings, type Settings } from '../src/config/settings.ts';
import { checkPort } from '../src/manager/serve-cell.ts';
import { errorMessage } from '../src/model/index.ts';
import { findRedisServer } from '../src/private-redis/redis-server.ts';
import { bundlePage } from './bundle-page.ts';
import { bundleWrapper } from './bundle-wrapper.ts';
import { type Engine, engineAtHand } from './engine.ts';
import { installRedis } from './redis.ts';
import { ensureWorkerImage } from './worker-image.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const print = (line: string) => console.error(line);

try {
  const settings = readSettings(process.env);
  // Checked before anything is built, like an invalid setting. On loopback, the manager generates a missing token.
  resolveApiToken(settings, () => '');
  await checkPort(settings);
  await Promise.all([bundleWrapper(), bundlePage()]);
  const engine = settings.runtime === 'process' ? undefined : await findEngine();
  const env = { ...process.env, ...(await prepareImages(settings, engine)) };
  if (process.env.REDIS_URL) print('Using the Redis in REDIS_URL; unset that variable for a private one.');
  // Without it, the manager uses a container, or says what to install.
  else if ('error' in findRedisServer()) installRedis(print);
  process.exitCode = await runManager(env);
} catch (error) {
  console.error(errorMessage(error));
  process.exitCode = 1;
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

/** Runs the manager in the foreground until it ends. */
function runManager(env: NodeJS.ProcessEnv): Promise<number> {
  const manager = spawn(process.execPath, [MAIN, 'serve', ...process.argv.slice(2)], {
    stdio: 'inherit',
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
