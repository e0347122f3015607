import type { RuntimeName } from '../model/index.ts';
import type { Instruments } from './instruments.ts';

/** From a call that finds nothing to do to one that runs into its deadline (DOCKER_CALL_SECONDS, 30 s). */
const CALL = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];
/** From a build with all layers cached to one that installs everything over a slow connection. */
const BUILD = [1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 1800];

const BUILD_RESULTS = ['ok', 'failed', 'capacity'] as const;

/** Metrics of what the manager depends on: Redis, the runtimes, and the images of their bodies. */
export function dependencyMetrics({ counter, gauge, histogram, totalsCounter }: Instruments) {
  const imageBuilds = counter<{ result: (typeof BUILD_RESULTS)[number] }>(
    'image_builds_total',
    'Number of finished builds of worker images, by result.',
    ['result'],
  );
  for (const result of BUILD_RESULTS) imageBuilds.inc(0, { result });
  return {
    redisUp: gauge('redis_up', '1 if Redis responds, otherwise 0.', []),
    redisHazard: gauge<{ hazard: 'eviction' | 'no_persistence' }>(
      'redis_hazard',
      '1 if Redis may lose data for this reason, 0 if not or unknown.',
      ['hazard'],
    ),
    redisMemory: gauge<{ kind: 'used' | 'limit' }>(
      'redis_memory_bytes',
      'Memory that Redis uses, and its limit (maxmemory), which is absent if there is none.',
      ['kind'],
    ),
    redisEvicted: totalsCounter(
      'redis_evicted_keys_total',
      'Number of keys that Redis has deleted because its memory was full, since its start.',
    ),
    runtimeCallDuration: histogram<{ runtime: RuntimeName; call: string; result: 'ok' | 'error' }>(
      'runtime_call_duration_seconds',
      'Duration of a call to a runtime.',
      ['runtime', 'call', 'result'],
      CALL,
    ),
    runtimeUp: gauge<{ runtime: RuntimeName }>('runtime_up', '1 if the runtime responds, otherwise 0.', [
      'runtime',
    ]),
    runtimeExpected: gauge<{ runtime: RuntimeName }>(
      'runtime_expected',
      '1 if RUNTIME names the runtime, it has responded to this manager, or a worker runs on it; only then is it an error that it does not respond.',
      ['runtime'],
    ),
    imageBuilds,
    imageBuildDuration: histogram(
      'image_build_duration_seconds',
      'Duration of the build of an image.',
      [],
      BUILD,
    ),
    imageCacheHits: counter(
      'image_cache_hits_total',
      'Number of workers whose image existed, so that no build was necessary.',
      [],
    ),
    images: gauge('images', 'Number of worker images on the engine, at the last check.', []),
    imageBytes: gauge('image_bytes', 'Total size of worker images; shared layers are counted once.', []),
    imageDisk: gauge<{ kind: 'free' | 'watermark' }>(
      'image_disk_bytes',
      "Free bytes on the engine's disk, and IMAGE_MIN_FREE, below which no image is built and no worker is accepted; absent if unknown.",
      ['kind'],
    ),
    imageGcRemoved: counter(
      'image_gc_removed_total',
      'Number of worker images that garbage collection removed.',
      [],
    ),
  };
}
