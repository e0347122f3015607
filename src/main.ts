#!/usr/bin/env node
/** The entry point: the only file that reads the environment, creates clients and wires components. */
import { existsSync, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ManagerAddress } from './cli/deps.ts';
import { runCli } from './cli/index.ts';
import { resolveApiToken } from './config/api-token.ts';
import { contextPath, ensureToken, listContexts, readContextFile } from './config/context-file.ts';
import { openHandlers } from './config/handlers-dir.ts';
import { getLimits } from './config/limits.ts';
import { openSecrets } from './config/secrets-dir.ts';
import { explainSettings, getKnownSecrets, readSettings, type Settings } from './config/settings.ts';
import type { Environment } from './config/variable.ts';
import { watchDisk } from './images/disk.ts';
import { createCollector } from './images/gc.ts';
import { createImageAvailability, createImages, type Images, machineCa } from './images/index.ts';
import { parseCheckpoint } from './manager/checkpoint.ts';
import {
  getCapabilities,
  IMAGE_RUNTIME,
  type RuntimeName,
  toRuntimeNames,
  workerSpec,
} from './model/index.ts';
import { insistOnDatabase } from './model/redis-url.ts';
import { hasImage } from './runtimes/docker/image.ts';
import { createRuntimes } from './runtimes/index.ts';
import { connectBlocking, connectCommands, ImageUsage, type Link, Store } from './store/index.ts';
import { createLogger } from './telemetry/log.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';

/** The image of `npm run build:image`; its other name identifies its content. */
const DEFAULT_IMAGE = 'worker:latest';
const WRAPPER = fileURLToPath(new URL('../dist/wrapper.mjs', import.meta.url));
/** The simplest worker; every other image shares most of its layers. */
const PLAIN = workerSpec.parse({ agent_type: 'CUSTOM', command_line: ['true'], runtime: IMAGE_RUNTIME });
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const getWorkerImage = (settings: Settings) => settings.workerImage ?? DEFAULT_IMAGE;

function openRuntimesFrom(settings: Settings, metrics?: Metrics) {
  return createRuntimes({
    runtime: settings.runtime,
    cell: settings.cell,
    redisUrl: settings.redisUrl,
    workerRedisUrl: settings.workerRedisUrl,
    dockerHost: settings.dockerHost,
    dockerCallMs: settings.dockerCallSeconds * 1000,
    image: getWorkerImage(settings),
    home: settings.home,
    processUser: settings.processUser,
    handlersDir: settings.handlersDir,
    linkLocal: settings.allowLinkLocal,
    defaults: {
      memory_bytes: settings.defaultMemoryBytes && Math.min(settings.defaultMemoryBytes, totalmem()),
      pids: settings.defaultPids,
      open_files: settings.defaultOpenFiles,
      disk_bytes: settings.defaultDiskBytes,
    },
    wrapper: { argv: [process.execPath, WRAPPER] },
    observe: (runtime, ...told) => recordCalls(runtime, metrics)(...told),
  });
}

const recordCalls =
  (runtime: RuntimeName, metrics?: Metrics) => (call: string, result: string, seconds: number) =>
    metrics?.runtimeCallDuration.observe(seconds, {
      runtime,
      call,
      result: result === 'ok' ? 'ok' : 'error',
    });

/** Whether any worker of this manager runs in an image. */
const usesImages = ({ runtime }: Settings) =>
  toRuntimeNames(runtime).some((name) => getCapabilities(name).usesImages);

const openDiskCheck = (settings: Settings, metrics?: Metrics) =>
  !usesImages(settings)
    ? async () => undefined
    : watchDisk({
        host: settings.dockerHost,
        minFreeBytes: settings.imageMinFreeBytes,
        observe: recordCalls(IMAGE_RUNTIME, metrics),
      }).diskSpaceError;

/** Images outlive the worker that they were built for; one record stores their uses. */
const openCollector = (settings: Settings, redis: Link, metrics?: Metrics, building?: () => boolean) =>
  createCollector({
    host: settings.dockerHost,
    usage: new ImageUsage(redis),
    retentionDays: settings.imageRetentionDays,
    budgetBytes: settings.imageBudgetBytes,
    cacheBudgetBytes: settings.buildCacheBudgetBytes,
    observe: recordCalls(IMAGE_RUNTIME, metrics),
    ...(building && { building }),
  });

