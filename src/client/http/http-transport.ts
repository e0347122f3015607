/** The operations of a manager over its HTTP API. Only this folder knows the API's paths. */
import type { Transport } from '../transport.ts';
import { createHttpCheckpoints } from './http-checkpoints.ts';
import { createHttpCommands } from './http-commands.ts';
import { createHttpFiles } from './http-files.ts';
import { createHttpPools } from './http-pools.ts';
import { createHttpTasks } from './http-tasks.ts';
import { createHttpTerminals } from './http-terminals.ts';
import { createHttpWorkers } from './http-workers.ts';
import type { HttpRequester } from './request.ts';

export const createHttpTransport = (requester: HttpRequester): Transport => ({
  ...createHttpWorkers(requester),
  ...createHttpCommands(requester),
  ...createHttpFiles(requester),
  ...createHttpCheckpoints(requester),
  ...createHttpTerminals(requester),
  ...createHttpTasks(requester),
  ...createHttpPools(requester),
  close: async () => {},
});
