/** A manager with direct workers for tests of the SDK, and the inputs of its workers. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { WorkerInput } from '../../src/client/index.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');
const HANDLERS = join(import.meta.dirname, 'handlers');

/** Plain lines: it has no turns. */
export const CAT: WorkerInput = { agent_type: 'CUSTOM', command_line: ['cat'] };
/** An agent with turns: each prompt is a shell command. */
export const AGENT: WorkerInput = {
  agent_type: 'CUSTOM',
  protocol: 'json',
  command_line: [process.execPath, join(EXAMPLES, 'agent.mjs')],
};
/** A pool whose workers add numbers. */
export const ADDERS = {
  name: 'adders',
  count: 1,
  execution_mode: 'direct' as const,
  drain_seconds: 1,
  handlers: [join(HANDLERS, 'add.py')],
};

export interface ClientScene {
  manager: Manager;
  redisUrl: string;
  cell: string;
  /** Ends the manager with SIGKILL and starts the next one at the same address. */
  replace(): Promise<void>;
  close(): Promise<void>;
}

export async function openClientScene(): Promise<ClientScene> {
  const redisUrl = inject('redisUrl');
  const cell = newCell();
  const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
  const scene: ClientScene = {
    manager: await startManager({ redisUrl, cell, home }),
    redisUrl,
    cell,
    async replace() {
      const { port } = new URL(scene.manager.url);
      scene.manager.kill('SIGKILL');
      await scene.manager.exited;
      scene.manager = await startManager({ redisUrl, cell, home, env: { HTTP_PORT: port } });
    },
    async close() {
      await scene.manager.stop();
      await cleanCell({ redisUrl, cell, home });
      await rm(home, { recursive: true, force: true });
    },
  };
  return scene;
}
