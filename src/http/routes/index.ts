/** All routes of the manager's API. A resource is a module here and a line below. */

import { workerId } from '../../model/index.ts';
import type { TaskService } from '../../tasks/task-service.ts';
import type { ApiPlugin } from '../api.ts';
import type { CheckpointService } from '../doors/checkpoint-service.ts';
import type { WorkerService } from '../workers/worker-service.ts';
import { type ChangesDeps, createChangesRoutes } from './changes.ts';
import { createCheckpointRoutes, createWorkerCheckpointRoutes } from './checkpoints.ts';
import { createDockerfileRoutes } from './dockerfile.ts';
import { docsRoutes } from './docs.ts';
import { createExecRoutes, type ExecRoutesDeps } from './exec.ts';
import { createFileArchiveRoutes } from './file-archives.ts';
import { createFileRoutes } from './files.ts';
import { createImageRoutes, type ImageRoutesDeps } from './images.ts';
import { createNodeRoutes } from './nodes.ts';
import { createPageRoutes } from './page.ts';
import { createPoolRoutes, type PoolRoutesDeps } from './pools.ts';
import { createPortRoutes, type PortRoutesDeps } from './ports.ts';
import { createPtyRoutes } from './ptys.ts';
import { createStatsRoutes } from './stats.ts';
import { createTaskApiRoutes } from './task-api.ts';
import { createTaskListRoutes } from './tasks.ts';
import { createUsageRoutes } from './usage.ts';
import { createWebhookRoutes } from './webhooks.ts';
import { createWorkerActRoutes } from './worker-acts.ts';
import { createWorkerDetailRoutes } from './worker-details.ts';
import { resolveWorkerName } from './worker-name.ts';
import { createWorkerStreamRoutes } from './worker-streams.ts';
import { createWorkerRoutes } from './workers.ts';

/** What the routes need of the manager. */
export interface ApiServices {
  workers: WorkerService;
  exec: ExecRoutesDeps;
  checkpoints: CheckpointService;
  ports: Pick<PortRoutesDeps, 'token'>;
  startCommit: ChangesDeps['startCommit'];
  pools: PoolRoutesDeps;
  nodes: Parameters<typeof createNodeRoutes>[0];
  /** The queues of all pools. */
  tasks: TaskService;
  images: ImageRoutesDeps;
  stats: Parameters<typeof createStatsRoutes>[0];
  webhooks: Parameters<typeof createWebhookRoutes>[0];
  usage: Parameters<typeof createUsageRoutes>[0];
}

export const createApiRoutes = ({
  workers,
  exec,
  checkpoints,
  ports,
  startCommit,
  pools,
  nodes,
  tasks,
  images,
  stats,
  webhooks,
  usage,
}: ApiServices): ApiPlugin[] => [
  createNamedWorkerRoutes(workers, { exec, checkpoints, ports, startCommit, images }),
  createCheckpointRoutes(checkpoints),
  createPoolRoutes(pools),
  createNodeRoutes(nodes),
  createTaskListRoutes(tasks),
  createTaskApiRoutes(tasks),
  createImageRoutes(images),
  createStatsRoutes(stats),
  createWebhookRoutes(webhooks),
  createUsageRoutes(usage),
  docsRoutes,
  createPageRoutes(),
];

/** The routes of workers: a path has a worker's ID or name, and the routes get the ID. */
const createNamedWorkerRoutes =
  (
    workers: WorkerService,
    {
      exec,
      checkpoints,
      ports,
      startCommit,
      images,
    }: Pick<ApiServices, 'exec' | 'checkpoints' | 'ports' | 'startCommit' | 'images'>,
  ): ApiPlugin =>
  async (app) => {
    app.addHook('preHandler', async ({ params }) => {
      const path = params as { worker_id?: string };
      if (path.worker_id !== undefined && !workerId.safeParse(path.worker_id).success)
        path.worker_id = await resolveWorkerName(workers, path.worker_id);
    });
    await app.register(createWorkerRoutes(workers));
    await app.register(createWorkerActRoutes(workers));
    await app.register(createWorkerDetailRoutes(workers));
    await app.register(createDockerfileRoutes(images));
    await app.register(createWorkerStreamRoutes(workers));
    await app.register(createExecRoutes(exec));
    await app.register(createPtyRoutes(exec.doors));
    await app.register(createWorkerCheckpointRoutes(checkpoints));
    await app.register(createFileRoutes(exec));
    await app.register(createFileArchiveRoutes(exec));
    await app.register(createPortRoutes({ doors: exec.doors, ...ports }));
    await app.register(createChangesRoutes({ doors: exec.doors, startCommit }));
  };
