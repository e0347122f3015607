/** All routes of the manager's API. A resource is a module here and a line below. */
import type { ApiPlugin } from '../api.ts';
import type { TaskRouteHandlers } from '../tasks.ts';
import { docsRoutes } from './docs.ts';
import { createNodeRoutes } from './nodes.ts';
import { createPoolRoutes, type PoolRoutesDeps } from './pools.ts';
import { createTaskApiRoutes } from './task-api.ts';

/** What the routes need of the manager. */
export interface ApiServices {
  pools: PoolRoutesDeps;
  nodes: Parameters<typeof createNodeRoutes>[0];
  /** The queues of all pools. */
  tasks: TaskRouteHandlers;
}

export const createApiRoutes = ({ pools, nodes, tasks }: ApiServices): ApiPlugin[] => [
  createPoolRoutes(pools),
  createNodeRoutes(nodes),
  createTaskApiRoutes(tasks),
  docsRoutes,
];
