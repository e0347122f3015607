/**
 * Checks all running bodies every HEALTH_CHECK_INTERVAL: whether each exists, whether its wrapper reports,
 * and what it uses.
 *
 * It requests one list from each runtime and then the usage of each running body, a few at a time. The usage
 * is stored in Redis for users; its totals are part of the worker's next observation. The monitor decides
 * nothing about a worker itself, and enqueues one only if a reconcile may decide something. A failed request
 * is not counted.
 */
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import {
  type AgentType,
  type Body,
  errorMessage,
  formatInstant,
  HEARTBEAT_INTERVAL_MS,
  type Limits,
  parseInstant,
  type RuntimeName,
  readHeartbeat,
  type UsageReading,
  type Vitals,
} from '../model/index.ts';
import type { LastSeen } from '../reconcile/last-seen.ts';
import type { Loop } from '../reconcile/loop.ts';
import { listBodies } from '../runtimes/list-bodies.ts';
import type { Runtimes } from '../runtimes/registry.ts';
import type { Store } from '../store/index.ts';
import type { probeNode } from './probe-node.ts';
import { updateVitals, type VitalsCheck } from './vitals.ts';

/** Number of bodies whose usage is requested concurrently; an engine must have time for its other work. */
const AT_ONCE = 4;
/** How much longer than its interval a check of many bodies, or of one that does not respond, may take. */
const SLOW_MS = 5000;
/** If a heartbeat is late, the worker's own node API is checked, if it has one. */
const LATE_MS = HEARTBEAT_INTERVAL_MS + 1000;

export interface HealthMonitorOptions {
  store: Pick<Store, 'heartbeats' | 'saveUsage'>;
  runtimes: Runtimes;
  loop: { lastSeen: LastSeen; queue: Pick<Loop['queue'], 'add'> };
  log: Logger;
  limits: Pick<Limits, 'hung_ms'>;
  /** HEALTH_CHECK_INTERVAL in milliseconds. */
  interval_ms: number;
  probeNode: typeof probeNode;
  /** Milliseconds since 1970, and of a monotonic clock. */
  now: () => number;
  monotonic: () => number;
}

interface Watched {
  check: VitalsCheck;
  vitals: Vitals;
  body: Pick<Body, 'worker_id' | 'runtime'>;
}

/** The total usage of workers of one kind. */
export interface UsageTotal {
  pool: string;
  runtime: RuntimeName;
  agent_type: AgentType;
  cpu_cores: number;
  memory_bytes: number;
  workspace_bytes: number;
}

export class HealthMonitor {
  readonly #options: HealthMonitorOptions;
  /** By the engine's id of the body, so that a new body starts from zero. */
  #watched = new Map<string, Watched>();

  /** Bytes on disk of the workspaces of running workers, at the last check. */
  #workspaces: ReadonlyMap<string, number> = new Map();

  constructor(options: HealthMonitorOptions) {
    this.#options = options;
  }

  /** The results of that body's checks so far. */
  vitals(bodyId: string): Vitals | undefined {
    return this.#watched.get(bodyId)?.vitals;
  }

  /** The usage at the last check, by pool, runtime and agent type. */
  usage(): UsageTotal[] {
    const { lastSeen } = this.#options.loop;
    const sums = new Map<string, UsageTotal>();
    for (const { vitals, body } of this.#watched.values()) {
      const { worker_id, runtime } = body;
      const agent_type = lastSeen.agentType(worker_id);
      if (!agent_type) continue;
      const pool = lastSeen.poolOf(worker_id);
      const key = `${pool} ${runtime} ${agent_type}`;
      const sum = sums.get(key) ?? {
        pool,
        runtime,
        agent_type,
        cpu_cores: 0,
        memory_bytes: 0,
        workspace_bytes: 0,
      };
      sum.cpu_cores += (vitals.cpu_percent ?? 0) / 100;
      sum.memory_bytes += vitals.memory_bytes ?? 0;
      sum.workspace_bytes += this.#workspaces.get(worker_id) ?? 0;
      sums.set(key, sum);
    }
    return [...sums.values()];
  }

