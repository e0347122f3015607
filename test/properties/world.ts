/**
 * A world for scripts of misfortune: an engine and a store in memory, on one clock that only the script moves. Both
 * outlive the managers, which come, go, die at any await and are deposed (`manager.ts`).
 */
import {
  ASSIGNED,
  formatInstant,
  type ImageState,
  type StatusRecord,
  type WorkerSpec,
  workerSpec,
} from '../../src/model/index.ts';
import { createAssignment } from '../../src/store/workers/claim-store.ts';
import { FakeEngine } from '../support/fake-runtime/fake.ts';
import { MemoryStore } from '../support/memory-store.ts';

export const CELL = 'default';
export const LIMITS = {
  backoff_base_ms: 1000,
  backoff_max_ms: 60_000,
  backoff_reset_ms: 600_000,
  heartbeat_silent_ms: 30_000,
  hung_ms: 60_000,
};
const IMAGE = 'worker:0123456789ab';
export const GRACE_MS = 10_000;
const START = Date.parse('2030-01-01T00:00:00.000Z');

/** Reasons of attempts that created no body. */
const REFUSED: ReadonlySet<string> = new Set(['BuildFailed', 'CreateFailed', 'StartFailed']);

/** The workers that scripts are about: one of each policy, one that a forgetful record makes harder. */
const POLICIES: Partial<WorkerSpec>[] = [
  { restart_policy: 'never' },
  { restart_policy: 'always' },
  { restart_policy: 'on-failure', max_restarts: 2 },
  { restart_policy: 'never', keep_finished_seconds: 30 },
];
export const WORKERS = POLICIES.map((_, at) => `00000000-0000-4000-8000-00000000000${at}`);
export const specOf = (worker: string): WorkerSpec =>
  workerSpec.parse({
    agent_type: 'CUSTOM',
    command_line: ['agent'],
    runtime: 'docker',
    stop_grace_seconds: 2,
    start_deadline_seconds: 60,
    keep_finished_seconds: 3650 * 86_400,
    ...POLICIES[WORKERS.indexOf(worker)],
  });

/** Violations of the invariants, as soon as they occur. */
export class Broken extends Error {
  override name = 'Broken';
}

export class World {
  now = START;
  /** The one image that all bodies need. */
  image: ImageState = { kind: 'ready', name: IMAGE };
  /** Wrappers do not report, but their bodies keep running. */
  silent = false;
  readonly engine: FakeEngine;
  readonly store: MemoryStore;
  /** What was accepted last about each worker. */
  readonly wanted = new Map<string, 'running' | 'stopped' | 'deleted'>();
  /** Calls that timed out for their manager and have not happened yet. */
  late: (() => Promise<unknown>)[] = [];
  /** Bodies that have ended or were removed, by worker: what a restart may be for. */
  readonly deaths = new Map<string, Set<string>>();
  #requests = 0;

  constructor(stubborn: boolean) {
    const engine = new FakeEngine({
      now: () => this.now,
      program: () => (stubborn ? { ignores_sigterm: true } : {}),
    });
    this.engine = engine;
    this.store = new MemoryStore(() => this.now);
    const note = (id: string) => {
      const body = engine.body(CELL, id);
      if (!body || body.state === 'created') return;
      this.deaths.set(body.worker_id, (this.deaths.get(body.worker_id) ?? new Set()).add(id));
    };
    const { exit, remove } = engine;
    engine.exit = (id, how) => {
      note(id);
      exit.call(engine, id, how);
    };
    engine.remove = (id) => {
      note(id);
      remove.call(engine, id);
    };
  }

  /** Bodies that have stopped for good, as the checks of any manager find them. */
  readonly stopped = new Set<string>();
  readonly vitals = (bodyId: string) =>
    this.stopped.has(bodyId) ? { quiet_ms: LIMITS.hung_ms, stuck_ms: LIMITS.hung_ms } : undefined;

  /** What a manager's images are: the engine keeps them, and no build is lost here. */
  readonly images = {
    state: async () => this.image,
    build: () => {
      if (this.image.kind !== 'ready') this.image = { kind: 'building', name: IMAGE, step: 'Step 1/2' };
    },
    usage: {
      hold: async () => (this.image.kind === 'ready' ? ('held' as const) : ('removing' as const)),
      release: async () => undefined,
    },
  };

  loseImage(): void {
    this.image = { kind: 'absent', name: IMAGE };
  }

