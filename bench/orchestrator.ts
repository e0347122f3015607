import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { getKeys, type Keys } from '../src/store/keys.ts';

/** Longer than any single worker takes on a machine that is suitable for benchmarks. */
const LONGEST_MS = 120_000;

/** A simple orchestrator that records when it observes events. */
export class BenchOrchestrator {
  readonly keys: Keys;
  readonly redis: Redis;
  readonly #reader: Redis;

  constructor(redisUrl: string, cell: string) {
    this.keys = getKeys(cell);
    this.redis = new Redis(redisUrl);
    this.#reader = new Redis(redisUrl);
  }

  /** Writes a create and returns the worker's ID immediately. */
  create(fields: object, worker_id: string = randomUUID()): string {
    void this.send({ command: 'create', request_id: worker_id, worker_id, agent_type: 'CUSTOM', ...fields });
    return worker_id;
  }

  async send(command: object): Promise<void> {
    const data = JSON.stringify({ request_id: randomUUID(), ...command });
    await this.redis.xadd(this.keys.commands, '*', 'data', data);
  }

  /** Writes a command and waits for its response. */
  async ask(command: object): Promise<void> {
    const request_id = randomUUID();
    const [last] = await this.redis.xrevrange(this.keys.responses, '+', '-', 'COUNT', 1);
    void this.send({ request_id, ...command });
    await this.#first(this.keys.responses, (data) => data.request_id === request_id, {
      since: last?.[0] ?? '0',
    });
  }

  /** Milliseconds from writing an entry until a blocked reader receives it. */
  async echo(): Promise<number> {
    const stream = `${this.keys.commands}:echo`;
    const text = randomUUID();
    const received = this.#first(stream, (data) => data.text === text, { since: '$' });
    await this.redis.ping();
    const began = performance.now();
    void this.redis.xadd(stream, '*', 'data', JSON.stringify({ text }));
    await received;
    return performance.now() - began;
  }

  /** Resolves when the worker's history shows RUNNING. */
  async running(id: string, withinMs = LONGEST_MS): Promise<void> {
    await this.#first(this.keys.events(id), ({ status }) => status === 'RUNNING', { withinMs });
  }

  /** Waits until that many warm workers are available. */
  async untilWarm(count: number): Promise<void> {
    const deadline = Date.now() + LONGEST_MS;
    for (;;) {
      const ids = await this.redis.zrange(this.keys.workers, '0', '-1');
      const phases = await Promise.all(ids.map((id) => this.redis.hget(this.keys.status(id), 'phase')));
      if (phases.filter((phase) => phase === 'ready').length === count && ids.length === count) return;
      if (Date.now() > deadline) throw new Error('The pool was not filled in time.');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Whether the worker claimed a body that was created before it. */
  async wasClaimed(id: string): Promise<boolean> {
    return (await this.redis.hexists(this.keys.bodies, id)) === 1;
  }

  /** Milliseconds since 1970 at which the worker's history first shows the phase. */
  async reached(id: string, phase: string): Promise<number> {
    return this.#first(this.keys.events(id), (data) => data.phase === phase);
  }

  /** The same, for an entry of a type on the output stream. */
  async printed(id: string, type: string): Promise<number> {
    return this.#first(this.keys.output(id), (data) => data.type === type);
  }

  /** Sends a prompt to a worker and waits for the end of its turn; returns milliseconds; rejects if it fails. */
  async turn(id: string, content: string): Promise<number> {
    const request_id = randomUUID();
    const from = (await this.redis.xrevrange(this.keys.output(id), '+', '-', 'COUNT', 1))[0]?.[0];
    const began = performance.now();
    const prompt = { type: 'prompt', content, request_id };
    void this.redis.xadd(this.keys.input(id), '*', 'data', JSON.stringify(prompt));
    const over = (type: unknown) => type === 'turn_completed' || type === 'turn_failed';
    let end: Record<string, unknown> = {};
    await this.#first(
      this.keys.output(id),
      (data) => {
        end = data;
        return over(data.type) && data.request_id === request_id;
      },
      { since: from ?? '0' },
    );
    if (end.type !== 'turn_completed') throw new Error(`The turn failed: ${JSON.stringify(end)}`);
    return performance.now() - began;
  }

  /** Deletes workers and waits until their records are deleted. */
  async delete(ids: string[]): Promise<void> {
    for (const worker_id of ids) {
      const command = { command: 'delete', request_id: randomUUID(), worker_id };
      await this.redis.xadd(this.keys.commands, '*', 'data', JSON.stringify(command));
    }
    const deadline = Date.now() + LONGEST_MS;
    while ((await this.redis.zcard(this.keys.workers)) > 0) {
      if (Date.now() > deadline) throw new Error('The workers were not deleted in time.');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Removes all keys of the cell. */
  async close(cell: string): Promise<void> {
    for (let cursor = '0'; ; ) {
      const [next, keys] = await this.redis.scan(cursor, 'MATCH', `${cell}:*`, 'COUNT', 1000);
      if (keys.length > 0) await this.redis.unlink(...keys);
      if (next === '0') break;
      cursor = next;
    }
    this.redis.disconnect();
    this.#reader.disconnect();
  }

  async #first(
    stream: string,
    fits: (data: Record<string, unknown>) => boolean,
    { since = '0', withinMs = LONGEST_MS }: { since?: string; withinMs?: number } = {},
  ): Promise<number> {
    const deadline = Date.now() + withinMs;
    let from = since;
    while (Date.now() < deadline) {
      const reply = await this.#reader.xread('COUNT', 100, 'BLOCK', 5000, 'STREAMS', stream, from);
      for (const [id, fields] of reply?.[0]?.[1] ?? []) {
        from = id;
        if (fits(JSON.parse(fields[1] ?? '{}'))) return Number(id.split('-')[0]);
      }
    }
    throw new Error(`No such entry on ${stream} in time.`);
  }
}
