/** One cell with a manager in this process, bodies in memory and a real Redis, from which keys are taken. */
import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { pauseBetweenTerms } from '../../src/leader/rounds.ts';
import { Term } from '../../src/leader/term.ts';
import { formatInstant, type Summary } from '../../src/model/index.ts';
import { steadyClock } from '../../src/queue/clock.ts';
import { createLease } from '../../src/queue/lease.ts';
import { Ownership, withOwnership } from '../../src/runtimes/ownership.ts';
import { Runtimes } from '../../src/runtimes/registry.ts';
import {
  CommandStream,
  connectBlocking,
  Fenced,
  Findings,
  readFindings,
  redisLeaseStore,
} from '../../src/store/index.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { type Cell, openCell } from '../store/cell.ts';
import { FakeEngine, FakeRuntime } from '../support/fake-runtime/fake.ts';

const POOL = 'jobs';
const LEASE_MS = 1500;
const log = pino({ level: process.env.KEYS_LOG ?? 'silent' });
const metrics = createMetrics({ processMetrics: false });
const LIMITS = {
  backoff_base_ms: 50,
  backoff_max_ms: 100,
  backoff_reset_ms: 600_000,
  heartbeat_silent_ms: 3_600_000,
  hung_ms: 3_600_000,
};

export class LossyCell {
  readonly cell: Cell;
  readonly engine = new FakeEngine({ name: 'process' });
  /** Runs, and has a name. */
  readonly runs = randomUUID();
  /** Has run once, and must not run again. */
  readonly ended = randomUUID();
  #stop: (() => Promise<void>) | undefined;
  readonly #beats: NodeJS.Timeout;

  constructor(url: string) {
    this.cell = openCell(url);
    this.#beats = setInterval(() => void this.#beat().catch(() => {}), 60);
  }

  /** The keys of the cell that may be lost, by what they are called here. */
  keys(): Record<string, string> {
    const { keys } = this.cell.store;
    const { commands, responses, dead, workers, index, revision, names, usage, identity } = keys;
    const { leader, epoch, bodies, nodes, answered, answeredBytes, findings } = keys;
    const cells = { commands, responses, dead, workers, index, revision, names, figures: usage, identity };
    const pools = {
      pools: keys.pools.pools,
      pool: keys.pools.record(POOL),
      'pool status': keys.pools.status(POOL),
      'pool members': keys.pools.members(POOL),
      'pool events': keys.pools.events(POOL),
    };
    const of = (id: string, what: string) => ({
      [`${what} record`]: keys.desired(id),
      [`${what} status`]: keys.status(id),
      [`${what} events`]: keys.events(id),
      [`${what} heartbeat`]: keys.heartbeat(id),
      [`${what} input`]: keys.input(id),
      [`${what} output`]: keys.output(id),
      [`${what} conversation`]: keys.conversation(id),
    });
    return {
      ...cells,
      leader,
      epoch,
      bodies,
      nodes,
      answered,
      answeredBytes,
      findings,
      ...pools,
      ...of(this.runs, 'running'),
      ...of(this.ended, 'ended'),
    };
  }

