import { randomUUID } from 'node:crypto';
import type { Checkpoints } from '../checkpoints/checkpoints.ts';
import { getLimits } from '../config/limits.ts';
import type { Images } from '../images/index.ts';
import type { TermOptions } from '../leader/term-options.ts';
import type { ImageUsage } from '../store/index.ts';
import type { Tasks } from '../tasks/index.ts';
import type { Webhooks } from '../webhooks/index.ts';
import { createCheckpointKeepers } from './open-checkpoints.ts';
import type { ServeOptions } from './options.ts';
import { getStartLimits } from './start-limits.ts';

/** What the process has opened for its terms. */
interface TermOptionsDeps
  extends Pick<TermOptions, 'store' | 'runtimes' | 'ownership' | 'findings' | 'bodyRedisUrl' | 'pools'> {
  clock: { now: () => number };
  images: Images | undefined;
  usage: ImageUsage;
  webhooks: Webhooks;
  tasks: Tasks;
  checkpoints: Checkpoints;
  mayAct: () => boolean;
  imageUnavailableReason: TermOptions['capabilities']['imageUnavailableReason'];
}

/** The options of the next term; its command stream has a connection of its own. */
export function createTermOptions(options: ServeOptions, deps: TermOptionsDeps): Omit<TermOptions, 'stream'> {
  const { settings, metrics, log } = options;
  const { store, runtimes, ownership, findings, bodyRedisUrl, pools, clock, images, usage, webhooks } = deps;
  const traces = options.traces?.({ store, tasks: deps.tasks, now: clock.now });
  const { checkpoints, mayAct } = deps;
  const keepers = createCheckpointKeepers(options, { checkpoints, store, mayAct, now: clock.now });
  return {
    store,
    runtimes,
    ownership,
    findings,
    metrics,
    log,
    cell: settings.cell,
    now: clock.now,
    newId: randomUUID,
    crashPoint: options.crashPoint,
    bodyRedisUrl,
    pools,
    webhooks,
    traces,
    checkpoints: keepers.automatic,
    background: [
      (signal) => webhooks.run(signal),
      ...keepers.background,
      ...(traces ? [(signal: AbortSignal) => traces.tasks.run(signal)] : []),
    ],
    images: images && {
      state: (spec) => images.state(spec),
      build: (spec) => images.build(spec),
      usage,
    },
    secrets: (id, names) => options.secrets.readFor(id, names),
    handlersDir: options.handlers.directory,
    capabilities: {
      foreignImage: settings.workerImage,
      allowPrivileged: settings.allowPrivileged,
      allowPrivateWebhooks: settings.webhookAllowPrivate,
      missingSecrets: (names) => options.secrets.missing(names),
      missingHandlers: (names) => options.handlers.missing(names),
      diskSpaceError: options.diskSpaceError,
      imageUnavailableReason: deps.imageUnavailableReason,
    },
    concurrency: settings.concurrency,
    resync_ms: settings.resyncSeconds * 1000,
    check_ms: settings.healthCheckSeconds * 1000,
    grace_ms: settings.creationGraceSeconds * 1000,
    breaker_share: settings.removalBreakerShare,
    limits: getLimits(settings),
    most_workers: settings.maxWorkersTotal,
    starts: getStartLimits(runtimes, settings.maxConcurrentStarts),
  };
}
