/** The HTTP API of a manager: its routes, and what they read and write. */
import type { Checkpoints } from '../checkpoints/checkpoints.ts';
import { DirectCreates } from '../commands/index.ts';
import { getLimits } from '../config/limits.ts';
import { listenApi } from '../http/api.ts';
import type { CountExec } from '../http/doors/count-exec.ts';
import type { DoorService } from '../http/doors/door-service.ts';
import { createApiRoutes } from '../http/routes/index.ts';
import { createUpgradeRoutes } from '../http/routes/upgrades.ts';
import type { WorkerService } from '../http/workers/worker-service.ts';
import type { Collector } from '../images/gc.ts';
import type { Images } from '../images/index.ts';
import type { Runtimes } from '../runtimes/registry.ts';
import {
  createCommandClient,
  type Link,
  readStartCommit,
  type Store,
  StreamHub,
  WebhookStore,
} from '../store/index.ts';
import type { TaskService } from '../tasks/task-service.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { newApiSocket } from '../watchdog/api-socket.ts';
import { explainWorker } from './explain-worker.ts';
import { listImages } from './list-images.ts';
import { openMcp } from './mcp.ts';
import { openCheckpoints } from './open-checkpoints.ts';
import { openDoors } from './open-doors.ts';
import type { ServeOptions } from './options.ts';
import type { PoolServices } from './pool-service.ts';
import { createStatsReader } from './stats-service.ts';
import { getWorkerDockerfile } from './worker-dockerfile.ts';
import { openWorkerService } from './worker-service.ts';

interface ApiDeps {
  redis: Link;
  store: Store;
  runtimes: Runtimes;
  images: Images | undefined;
  collector: Collector | undefined;
  pools: PoolServices;
  tasks: Tasks;
  taskService: TaskService;
  /** Counts the open connections to bodies, and the commands in them. */
  metrics: ServeOptions['metrics'];
  /** Why nothing may be written now; `undefined` if it may. */
  writesRefused: () => string | undefined;
  now: () => number;
}

/** Listens on a socket of its own, to which the watchdog forwards requests. */
export async function openHttpApi(
  { settings, version, log }: ServeOptions,
  deps: ApiDeps,
): Promise<{
  socketPath: string;
  workers: WorkerService;
  doors: DoorService;
  checkpoints: Checkpoints;
  /** Opened by a term of leadership. */
  directCreates: DirectCreates;
  close(): Promise<void>;
}> {
  const { redis, store, runtimes, images, collector, tasks, taskService, now } = deps;
  const hub = new StreamHub(redis, settings.redisUrl);
  const directCreates = new DirectCreates();
  const commandClient = createCommandClient(redis, store.keys, hub, (command) => directCreates.send(command));
  const views = () => deps.pools.ports.store.views();
  const explain = (id: string) =>
    explainWorker(id, { store, runtimes, images, limits: getLimits(settings), now });
  const workers = openWorkerService({ redis, store, hub, commandClient, explain, now });
  const { cell } = settings;
  const doors = openDoors({ redis, store, hub, runtimes, cell, now, metrics: deps.metrics });
  const checkpoints = openCheckpoints({ settings, metrics: deps.metrics, log }, { redis, store, doors, now });
  const onExec: CountExec = (result, seconds) => {
    deps.metrics.execs.inc(1, { result });
    if (seconds !== undefined) deps.metrics.execDuration.observe(seconds);
  };
  const socketPath = newApiSocket();
  const app = await listenApi(socketPath, {
    host: settings.httpHost,
    version,
    log,
    plugins: createApiRoutes({
      workers,
      exec: { doors, onExec },
      checkpoints,
      ports: { token: settings.apiToken },
      startCommit: (id) => readStartCommit(redis, store.keys, id),
      pools: {
        views,
        nodes: () => store.nodes(),
        sendCommand: (command) => commandClient.send(command),
      },
      nodes: { nodes: () => store.taskNodes() },
      tasks: taskService,
      images: {
        list: () => listImages(collector),
        dockerfile: async (id) => getWorkerDockerfile((await store.load(id))?.record.desired.spec, images),
      },
      stats: { read: createStatsReader({ store, pools: views, tasks }) },
      webhooks: { list: (limit) => new WebhookStore(redis, store.keys).list(limit) },
      usage: { read: (ids) => store.usage(ids) },
    }).concat(openMcp({ settings, version, log }, { workers, doors, onExec })),
    upgrades: createUpgradeRoutes({ workers, doors, token: settings.apiToken }),
    allowedHosts: settings.httpAllowedHosts,
    onHandled: deps.metrics.httpRequest,
    token: settings.apiToken,
    writesRefused: deps.writesRefused,
  });
  return {
    socketPath,
    workers,
    doors,
    checkpoints,
    directCreates,
    async close() {
      doors.close();
      commandClient.close();
      hub.close();
      await app.close();
    },
  };
}