function openImages(
  settings: Settings,
  metrics?: Metrics,
): (changed: () => void, now?: () => number) => Images {
  return (changed, now = Date.now) =>
    createImages({
      host: settings.dockerHost,
      version,
      baseImage: settings.workerBaseImage,
      ca: settings.workerBuildCa ?? machineCa(),
      pipIndexUrl: settings.pipIndexUrl,
      buildMs: settings.imageBuildSeconds * 1000,
      observe: recordCalls(IMAGE_RUNTIME, metrics),
      built: (result, seconds) => {
        metrics?.imageBuilds.inc(1, {
          result: result === 'built' ? 'ok' : result === 'refused' ? 'capacity' : result,
        });
        if (result !== 'refused') metrics?.imageBuildDuration.observe(seconds);
      },
      onChange: changed,
      now,
      diskSpaceError: openDiskCheck(settings),
    });
}

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
  contexts: () => listContexts(readSettings(process.env).home),
  explainSettings() {
    const { env, fromFile } = verbEnv();
    return explainSettings(readSettings(env), env, fromFile);
  },
  connect(settings) {
    // A finished verb does not wait for a Redis that does not close the connection.
    const quick = { disconnectTimeout: 100 };
    const redis = insistOnDatabase(connectCommands(settings.redisUrl).duplicate(quick) as Link);
    const blocking = connectBlocking(settings.redisUrl).duplicate(quick);
    return { redis, blocking, store: new Store(redis, settings.cell) };
  },
  runtimes: (settings) => openRuntimesFrom(settings),
  limits: getLimits,
  async bodyImage(settings) {
    if (settings.workerImage) {
      const name = settings.workerImage;
      return { name, present: await hasImage(settings.dockerHost, name) };
    }
    const images = openImages(settings)(() => {});
    try {
      const state = await images.state(PLAIN);
      if (state.kind === 'unknown') throw new Error(state.error);
      // If the base image is missing, it must be pulled first.
      return { name: state.name, present: state.kind !== 'absent' || state.name.startsWith('worker:') };
    } finally {
      await images.close();
    }
  },
  images: (settings) => openImages(settings)(() => {}),
  collector: (settings, redis) => openCollector(settings, redis),
  wrapperIsBuilt: () => existsSync(WRAPPER),
  async endPrivateRedis() {
    const { endRedisOfCell } = await import('./private-redis/index.ts');
    return endRedisOfCell(readSettings(process.env));
  },
  async serve(given, signal, { cleanup }) {
    let generated = false;
    const generate = () => {
      generated = true;
      return ensureToken(contextPath(given));
    };
    // Checked before anything is written or started.
    resolveApiToken(given, () => '');
    // Loaded only by the manager; it would be half of what a verb loads.
    const { createContextKeeper } = await import('./manager/context-keeper.ts');
    const { serveCell } = await import('./manager/serve-cell.ts');
    const { serve } = await import('./manager/serve.ts');
    const cell = { settings: given, hasRedis: Boolean(process.env.REDIS_URL), env: process.env };
    await serveCell(
      { ...cell, runtimes: openRuntimesFrom, note: (line) => console.error(line) },
      async (ready) => {
        const settings = { ...ready, apiToken: resolveApiToken(given, generate) };
        const metrics = createMetrics({ version });
        const log = createLogger({ level: settings.logLevel, version, secrets: getKnownSecrets(settings) });
        const checkpoint = parseCheckpoint(process.env.WM_CRASH_AT);
        await serve({
          settings,
          version,
          metrics,
          log,
          signal,
          checkpoint,
          cleanup,
          ...openRuntimesFrom(settings, metrics),
          // None if the operator sets one image for all Docker bodies, or Docker is not used.
          images: settings.workerImage || !usesImages(settings) ? undefined : openImages(settings, metrics),
          collector: usesImages(settings)
            ? (redis, building) => openCollector(settings, redis, metrics, building)
            : undefined,
          secrets: openSecrets(settings.secretsDir),
          handlers: openHandlers(settings.handlersDir),
          diskSpaceError: openDiskCheck(settings, metrics),
          context: createContextKeeper({ settings, generated, signal, log }),
          imageUnavailableReason: (images) =>
            createImageAvailability({
              host: settings.dockerHost,
              foreignImage: settings.workerImage,
              images,
            }),
        });
      },
    );
  },
  stdout: process.stdout,
  stderr: process.stderr,
});
