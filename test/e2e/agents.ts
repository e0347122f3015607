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
import { inject, vi } from 'vitest';
import { dismantle } from '../../scripts/demo/cleanup.ts';
import type { OutputMessage } from '../../src/model/message.ts';
import { createDockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { getKeys, type Keys } from '../../src/store/keys.ts';
import { bridgeGateway, dockerAt } from '../support/docker.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { type Model, startModel } from '../support/model/index.ts';

/** Building a first image takes about a minute, and two may be built at once. */
export const BUILD_MS = 300_000;
/** Timeout of a test step; Droid waits several seconds before it retries a model. */
const LONGEST_MS = 60_000;
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

export async function openScene(): Promise<Scene> {
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
    command,
    log,
    async create(fields) {
      const { secret, variable } = MODELS[fields.agent_type];
      const answer = await command({
        command: 'create',
        secrets: [secret],
        env: { [variable]: model.url },
        ...fields,
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

/** One entry of the output, or of the history. */
export type Entry = OutputMessage;
type History = Record<string, unknown>;

/** A turn that has ended. */
export interface Told {
  end: Entry;
  /** All events about it, including its end. */
  entries: Entry[];
}

/** One worker, as an orchestrator sees it. */
export class AgentWorker {
  readonly id: string;
  /** The output so far, as far as it was waited for. */
  readonly entries: Entry[] = [];
  readonly history: History[] = [];
  readonly #keys: Keys;
  readonly #redis: Redis;
  readonly #managers: () => string;
  #last = '0';
  #lastEvent = '0';

  constructor(id: string, keys: Keys, redisUrl: string, managers: () => string) {
    this.id = id;
    this.#keys = keys;
    this.#redis = new Redis(redisUrl);
    this.#managers = managers;
  }

  close(): void {
    this.#redis.disconnect();
  }

  /** Puts a message on the input stream. */
  async send(message: object): Promise<void> {
    await this.#redis.xadd(this.#keys.input(this.id), '*', 'data', JSON.stringify(message));
  }

  /** Sends a prompt; returns its `request_id`. */
  async prompt(content: string, more: object = {}): Promise<string> {
    const request_id = randomUUID();
    await this.send({ type: 'prompt', content, request_id, ...more });
    return request_id;
  }

  /** A prompt and the end of its turn. */
  async turn(content: string, more: object = {}): Promise<Told> {
    return this.end(await this.prompt(content, more));
  }

  /** The end of a turn. */
  async end(requestId: string): Promise<Told> {
    const mine = ({ request_id }: Entry) => request_id === requestId;
    const end = await this.told((entry) => mine(entry) && /^turn_(completed|failed)$/.test(entry.type));
    return { end, entries: this.entries.filter(mine) };
  }

  /** The first entry that fits, from the beginning of the output. */
  told(fits: (entry: Entry) => boolean, ms?: number): Promise<Entry> {
    return this.#first(this.entries, fits, ms);
  }

  /** When its incarnation is RUNNING; the first may have to wait for an image. */
  async running(incarnation = 1): Promise<void> {
    const fits = (event: History) => event.incarnation === incarnation && event.status === 'RUNNING';
    const over = (event: History) => event.status === 'FAILED';
    const event = await this.event((it) => fits(it) || over(it), BUILD_MS);
    if (!fits(event)) throw new Error(`The worker failed: ${JSON.stringify(event)}`);
  }

  /** The first event of its history that fits. */
  event(fits: (event: History) => boolean, ms?: number): Promise<History> {
    return this.#first(this.history, fits, ms);
  }

  async #first<T>(seen: T[], fits: (one: T) => boolean, ms = LONGEST_MS): Promise<T> {
    const until = performance.now() + ms;
    for (let at = 0; ; at += 1) {
      while (at >= seen.length) {
        if (performance.now() > until) throw new Error(this.#account(ms));
        await this.#read();
      }
      const one = seen[at];
      if (one !== undefined && fits(one)) return one;
    }
  }

  async #read(): Promise<void> {
    const [output, events] = [this.#keys.output(this.id), this.#keys.events(this.id)];
    const streams = [output, events, this.#last, this.#lastEvent] as const;
    const reply = await this.#redis.xread('COUNT', 1000, 'BLOCK', 1000, 'STREAMS', ...streams);
    for (const [stream, entries] of reply ?? []) {
      const own = entries.map(([, [, data]]) => JSON.parse(data ?? ''));
      const last = entries.at(-1)?.[0] ?? '0';
      if (stream === output) {
        this.#last = last;
        this.entries.push(...own);
      } else {
        this.#lastEvent = last;
        this.history.push(...own);
      }
    }
  }

  #account(ms: number): string {
    const lines = (list: object[]) => list.slice(-15).map((one) => JSON.stringify(one).slice(0, 400));
    return [
      `What was waited for did not come within ${ms} ms.`,
      'Output:',
      ...lines(this.entries),
      'History:',
      ...lines(this.history),
      'Managers:',
      this.#managers().slice(-4000),
    ].join('\n');
  }
}
