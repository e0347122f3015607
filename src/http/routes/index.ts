/** All routes of the manager's API. A resource is a module here and a line below. */

import type { TaskService } from '../../tasks/task-service.ts';
import type { ApiPlugin } from '../api.ts';
import type { WorkerService } from '../worker-service.ts';
import { docsRoutes } from './docs.ts';
import { createImageRoutes, type ImageRoutesDeps } from './images.ts';
import { createNodeRoutes } from './nodes.ts';
import { createPoolRoutes, type PoolRoutesDeps } from './pools.ts';
import { createStatsRoutes } from './stats.ts';
import { createTaskApiRoutes } from './task-api.ts';
import { createTaskListRoutes } from './tasks.ts';
import { createWorkerActRoutes } from './worker-acts.ts';
import { createWorkerDetailRoutes } from './worker-details.ts';
import { createWorkerStreamRoutes } from './worker-streams.ts';
import { createWorkerRoutes } from './workers.ts';

/** What the routes need of the manager. */
export interface ApiServices {
  workers: WorkerService;
  pools: PoolRoutesDeps;
  nodes: Parameters<typeof createNodeRoutes>[0];
  /** The queues of all pools. */
  tasks: TaskService;
  images: ImageRoutesDeps;
  stats: Parameters<typeof createStatsRoutes>[0];
}

export const createApiRoutes = ({
  workers,
  pools,
  nodes,
  tasks,
  images,
  stats,
}: ApiServices): ApiPlugin[] => [
  createWorkerRoutes(workers),
  createWorkerActRoutes(workers),
  createWorkerDetailRoutes(workers),
  createWorkerStreamRoutes(workers),
  createPoolRoutes(pools),
  createNodeRoutes(nodes),
  createTaskListRoutes(tasks),
  createTaskApiRoutes(tasks),
  createImageRoutes(images),
  createStatsRoutes(stats),
  docsRoutes,
];
