/** A small simulation of the worker loop for a pool: one second per step, without a clock or randomness. */
import type { PoolSpec, PoolStatus } from '../../src/model/index.ts';
import type { Member, PoolMemo } from '../../src/model/pool/pool-memo.ts';
import { decidePool } from '../../src/pools/decide.ts';
import type { PoolDecision } from '../../src/pools/observation.ts';
import { isActive } from '../../src/pools/observation.ts';
import { LIMITS, look, member } from './observation.ts';

interface Body extends Member {
  born: number;
  tasks: number[];
}

export class World {
  now = 1_800_000_000_000;
  spec: PoolSpec;
  revision = 'a';
  /** Templates whose workers never become ready. */
  readonly broken = new Set<string>();
  readonly bootSeconds: number;
  readonly taskSeconds: number;
  bodies: Body[] = [];
  queued = 0;
  memo: PoolMemo | undefined;
  status: PoolStatus | undefined;
  generation = 1;
  done = 0;
  #made = 0;

  constructor(spec: PoolSpec, { boot = 2, task = 5 } = {}) {
    this.spec = spec;
    this.bootSeconds = boot;
    this.taskSeconds = task;
  }

  apply(spec: PoolSpec, revision = this.revision): void {
    this.spec = spec;
    this.revision = revision;
    this.generation += 1;
  }

  get staying(): Body[] {
    return this.bodies.filter(isActive);
  }

  get ready(): Body[] {
    return this.staying.filter(({ status }) => status === 'RUNNING');
  }

  /** Simulates one second, and executes one decision. */
  step(): PoolDecision {
    this.now += 1000;
    for (const body of this.bodies) this.#live(body);
    this.bodies = this.bodies.filter(({ desired, tasks }) => desired !== 'deleted' || tasks.length > 0);
    const decision = decidePool(
      look({
        spec: this.spec,
        members: this.bodies,
        queued: this.queued,
        active: this.bodies.reduce((sum, { active }) => sum + active, 0),
        more: {
          pool: {
            spec: this.spec,
            desired: 'running',
            generation: this.generation,
            created_at: '2026-01-01T00:00:00.000Z',
            request_id: 'r',
          },
          memo: this.memo,
          status: this.status,
          revision: this.revision,
          now: this.now,
          watching_since: 0,
          limits: LIMITS,
        },
      }),
    );
    // Through JSON, as the store keeps it.
    this.memo = JSON.parse(JSON.stringify(decision.memo));
    this.status = JSON.parse(JSON.stringify(decision.status));
    for (const intent of decision.intents) {
      if (intent.type === 'retire') {
        const body = this.bodies.find(({ id }) => id === intent.worker_id);
        if (body) body.desired = 'deleted';
      } else if (intent.type === 'add') this.#add(intent.index, intent.runtime);
    }
    return decision;
  }

  kill(at: number): void {
    const body = this.staying[at % Math.max(1, this.staying.length)];
    if (!body) return;
    this.queued += body.tasks.length;
    body.tasks = [];
    body.born = this.now;
    Object.assign(body, {
      status: 'STARTING',
      phase: 'backoff',
      restarts: body.restarts + 1,
      reason: 'Killed',
    });
    this.#count(body);
  }

  #add(index: number, runtime: Member['runtime']): void {
    this.#made += 1;
    this.bodies.push({
      ...member(this.#made, {
        status: 'STARTING',
        phase: 'booting',
        index,
        runtime,
        revision: this.revision,
      }),
      created_at: this.now,
      ready_since: undefined,
      born: this.now,
      tasks: [],
    });
  }

  #live(body: Body): void {
    const running = body.tasks.filter((end) => end > this.now);
    this.done += body.tasks.length - running.length;
    body.tasks = running;
    if (body.status === 'STARTING' && this.now - body.born >= this.bootSeconds * 1000) {
      if (this.broken.has(body.revision)) {
        Object.assign(body, {
          phase: 'backoff',
          restarts: body.restarts + 1,
          born: this.now,
          reason: 'Error',
        });
      } else Object.assign(body, { status: 'RUNNING', phase: 'ready', ready_since: this.now });
    }
    while (
      body.status === 'RUNNING' &&
      isActive(body) &&
      body.tasks.length < this.spec.concurrency &&
      this.queued > 0
    ) {
      this.queued -= 1;
      body.tasks.push(this.now + this.taskSeconds * 1000);
    }
    this.#count(body);
  }

  #count(body: Body): void {
    body.active = body.tasks.length;
    body.busy = body.active > 0;
  }
}
