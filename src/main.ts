#!/usr/bin/env node
/** The entry point: the only file that reads the environment, creates clients and wires components. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ManagerAddress } from './cli/deps.ts';
import { runCli } from './cli/index.ts';
import { contextPath, readContextFile } from './config/context-file.ts';
import { explainSettings, readSettings } from './config/settings.ts';
import type { Environment } from './config/variable.ts';
import type { Link } from './store/index.ts';

const WRAPPER = fileURLToPath(new URL('../dist/wrapper.mjs', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/**
 * The environment of a verb: without REDIS_URL, Redis is the one of the manager that last started in this cell on this
 * machine.
 */
function verbEnv(): { env: Environment; fromFile: string[] } {
  const { env } = process;
  const redisUrl = env.REDIS_URL ? undefined : readContextFile(contextPath(readSettings(env)))?.redis_url;
  return redisUrl === undefined
    ? { env, fromFile: [] }
    : { env: { ...env, REDIS_URL: redisUrl }, fromFile: ['REDIS_URL'] };
}

function resolveManagerAddress(): ManagerAddress {
  const { env, fromFile } = verbEnv();
  const settings = readSettings(env);
  const path = contextPath(settings);
  const known = readContextFile(path);
  return {
    path,
    cell: settings.cell,
    redisUrl: settings.redisUrl,
    redisFromFile: fromFile.length > 0,
    url: env.WM_URL || known?.url,
    token: env.WM_TOKEN || known?.token,
  };
}

process.exitCode = await runCli(process.argv.slice(2), {
  version,
  settings: () => readSettings(verbEnv().env),
  managerSettings: () => readSettings(process.env),
  context: resolveManagerAddress,
  explainSettings() {
    const { env, fromFile } = verbEnv();
    return explainSettings(readSettings(env), env, fromFile);
  },
  async connect(settings) {
    const [{ connectBlocking, connectCommands, Store }, { insistOnDatabase }] = await Promise.all([
      import('./store/index.ts'),
      import('./model/redis-url.ts'),
    ]);
    // A finished verb does not wait for a Redis that does not close the connection.
    const quick = { disconnectTimeout: 100 };
    const redis = insistOnDatabase(connectCommands(settings.redisUrl).duplicate(quick) as Link);
    const blocking = connectBlocking(settings.redisUrl).duplicate(quick);
    return { redis, blocking, store: new Store(redis, settings.cell) };
  },
  async components(settings) {
    const { createComponents } = await import('./manager/components.ts');
    return createComponents({ settings, version, wrapper: WRAPPER });
  },
  wrapperIsBuilt: () => existsSync(WRAPPER),
  serve: async (settings, signal, { cleanup }) => {
    // Loaded only by the manager; it is most of the program.
    const { runManager } = await import('./manager/start.ts');
    return runManager({
      settings,
      version,
      wrapper: WRAPPER,
      signal,
      cleanup,
      crashAt: process.env.WM_CRASH_AT,
    });
  },
  stdout: process.stdout,
  stderr: process.stderr,
});
