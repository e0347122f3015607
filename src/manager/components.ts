/**
 * Creates the components of a manager from its settings: runtimes, images and the collector of images. `wm serve` runs
 * all of them; some verbs of the command line use one for a moment.
 *
 * Must not read the environment: main.ts passes the settings.
 */
import { totalmem } from 'node:os';
import type { Settings } from '../config/settings.ts';
import { type Disk, watchDisk } from '../images/disk.ts';
import { type Collector, createCollector } from '../images/gc.ts';
import { createImageAvailability, createImages, type Images, machineCa } from '../images/index.ts';
import {
  getCapabilities,
  IMAGE_RUNTIME,
  type RuntimeName,
  toRuntimeNames,
  workerSpec,
} from '../model/index.ts';
import { hasImage } from '../runtimes/docker/image.ts';
import { createRuntimes } from '../runtimes/index.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { ImageUsage, type Link } from '../store/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ServeOptions } from './options.ts';

/** The image of `npm run build:image`; its other name identifies its content. */
const DEFAULT_IMAGE = 'worker:latest';
/** The simplest worker; every other image shares most of its layers. */
const PLAIN = workerSpec.parse({ agent_type: 'CUSTOM', command_line: ['true'], runtime: IMAGE_RUNTIME });

export interface ComponentsOptions {
  settings: Settings;
  /** The version of this program. */
  version: string;
  /** The path of the wrapper's bundle. */
  wrapper: string;
  metrics?: Metrics;
  /** Called after each call to a runtime. */
  onCall?: ((name: string, seconds: number, failed: boolean) => void) | undefined;
}

/** Each method creates what it returns, which connects on first use. */
export interface Components {
  runtimes: () => {
    runtimes: Runtime[];
    /** The URL of Redis from a body of that runtime. */
    bodyRedisUrl: (runtime: RuntimeName) => Promise<string>;
  };
  /** Builds images. */
  images: (changed?: () => void, now?: () => number) => Images;
  /** Lists and removes images. */
  collector: (redis: Link, building?: () => boolean) => Collector;
  /** The image of Docker bodies, and whether the engine has it. */
  bodyImage: () => Promise<{ name: string; present: boolean }>;
  /** What only a manager needs. */
  ofManager: () => Pick<
    ServeOptions,
    | 'runtimes'
    | 'bodyRedisUrl'
    | 'images'
    | 'collector'
    | 'diskSpaceError'
    | 'imageDisk'
    | 'imageUnavailableReason'
  >;
}

export function createComponents(options: ComponentsOptions): Components {
  const { settings, version, wrapper, metrics, onCall } = options;
  const { dockerHost: host, workerImage } = settings;
  const observeCalls = (runtime: RuntimeName) => (call: string, outcome: string, seconds: number) => {
    const result = outcome === 'ok' ? 'ok' : 'error';
    metrics?.runtimeCallDuration.observe(seconds, { runtime, call, result });
    onCall?.(`${runtime} ${call}`, seconds, result !== 'ok');
  };
  const observe = observeCalls(IMAGE_RUNTIME);
  const usesImages = toRuntimeNames(settings.runtime).some((name) => getCapabilities(name).usesImages);

  const runtimes = () =>
    createRuntimes({
      runtime: settings.runtime,
      cell: settings.cell,
      redisUrl: settings.redisUrl,
      workerRedisUrl: settings.workerRedisUrl,
      dockerHost: host,
      dockerCallMs: settings.dockerCallSeconds * 1000,
      image: workerImage ?? DEFAULT_IMAGE,
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
      wrapper: { argv: [process.execPath, wrapper] },
      observe: (runtime, ...call) => observeCalls(runtime)(...call),
    });

  const openDisk = (): Pick<Disk, 'free' | 'diskSpaceError'> =>
    !usesImages
      ? { free: async () => undefined, diskSpaceError: async () => undefined }
      : watchDisk({
          host,
          minFreeBytes: settings.imageMinFreeBytes,
          folder: settings.imageDiskPath,
          observe,
        });

  const images: Components['images'] = (changed = () => {}, now = Date.now) =>
    createImages({
      host,
      version,
      baseImage: settings.workerBaseImage,
      ca: settings.workerBuildCa ?? machineCa(),
      pipIndexUrl: settings.pipIndexUrl,
      buildMs: settings.imageBuildSeconds * 1000,
      observe,
      built: (result, seconds) => {
        metrics?.imageBuilds.inc(1, {
          result: result === 'built' ? 'ok' : result === 'refused' ? 'capacity' : result,
        });
        if (result !== 'refused') metrics?.imageBuildDuration.observe(seconds);
      },
      onChange: changed,
      now,
      diskSpaceError: openDisk().diskSpaceError,
    });

  /** Images outlive the worker that they were built for; one record stores their uses. */
  const collector: Components['collector'] = (redis, building) =>
    createCollector({
      host,
      usage: new ImageUsage(redis),
      retentionDays: settings.imageRetentionDays,
      budgetBytes: settings.imageBudgetBytes,
      cacheBudgetBytes: settings.buildCacheBudgetBytes,
      observe,
      ...(building && { building }),
    });

  async function bodyImage(): Promise<{ name: string; present: boolean }> {
    if (workerImage) return { name: workerImage, present: await hasImage(host, workerImage) };
    const all = images();
    try {
      const state = await all.state(PLAIN);
      if (state.kind === 'unknown') throw new Error(state.error);
      // If the base image is missing, it must be pulled first.
      return { name: state.name, present: state.kind !== 'absent' || state.name.startsWith('worker:') };
    } finally {
      await all.close();
    }
  }

  const ofDisk = ({ free, diskSpaceError }: ReturnType<typeof openDisk>) => ({
    diskSpaceError,
    imageDisk: async () => ({ free: await free(), watermark: settings.imageMinFreeBytes }),
  });

  return {
    runtimes,
    images,
    collector,
    bodyImage,
    ofManager: () => ({
      ...runtimes(),
      ...ofDisk(openDisk()),
      // None if the operator sets one image for all Docker bodies, or Docker is not used.
      images: workerImage || !usesImages ? undefined : images,
      collector: usesImages ? collector : undefined,
      imageUnavailableReason: (built) =>
        createImageAvailability({ host, foreignImage: workerImage, images: built }),
    }),
  };
}
