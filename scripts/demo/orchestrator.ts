import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { LifecycleEvent } from '../../src/model/index.ts';
import { getKeys } from '../../src/store/keys.ts';
import { type DemoEntry, OutputChecker } from './output-checker.ts';

/** A response on the response stream. */
export interface DemoResponse {
  request_id?: string;
  success: boolean;
  worker_id?: string;
  workers?: unknown[];
  error?: { code: string; message: string };
}

export type DemoOutput = DemoEntry & { incarnation: number; request_id?: string; pid?: number };

/** A worker as its orchestrator knows it. */
export interface Worker {
  id: string;
  name: string;
  runtime: string;
  checker: OutputChecker;
}

const BLOCK_MS = 1000;
const POLL_MS = 25;

/** An orchestrator: a program that knows only Redis and the keys of the wire protocol. */
export class DemoOrchestrator {
  readonly #url: string;
  readonly #redis: Redis;
  readonly #keys: ReturnType<typeof getKeys>;
  readonly #signal: AbortSignal;
  readonly #obstacle: () => string | undefined;
  readonly #answers = new Map<string, DemoResponse>();
  readonly #followers: Promise<void>[] = [];
  readonly #end = new AbortController();

  /** `obstacle` returns why waiting is pointless, if it is. */
  constructor(url: string, cell: string, signal: AbortSignal, obstacle: () => string | undefined) {
    this.#obstacle = obstacle;
    this.#url = url;
    this.#signal = AbortSignal.any([signal, this.#end.signal]);
    this.#keys = getKeys(cell);
    this.#redis = connect(url);
    this.#follow<DemoResponse>(this.#keys.responses, (answer) => {
      if (answer.request_id) this.#answers.set(answer.request_id, answer);
    });
  }

  /** Writes a command to the stream and waits for its response; throws if it is refused. */
  async command(fields: { command: string; [field: string]: unknown }): Promise<DemoResponse> {
    const request_id = randomUUID();
    await this.#redis.xadd(this.#keys.commands, '*', 'data', JSON.stringify({ request_id, ...fields }));
    const answer = await this.until(`a response to ${fields.command}`, () => this.#answers.get(request_id));
    if (!answer.success) throw new Error(`${fields.command} was refused: ${answer.error?.message}`);
    return answer;
  }

  /** Creates a worker. */
  async create(spec: { name: string; runtime: string; [field: string]: unknown }): Promise<Worker> {
    const { worker_id: id = '' } = await this.command({ command: 'create', ...spec });
    return { id, name: spec.name, runtime: spec.runtime, checker: new OutputChecker() };
  }

  /** Passes on the output of a worker as it arrives, with its numbers, and records it in the worker's ledger. */
  output({ id, checker }: Worker, onEntry: (message: DemoOutput, numbers: number[]) => void): void {
    this.#follow<DemoOutput>(this.#keys.output(id), (message) => onEntry(message, checker.add(message)));
  }

  /** Passes on the history of a worker as it grows. */
  events(id: string, onEntry: (event: LifecycleEvent) => void): void {
    this.#follow(this.#keys.events(id), onEntry);
  }

  async prompt(id: string, content: string, request_id: string): Promise<void> {
    const data = JSON.stringify({ type: 'prompt', content, request_id });
    await this.#redis.xadd(this.#keys.input(id), '*', 'data', data);
  }

  status(id: string): Promise<Record<string, string>> {
    return this.#redis.hgetall(this.#keys.status(id));
  }

  /** Waits for a condition; throws with its description if it is not met in time. */
  async until<T>(what: string, poll: () => T | Promise<T>, seconds = 60): Promise<NonNullable<T>> {
    const limit = performance.now() + seconds * 1000;
    for (;;) {
      this.#signal.throwIfAborted();
      const found = await poll();
      if (found) return found;
      const obstacle = this.#obstacle();
      if (obstacle) throw new Error(obstacle);
      if (performance.now() > limit) throw new Error(`Timed out after ${seconds} s waiting for ${what}.`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Closes its connections. */
  async close(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#followers);
    this.#redis.disconnect();
  }

  /** Reads a stream from its start, on its own connection because it blocks. */
  #follow<T>(key: string, take: (message: T) => void): void {
    const redis = connect(this.#url);
    const close = () => redis.disconnect();
    this.#signal.addEventListener('abort', close);
    const run = async () => {
      let last = '0';
      while (!this.#signal.aborted) {
        const reply = await redis.xread('BLOCK', BLOCK_MS, 'STREAMS', key, last);
        for (const [id, fields] of reply?.[0]?.[1] ?? []) {
          last = id;
          take(JSON.parse(fields[fields.indexOf('data') + 1] ?? '{}') as T);
        }
      }
    };
    this.#followers.push(
      run()
        .catch(() => {})
        .finally(close),
    );
  }
}

function connect(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: 3 });
  redis.on('error', () => {});
  return redis;
}

/** Removes every key of a cell. Nothing may write to them any more. */
export async function removeKeys(url: string, cell: string): Promise<void> {
  const redis = connect(url);
  try {
    for await (const keys of redis.scanStream({ match: `${cell}:*`, count: 500 }))
      if (keys.length > 0) await redis.unlink(keys);
  } finally {
    redis.disconnect();
  }
}
