/**
 * Real agents in real containers, for tests: a manager's process, the stand-in for the model on the Docker
 * bridge, a directory of secrets, and workers that are controlled like by an orchestrator, through Redis
 * only.
 *
 * Images are built by recipe, on a daemon that keeps them, so that only the first run has to build.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { Redis } from 'ioredis';
import { expect, inject, vi } from 'vitest';
import { dismantle } from '../../scripts/demo/cleanup.ts';
import { connect, type ManagerConnection } from '../../src/client/index.ts';
import { createDockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { getKeys, type Keys } from '../../src/store/keys.ts';
import { bridgeGateway, dockerAt } from '../support/docker.ts';
import { freePort } from '../support/free-port.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { type Model, startModel } from '../support/model/index.ts';
import { AgentWorker, LONGEST_MS } from './agent-worker.ts';

/** Where an agent asks its model, with the secret that the scene has for it in its directory, and as the model sees it. */
const ANTHROPIC = { secret: 'ANTHROPIC_API_KEY', variable: 'ANTHROPIC_BASE_URL', sent: 'x-api-key: ' };
const OPENAI = { secret: 'OPENAI_API_KEY', variable: 'OPENAI_BASE_URL', sent: 'authorization: Bearer ' };
export type RealAgent = 'CLAUDE' | 'FACTORY' | 'CODEX';
export const MODELS = { CLAUDE: ANTHROPIC, FACTORY: ANTHROPIC, CODEX: OPENAI, CUSTOM: ANTHROPIC };

export interface Scene {
  cell: string;
  keys: Keys;
  redis: Redis;
  docker: Docker;
  model: Model;
  /** The value of each such secret. */
  key: string;
  /** The address of the running manager. */
  url(): string;
  /** A client of the running manager. */
  client(): ManagerConnection;
  /** Creates a worker that asks the stand-in; resolves when the command was answered. */
  create(fields: { agent_type: keyof typeof MODELS; [field: string]: unknown }): Promise<AgentWorker>;
  /** Sends a command and waits for its answer. */
  command(fields: object): Promise<Record<string, unknown>>;
  /** A metric of the running manager, summed over its labels. */
  metric(name: string): Promise<number>;
  /** SIGKILL for the manager. */
  kill(): Promise<void>;
  /** Starts another in its place. */
  restart(): Promise<void>;
  /** The logs of all managers. */
  log(): string;
  close(): Promise<void>;
}

/** With `tools`, the manager listens on the Docker bridge, so that workers reach its `/mcp`. */
export async function openScene({ tools = false }: { tools?: boolean } = {}): Promise<Scene> {
  const [host, redisUrl, cell] = [inject('dockerHost'), inject('redisUrl'), newCell()];
  const docker = dockerAt(host);
  const model = await startModel({ host: await bridgeGateway(docker) });
  const secrets = await mkdtemp(join(tmpdir(), 'wm-secrets-'));
  const key = `sk-${randomBytes(24).toString('hex')}`;
  for (const { secret } of [ANTHROPIC, OPENAI]) {
    await writeFile(join(secrets, secret), `${key}\n`, { mode: 0o600 });
  }
  const env = {
    RUNTIME: 'docker',
    DOCKER_HOST: host.startsWith('/') ? `unix://${host}` : host,
    WORKER_REDIS_URL: inject('bodyRedisUrl'),
    SECRETS_DIR: secrets,
    RESTART_BACKOFF_SECONDS: '0.1',
    // The observations of all bodies update the usage values.
    RESYNC_SECONDS: '1',
    ...(tools && {
      HTTP_HOST: await bridgeGateway(docker),
      // The next manager is found at the same address.
      HTTP_PORT: String(await freePort()),
      API_TOKEN: randomUUID(),
    }),
  };
  const managers: Manager[] = [await startManager({ redisUrl, cell, env })];
  const manager = () => managers.at(-1) as Manager;
  const redis = new Redis(redisUrl);
  const keys = getKeys(cell);
  const workers: AgentWorker[] = [];
  const log = () => managers.map((each) => each.log()).join('');

  async function command(fields: object): Promise<Record<string, unknown>> {
    const request_id = randomUUID();
    await redis.xadd(keys.commands, '*', 'data', JSON.stringify({ request_id, ...fields }));
    return vi.waitFor(
      async () => {
        const answers = await redis.xrange(keys.responses, '-', '+');
        const answer = answers
          .map(([, [, data]]) => JSON.parse(data ?? ''))
          .find((it) => it.request_id === request_id);
        if (!answer) throw new Error(`The command was not answered: ${JSON.stringify(fields)}`);
        return answer;
      },
      { timeout: LONGEST_MS, interval: 20 },
    );
  }

  return {
    cell,
    keys,
    redis,
    docker,
    model,
    key,
    url: () => manager().url,
    command,
    log,
    client: () => connect({ url: manager().url, token: manager().token }),
    async create(fields) {
      const { secret, variable } = MODELS[fields.agent_type];
      const answer = await command({
        command: 'create',
        secrets: [secret],
        ...fields,
        env: { [variable]: model.url, ...(fields.env as object | undefined) },
      });
      if (answer.success !== true) throw new Error(`The create was refused: ${JSON.stringify(answer)}`);
      const worker = new AgentWorker(String(answer.worker_id), keys, redisUrl, log);
      workers.push(worker);
      return worker;
    },
    async metric(name) {
      const text = await (await fetch(`${manager().url}/metrics`)).text();
      const lines = text.split('\n').filter((line) => new RegExp(`^worker_manager_${name}[ {]`).test(line));
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    async kill() {
      manager().kill('SIGKILL');
      await manager().exited;
    },
    async restart() {
      managers.push(await startManager({ redisUrl, cell, env, home: manager().home }));
      // The lease of the one that was killed lasts for a moment.
      await expect.poll(async () => (await fetch(`${manager().url}/readyz`)).status).toBe(200);
    },
    async close() {
      await manager().stop();
      await dismantle(createDockerRuntime({ cell, host, image: inject('image') }));
      for (const worker of workers) worker.close();
      await cleanCell({ redisUrl, cell, home: manager().home });
      redis.disconnect();
      await rm(secrets, { recursive: true, force: true });
      await model.close();
    },
  };
}