  endBuild(well: boolean): void {
    if (this.image.kind !== 'building') return;
    // A try that waited for it ended there, as one whose body died.
    const tries = well ? [] : WORKERS;
    for (const id of tries)
      this.deaths.set(id, (this.deaths.get(id) ?? new Set()).add(`build at ${this.now}`));
    const failed = { at: this.now, reason: 'ImageBuildFailed', message: 'Step 2/2 failed.' } as const;
    this.image = well ? { kind: 'ready', name: IMAGE } : { kind: 'failed', name: IMAGE, ...failed };
  }

  live(worker: string) {
    return this.engine.bodiesOf(CELL, worker).find(({ state }) => state === 'running');
  }

  /** Whatever wrappers would say of themselves now; one that has stopped for good says nothing more. */
  beat(): void {
    for (const { id, worker_id, incarnation, state } of this.engine.list(CELL)) {
      if (state !== 'running' || this.stopped.has(id)) continue;
      const at = formatInstant(this.now);
      const ready = { phase: 'ready', at, ready_at: at, active_at: at, busy: false, seq: 1 } as const;
      this.store.beat(worker_id, { incarnation, ...ready });
    }
  }

  /** One command, settled by the leader of that epoch. */
  async command(
    epoch: number,
    verb: 'create' | 'take over' | 'running' | 'replaced' | 'stopped' | 'deleted',
    workerId: string,
  ) {
    this.#requests += 1;
    const answers = { ok: '{}', conflict: '{}', not_found: '{}' };
    const common = { requestId: `r${this.#requests}`, workerId, answers };
    const created = { spec: specOf(workerId), at: formatInstant(this.now), ms: this.now, prompt: undefined };
    const outcome = await this.store.settle(
      epoch,
      verb === 'create' || verb === 'take over'
        ? { ...common, operation: 'create', created }
        : verb === 'replaced'
          ? { ...common, operation: 'restart', desired: 'running' }
          : { ...common, operation: 'desire', desired: verb },
    );
    if (outcome !== 'ok') return;
    this.wanted.set(workerId, verb === 'stopped' || verb === 'deleted' ? verb : 'running');
    if (verb === 'take over') this.#assign(workerId);
  }

  /** As the loop sees a body that was taken over: one that is started as soon as its wrapper begins. */
  #assign(workerId: string): void {
    const spec = specOf(workerId);
    const order = { worker_id: workerId, incarnation: 1, spec, spec_hash: '', epoch: 0, env: {} };
    const { id: body_id, image } = this.engine.make(CELL, order);
    const warm = { worker_id: 'warm', body_id, image };
    this.store.assign(workerId, createAssignment({ spec, at: formatInstant(this.now) }, warm).status);
  }

  /** Held against every status that is stored; a restart asks for an incarnation of at `least` that. */
  check(id: string, before: StatusRecord | undefined, after: StatusRecord, least = 0): void {
    const from = { incarnation: before?.incarnation ?? 0, restarts: before?.restarts ?? 0 };
    const story = `${JSON.stringify(before)} → ${JSON.stringify(after)}`;
    if (after.incarnation < from.incarnation) throw new Broken(`an incarnation went back: ${story}`);
    if (after.restarts > from.restarts + 1) throw new Broken(`two restarts at once: ${story}`);
    if (after.restarts > from.restarts && after.incarnation === from.incarnation)
      throw new Broken(`a restart without a new body: ${story}`);
    // One that was only assigned has not begun: its body may be done without, and may go before it lived.
    const lived = before?.status === 'RUNNING' && before.phase !== ASSIGNED;
    const asked = lived && before.incarnation < least && this.deaths.get(id)?.has(before.body_id ?? '');
    if (lived && !asked && after.incarnation > before.incarnation)
      throw new Broken(`a body that lived was replaced before its end was reported: ${story}`);
    const ended = after.phase === 'backoff' || after.status === 'STOPPED' || after.status === 'FAILED';
    // A try that was refused until its start deadline was over ended there, as one whose body died.
    if (after.phase === 'backoff' && REFUSED.has(after.reason))
      this.deaths.set(id, (this.deaths.get(id) ?? new Set()).add(`try ${after.incarnation}`));
    if (lived && ended && !this.deaths.get(id)?.has(before.body_id ?? ''))
      throw new Broken(`the end of a live body was reported: ${story}`);
    if (after.restarts > (this.deaths.get(id)?.size ?? 0))
      throw new Broken(`a restart was counted although no body ended: ${story}`);
  }
}
