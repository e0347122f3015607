import { getCapabilities, type WorkerSpec } from '../model/index.ts';

/** The port of the node API of a body with its own address. */
const NODE_PORT = 5000;

/** The manager's settings that a body gets. */
export interface BodyEnvOptions {
  id: string;
  incarnation: number;
  spec: WorkerSpec;
  cell: string;
  logLevel: string;
  /** The URL of Redis from the body. */
  redisUrl: string;
  /** HANDLERS_DIR. */
  handlersDir: string | undefined;
}

/** The environment variables of a body that the contract defines. Pure. */
export function createBodyEnv(facts: BodyEnvOptions): Record<string, string> {
  const { id, incarnation, spec, cell, logLevel, redisUrl } = facts;
  return {
    WORKER_ID: id,
    WORKER_TYPE: spec.worker_type ?? spec.agent_type,
    WORKER_INCARNATION: String(incarnation),
    WORKER_CELL: cell,
    ...(spec.pool !== undefined && { WORKER_POOL: spec.pool }),
    LOG_LEVEL: logLevel,
    REDIS_URL: redisUrl,
    ...(spec.agent_type === 'TASK' ? createTaskEnv(facts) : {}),
  };
}

/** A body that shares the machine's ports selects a free one on loopback, and reports it in its heartbeat. */
function createTaskEnv({ spec, handlersDir }: BodyEnvOptions): Record<string, string> {
  const { hasOwnAddress, handlersMount } = getCapabilities(spec.runtime);
  const { WORKER_PORT, WORKER_HOST } = spec.env ?? {};
  const handlers = handlersMount ?? handlersDir;
  return {
    // The image's own health check reads them as well.
    WORKER_PORT: WORKER_PORT ?? (hasOwnAddress ? String(NODE_PORT) : '0'),
    WORKER_HOST: WORKER_HOST ?? (hasOwnAddress ? '0.0.0.0' : '127.0.0.1'),
    MAX_WORKERS: spec.env?.MAX_WORKERS ?? String(spec.concurrency ?? 1),
    ...(handlers !== undefined && { HANDLERS_DIR: handlers }),
  };
}
