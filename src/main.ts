#!/usr/bin/env node
/** The entry point: the only file that reads the environment, creates clients and wires components. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ManagerAddress, ManagerApi } from './cli/deps.ts';
import { runCli } from './cli/index.ts';
import { locateCell } from './config/cell-location.ts';
import { type CellContext, contextPath, listContexts, readContextFile } from './config/context-file.ts';
import { readFileVariables } from './config/file-variables.ts';
import type { Environment } from './config/variable.ts';
import { Fault } from './model/values/fault.ts';
import type { Link } from './store/index.ts';

const WRAPPER = fileURLToPath(new URL('../dist/wrapper.mjs', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const loadSettings = () => import('./config/settings.ts');

/** What the manager of the cell wrote about itself when it started on this machine. */
function readCellContext(): CellContext | undefined {
  const location = locateCell(process.env);
  return location && readContextFile(contextPath(location));
}

/**
 * The environment of a verb: without REDIS_URL, Redis is the one of the manager that last started in this cell on this
 * machine.
 */
function verbEnv(): { env: Environment; fromFile: string[] } {
  const env = readFileVariables(process.env);
  const redisUrl = env.REDIS_URL ? undefined : readCellContext()?.redis_url;
  return redisUrl === undefined
    ? { env, fromFile: [] }
    : { env: { ...env, REDIS_URL: redisUrl }, fromFile: ['REDIS_URL'] };
}

async function resolveManagerAddress(): Promise<ManagerAddress> {
  const { env, fromFile } = verbEnv();
  const settings = (await loadSettings()).readSettings(env);
  const known = readCellContext();
  const { WM_URL } = env;
  const isRedisGiven = Boolean(env.REDIS_URL) && fromFile.length === 0;
  return {
    path: contextPath(settings),
    cell: settings.cell,
    redisUrl: settings.redisUrl,
    redisFrom: isRedisGiven ? 'environment' : fromFile.length > 0 ? 'file' : 'default',
    redisUnknown: Boolean(WM_URL) && !isRedisGiven && !isSameManager(WM_URL, known?.url),
    url: WM_URL || known?.url,
    token: env.WM_TOKEN || known?.token,
  };
}

const toOrigin = (url = '') => {
  const { origin } = URL.canParse(url) ? new URL(url) : { origin: '' };
  return origin.replace('//localhost', '//127.0.0.1');
};
const isSameManager = (one: string | undefined, other: string | undefined) =>
  toOrigin(one) === toOrigin(other);

/** A Redis that the user names may belong to another manager than the context file. */
function resolveManagerApi(): ManagerApi | undefined {
  const { WM_URL, WM_TOKEN, REDIS_URL } = process.env;
  const known = readCellContext();
  // The manager in the file may belong to another Redis than the verb is for.
  if (!WM_URL && REDIS_URL && REDIS_URL !== known?.redis_url) return undefined;
  const url = WM_URL || known?.url;
  if (!url) return undefined;
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new Fault(
      'invalid_command',
      `WM_URL is "${url}", but must be a URL such as http://127.0.0.1:8080.`,
    );
  // The token of another manager is none of its business.
  const token = WM_TOKEN || (isSameManager(url, known?.url) ? known?.token : undefined);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what no header can have.
  if (/[\x00-\x1f\x7f\u0100-\uffff]/.test(token ?? ''))
    throw new Fault(
      'invalid_command',
      'WM_TOKEN has a line break, or another character that no token has. `wm context --token` prints it on the machine of the manager.',
    );
  return { url, token, explicit: Boolean(WM_URL) };
}

/** A manager that has ended and does not exit within this time in milliseconds is made to. */
const EXIT_MS = 100;

process.exitCode = await runCli(process.argv.slice(2), {
  version,
  settings: async () => (await loadSettings()).readSettings(verbEnv().env),
  managerSettings: async () => (await loadSettings()).readSettings(readFileVariables(process.env)),
  context: resolveManagerAddress,
  contexts: async () => listContexts((await loadSettings()).readSettings(process.env).home),
  api: resolveManagerApi,
  async explainSettings() {
    const { env, fromFile } = verbEnv();
    const { explainSettings, readSettings } = await loadSettings();
    return explainSettings(readSettings(env), env, fromFile);
  },
  async settingProblems() {
    const { findSettingProblems } = await import('./config/setting-problems.ts');
    return findSettingProblems((await loadSettings()).readSettings(verbEnv().env), process.env);
  },
  async connect(settings) {
    const [{ connectBlocking, connectCommands, Store }, { insistOnDatabase }] = await Promise.all([
      import('./store/index.ts'),
      import('./model/values/redis-url.ts'),
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
  async endPrivateRedis() {
    const [{ endRedisOfCell }, { readSettings }] = await Promise.all([
      import('./private-redis/index.ts'),
      loadSettings(),
    ]);
    return endRedisOfCell(readSettings(process.env));
  },
  serve: async (settings, signal, { cleanup }) => {
    // Loaded only by the manager; it is most of the program.
    const { runManager } = await import('./manager/start.ts');
    await runManager({
      settings,
      version,
      wrapper: WRAPPER,
      signal,
      cleanup,
      env: readFileVariables(process.env),
    });
    // All is closed. An export of traces is retried for 10 s if the collector is away.
    setTimeout(() => process.exit(), EXIT_MS).unref();
  },
  stdout: process.stdout,
  stderr: process.stderr,
});