  /** Checks all running bodies; throws errors of the store, and then nothing was counted. */
  async run(): Promise<void> {
    const began = performance.now();
    const { store, loop, log, now, interval_ms } = this.#options;
    const bodies = await this.#list();
    const beats = await store.heartbeats(bodies.map(({ worker_id }) => worker_id)).catch((error) => {
      this.#watched.clear();
      throw error;
    });
    const watched = new Map<string, Watched>();
    const usage: Record<string, UsageReading> = {};
    const at = formatInstant(now());
    const limit = pLimit(AT_ONCE);
    const look = async (body: Body, beat: string | null) => {
      const observation = await this.#observe(body, beat);
      if (!observation) return;
      watched.set(body.id, observation);
      const { cpu_percent, memory_bytes, pids } = observation.vitals;
      usage[body.worker_id] = { cpu_percent, memory_bytes, pids, at };
    };
    this.#readWorkspaces(bodies, beats);
    await Promise.all(bodies.map((body, place) => limit(look, body, beats[place] ?? null)));
    this.#watched = watched;
    for (const [place, { id, worker_id }] of bodies.entries()) {
      if (this.#mayBeHung(watched.get(id), beats[place])) loop.queue.add(worker_id);
    }
    // Kept for a few checks: the usage from a manager that has ended must not appear current.
    await store.saveUsage(usage, Math.ceil(4 * interval_ms + 10_000));
    log.debug({ bodies: bodies.length, ms: Math.round(performance.now() - began) }, 'bodies checked');
  }

  /** Reads the sizes that the wrappers report, and enqueues a worker whose workspace has become full. */
  #readWorkspaces(bodies: readonly Body[], beats: readonly (string | null)[]): void {
    const { loop } = this.#options;
    const sizes = new Map<string, number>();
    for (const [place, { worker_id }] of bodies.entries()) {
      const heartbeat = readHeartbeat(beats[place])?.heartbeat;
      if (heartbeat?.workspace_bytes === undefined) continue;
      sizes.set(worker_id, Math.max(0, heartbeat.workspace_bytes));
      if (loop.lastSeen.isWorkspaceNews(worker_id, heartbeat)) loop.queue.add(worker_id);
    }
    this.#workspaces = sizes;
  }

  /** The running bodies of the runtimes that answer; enqueues a worker if its body has changed. */
  async #list(): Promise<Body[]> {
    const { runtimes, loop, log } = this.#options;
    const { bodies, listed } = await listBodies(runtimes, (runtime, why) =>
      log.debug({ runtime, why }, 'failed to check bodies'),
    );
    for (const id of loop.lastSeen.changedBodies(bodies, listed)) loop.queue.add(id);
    return bodies.filter(({ state, worker_id }) => state === 'running' && loop.lastSeen.phase(worker_id));
  }

  async #observe(body: Body, beat: string | null): Promise<Watched | undefined> {
    const { runtimes, monotonic, interval_ms, log } = this.#options;
    try {
      const usage = await runtimes.call(body.runtime, (runtime) => runtime.usage(body.id));
      const before = this.#watched.get(body.id);
      const unhealthy = body.unhealthy || (await this.#isUnresponsive(body, beat, before));
      const check: VitalsCheck = { at: monotonic(), beat, usage, unhealthy };
      return { body, check, vitals: updateVitals(before, check, 2 * interval_ms + SLOW_MS) };
    } catch (error) {
      log.debug({ worker_id: body.worker_id, why: errorMessage(error) }, 'failed to measure a body');
      return undefined;
    }
  }

  /** At the address that the engine reports: a body's own data must not direct the manager to any other address. */
  async #isUnresponsive(
    { ip_address }: Body,
    beat: string | null,
    before: Watched | undefined,
  ): Promise<boolean> {
    if (!before || before.check.beat !== beat || before.vitals.quiet_ms < LATE_MS) return false;
    const port = Number(/:(\d{1,5})$/.exec(readHeartbeat(beat)?.heartbeat?.node_url ?? '')?.[1]);
    if (!ip_address || !(port > 0 && port < 65_536)) return false;
    return (await this.#options.probeNode(ip_address, port)) === 'mute';
  }

  /** Worth a reconcile: both signs of a stopped body, or a task that has run longer than its limit. */
  #mayBeHung(seen: Watched | undefined, text: string | null | undefined): boolean {
    if (!seen) return false;
    const { vitals } = seen;
    const { hung_ms } = this.#options.limits;
    if (vitals.quiet_ms >= hung_ms && vitals.stuck_ms >= hung_ms) return true;
    const heartbeat = readHeartbeat(text)?.heartbeat;
    const began = parseInstant(heartbeat?.job_started_at);
    if (began === undefined) return false;
    // Without the spec, which has the limit; the reconcile reads it.
    return (parseInstant(heartbeat?.at) ?? began) - began + vitals.quiet_ms >= hung_ms;
  }
}
