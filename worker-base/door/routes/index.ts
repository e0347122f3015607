/** All routes of the door. A kind of access is a module here, loaded with the first connection, and a line below. */
import type { DoorRoute } from '../route.ts';
import { execRoutes } from './exec.ts';
import { fileRoutes } from './files.ts';
import { portRoutes } from './ports.ts';
import { ptyRoutes } from './pty.ts';
import { workspaceRoutes } from './workspace.ts';

export const DOOR_ROUTES: readonly DoorRoute[] = [
  ...execRoutes,
  ...fileRoutes,
  ...ptyRoutes,
  ...portRoutes,
  ...workspaceRoutes,
];
