/** Runs the bundled wrapper as a real process, as a runtime would, and reads what it sends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { bundleWrapper } from '../../scripts/bundle-wrapper.ts';
import type { InputMessage, OutputMessage } from '../../src/model/messages/message.ts';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import { getKeys, INPUT_GROUP, type Keys } from '../../src/store/keys.ts';

/** How long a test watches before it concludes that something did not happen. */
export const soon = { timeout: 30_000, interval: 20 };

/** A worker of the test's own cell, and its bodies. */
export class TestWorker {
  readonly id = randomUUID();
  readonly cell = `test-${randomUUID().slice(0, 8)}`;
  readonly keys: Keys = getKeys(this.cell);
  readonly dir = mkdtempSync(join(tmpdir(), 'worker-base-'));
  readonly workspace = join(this.dir, 'workspace');
  readonly redis: Redis;
  readonly #reader: Redis;
  readonly #bodies: Body[] = [];
  readonly entries: OutputMessage[] = [];
  readonly #closing = new AbortController();
  #read: Promise<void>;

  constructor(url: string) {
    this.redis = new Redis(url);
    this.#reader = new Redis(url);
    // A test may stop the Redis.
    for (const client of [this.redis, this.#reader]) client.on('error', () => {});
    this.#read = this.#follow();
  }

  async declare(spec: Partial<WorkerSpec>): Promise<void> {
    const full = { agent_type: 'CUSTOM', runtime: 'process', stop_grace_seconds: 4, ...spec };
    await this.redis.hset(this.keys.desired(this.id), 'spec', JSON.stringify(full));
  }

  /** Puts an entry on the input stream; answers its id. */
  async send(message: InputMessage | string): Promise<string> {
    const data = typeof message === 'string' ? message : JSON.stringify(message);
    return (await this.redis.xadd(this.keys.input(this.id), '*', 'data', data)) ?? '';
  }

  /** Starts a body; `port` is the Redis as the body sees it, where it is not the test's. */
  async start(options: {
    redisUrl: string;
    incarnation?: number;
    env?: Record<string, string>;
    /** Another copy of the wrapper. */
    path?: string;
  }): Promise<Body> {
    const { path } = options.path === undefined ? await bundleWrapper() : { path: options.path };
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: this.dir,
      WORKER_ID: this.id,
      WORKER_TYPE: 'CUSTOM',
      WORKER_CELL: this.cell,
      WORKER_INCARNATION: String(options.incarnation ?? 1),
      WORKER_SPOOL_DIR: join(this.dir, 'spool'),
      WORKSPACE_PATH: this.workspace,
      REDIS_URL: options.redisUrl,
      ...options.env,
    };
    const body = new Body(spawn(process.execPath, [path], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
    this.#bodies.push(body);
    return body;
  }

  /** Entries of one type so far. */
  of(type: OutputMessage['type']): OutputMessage[] {
    return this.entries.filter((entry) => entry.type === type);
  }

  /** What the agent wrote to stdout, as it wrote it. */
  text(): string {
    return this.of('stdout')
      .map(({ content, partial }) => (partial ? content : `${content}\n`))
      .join('');
  }

  /** Waits for an entry; answers it. */
  async until(test: (entry: OutputMessage) => boolean, timeout = soon.timeout): Promise<OutputMessage> {
    await expect.poll(() => this.entries.some(test), { ...soon, timeout }).toBe(true);
    return this.entries.find(test) as OutputMessage;
  }

  untilType(type: OutputMessage['type'], timeout?: number): Promise<OutputMessage> {
    return this.until((entry) => entry.type === type, timeout);
  }

  /** `seq` rises by one from 1, in the order of the stream, so nothing is missing, doubled or swapped. */
  expectGapless(first = 1): void {
    const wrong = this.entries.findIndex(({ seq }, at) => seq !== first + at);
    expect(wrong === -1 ? 'gapless' : this.entries.slice(Math.max(0, wrong - 1), wrong + 2)).toBe('gapless');
  }

  /** Entries that were delivered to the wrapper and not acknowledged. */
  async pending(): Promise<number> {
    return Number((await this.redis.xpending(this.keys.input(this.id), INPUT_GROUP))[0]);
  }

  async close(): Promise<void> {
    for (const body of this.#bodies) body.process.kill('SIGTERM');
    const hard = setTimeout(() => this.#bodies.forEach((body) => void body.process.kill('SIGKILL')), 8000);
    await Promise.all(this.#bodies.map((body) => body.exit));
    clearTimeout(hard);
    this.#closing.abort();
    this.#reader.disconnect();
    await this.#read;
    const { keys, id } = this;
    await this.redis.del(
      keys.desired(id),
      keys.input(id),
      keys.output(id),
      keys.heartbeat(id),
      keys.conversation(id),
    );
    this.redis.disconnect();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #follow(): Promise<void> {
    let last = '0';
    const { signal } = this.#closing;
    // A client that is disconnected between two connection attempts never settles its commands.
    const closed = once(signal, 'abort').then(() => null);
    while (!signal.aborted) {
      const key = this.keys.output(this.id);
      const read = this.#reader.xread('COUNT', 1000, 'BLOCK', 5000, 'STREAMS', key, last).catch(() => null);
      const reply = (await Promise.race([read, closed])) as [string, [string, string[]][]][] | null;
      for (const [id, fields] of reply?.[0]?.[1] ?? []) {
        last = id;
        this.entries.push(JSON.parse(fields[1] ?? ''));
      }
    }
  }
}

/** One wrapper process. */
export class Body {
  readonly process: ChildProcess;
  /** The exit code, or the signal that ended the wrapper itself. */
  readonly exit: Promise<number | NodeJS.Signals | null>;
  log = '';
  /** What it wrote to stdout: the log of a node that was started by hand. */
  printed = '';

  constructor(child: ChildProcess) {
    this.process = child;
    this.exit = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
    child.stdout?.on('data', (text) => {
      this.printed += text;
    });
    child.stderr?.on('data', (text) => {
      this.log += text;
    });
  }

  /** The most memory that the wrapper has had resident, in MiB. */
  peakMemory(): number {
    const status = readFileSync(`/proc/${this.process.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }
}

/** Whether a process lives; a zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