  /** Leads until it is stopped, as `serve` does. */
  lead(): void {
    const { cell } = this;
    const { redis, store } = cell;
    const end = new AbortController();
    const findings = new Findings(redis, store.keys.findings, { log, now: Date.now });
    const ownership = new Ownership();
    const runtime = withOwnership(new FakeRuntime({ engine: this.engine, cell: cell.name }), ownership);
    const runtimes = new Runtimes([runtime], Date.now, () => {});
    let running = Promise.resolve();
    let lost = new AbortController();
    const term = async (epoch: number) => {
      lost = new AbortController();
      await runtimes.probe();
      while (lease.epoch() === epoch && !end.signal.aborted) {
        const blocking = connectBlocking(redis.options.port ? urlOf(redis) : '');
        blocking.on('error', () => {});
        const signal = AbortSignal.any([end.signal, lost.signal]);
        signal.addEventListener('abort', () => blocking.disconnect());
        await new Term(epoch, () => lease.held(), {
          store,
          runtimes,
          ownership,
          findings,
          metrics,
          log,
          limits: LIMITS,
          cell: cell.name,
          stream: new CommandStream(redis, blocking, store.keys),
          ...{ bodyRedisUrl: () => 'redis://', images: undefined, secrets: async () => ({}) },
          capabilities: {
            foreignImage: undefined,
            allowPrivileged: false,
            missingSecrets: async () => [],
            missingHandlers: async () => [],
            diskSpaceError: async () => undefined,
            imageUnavailableReason: async () => undefined,
          },
          pools: {
            store: cell.pools,
            counts: async () => ({ queued: 0, active: 0 }) as never,
            release: () => {},
          },
          starts: { slotsOf: () => 16, memoryOf: () => undefined },
          now: Date.now,
          newId: randomUUID,
          concurrency: 4,
          resync_ms: 120,
          check_ms: 3_600_000,
          grace_ms: 100,
          breaker_share: 1,
        })
          .run(signal)
          .catch((error) => {
            log.warn({ why: String(error) }, 'term ended');
            // As `serve`: another try before the lease is renewed would be refused again, and a command counts its tries.
            return pauseBetweenTerms(signal, error instanceof Fenced ? LEASE_MS : 20);
          });
        blocking.disconnect();
      }
    };
    const lease = createLease({
      store: redisLeaseStore(redis, store.keys),
      owner: randomUUID(),
      clock: steadyClock,
      ttlMs: LEASE_MS,
      pollMs: 40,
      onAcquired: (epoch) => {
        running = running.then(() => term(epoch));
      },
      onLost: () => lost.abort(),
    });
    lease.start();
    this.#stop = async () => {
      end.abort();
      await running;
      await lease.release();
    };
  }

  async stop(): Promise<void> {
    await this.#stop?.();
    this.#stop = undefined;
  }

  async close(): Promise<void> {
    clearInterval(this.#beats);
    await this.stop();
  }

  /** Every running body says that it is ready, as a wrapper would. */
  async #beat(): Promise<void> {
    const at = formatInstant(Date.now());
    for (const { worker_id, incarnation, state } of this.engine.list(this.cell.name)) {
      const beat = { incarnation, phase: 'ready', at, ready_at: at, active_at: at, busy: false, seq: 1 };
      if (state === 'running')
        await this.cell.redis.set(this.cell.store.keys.heartbeat(worker_id), JSON.stringify(beat));
    }
  }

  async push(command: object): Promise<string> {
    const request_id = randomUUID();
    await this.cell.push({ request_id, ...command });
    return request_id;
  }

  create(worker_id: string, more: object = {}): Promise<string> {
    const base = { agent_type: 'CUSTOM', command_line: ['x'], runtime: 'process' };
    return this.push({ command: 'create', worker_id, ...base, ...more });
  }

  applyPool(): Promise<string> {
    const template = { agent_type: 'CUSTOM', command_line: ['x'] };
    const pool = { name: POOL, count: 2, execution_mode: 'direct', template };
    return this.push({ command: 'apply', pool });
  }

  async answer(requestId: string): Promise<Record<string, unknown> | undefined> {
    return (await this.cell.answers()).find(({ request_id }) => request_id === requestId);
  }

  list(): Promise<Summary[]> {
    return this.cell.store.summaries();
  }

  /** All that was found missing, as `wm doctor` reads it. */
  async findings(): Promise<string> {
    const { redis, store } = this.cell;
    const found = await readFindings(redis, store.keys.findings, Date.now());
    return found.map(({ about, message }) => `${about}: ${message}`).join('\n');
  }
}

const urlOf = ({ options }: Cell['redis']) =>
  `redis://${options.username ? `${options.username}:` : options.password ? ':' : ''}${options.password ? `${options.password}@` : ''}${options.host}:${options.port}/${options.db ?? 0}`;
