/**
 * Deletes workspaces that no record and no body needs, under the rules for bodies (orphans.ts): an orphan must be older
 * than the grace period and must have been one at the previous sweep; a workspace that is older than the store is kept
 * and reported, because its record may have been lost; a sweep that would delete a large share deletes nothing. A normal
 * deletion does not depend on the sweep (src/reconcile/act.ts); it finds what a crash or an absent engine has left.
 */
import type { Logger } from 'pino';
import {
  type Body,
  errorMessage,
  parseInstant,
  type RuntimeName,
  type StoreIdentity,
  type Workspace,
} from '../model/index.ts';
import type { Runtimes } from '../runtimes/registry.ts';
import type { Findings, Store } from '../store/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { isTripped } from './orphans.ts';

/** Number of workspaces that a finding names. */
const NAMED = 5;

export interface WorkspaceSweepOptions {
  store: Pick<Store, 'leads' | 'load' | 'status' | 'workspaceUsers'>;
  runtimes: Runtimes;
  metrics: Pick<Metrics, 'orphansRemoved'>;
  findings: Pick<Findings, 'note' | 'clear'>;
  log: Logger;
  now: () => number;
  mayAct: () => boolean;
  epoch: number;
  grace_ms: number;
  breaker_share: number;
}

type Found = Workspace & { runtime: RuntimeName };

export class WorkspaceSweep {
  readonly #options: WorkspaceSweepOptions;
  #suspects: ReadonlySet<string> = new Set();
  /** Workspaces of claimed bodies, with the workers that use them. */
  #users: ReadonlyMap<string, string> = new Map();
  /** Number of workspaces that the last sweep would have deleted without the breaker. */
  heldBack = 0;

  constructor(options: WorkspaceSweepOptions) {
    this.#options = options;
  }

  /** One sweep; `listed` are the runtimes whose `bodies` are complete. */
  async run(
    index: Record<string, string>,
    { bodies, listed }: { bodies: Body[]; listed: ReadonlySet<RuntimeName> },
    identity: StoreIdentity,
  ): Promise<void> {
    const { now, grace_ms, breaker_share, log } = this.#options;
    const all = await this.#list(listed);
    const unknown = await this.#unknown(all, index, bodies);
    const since = parseInstant(identity.created_at) ?? 0;
    const ripe: Found[] = [];
    const old: Found[] = [];
    for (const one of unknown) {
      if (one.created_at < since && !(await this.#isDeleted(one.id))) old.push(one);
      else if (now() - one.created_at >= grace_ms && this.#suspects.has(one.id)) ripe.push(one);
    }
    this.#suspects = new Set(unknown.map(({ id }) => id));
    this.#report(old);
    const before = this.heldBack;
    this.heldBack = isTripped(ripe.length, all.length, breaker_share) ? ripe.length : 0;
    if (this.heldBack > 0 && this.heldBack !== before)
      log.error(
        {
          orphans: ripe.length,
          workspaces: all.length,
          worker_ids: ripe.slice(0, NAMED).map(({ id }) => id),
        },
        'too many orphans; no workspace is deleted',
      );
    if (this.heldBack === 0) for (const one of ripe) if (!(await this.#remove(one))) return;
  }

  async #list(listed: ReadonlySet<RuntimeName>): Promise<Found[]> {
    const { runtimes, log } = this.#options;
    const lists = await Promise.all(
      [...listed].map(async (runtime) => {
        try {
          const found = await runtimes.call(runtime, (engine) => engine.listWorkspaces());
          return found.map((one) => ({ ...one, runtime }));
        } catch (error) {
          log.debug({ runtime, why: errorMessage(error) }, 'failed to list workspaces');
          return [];
        }
      }),
    );
    return lists.flat();
  }

  /** Those that neither a worker in the index nor a body uses. */
  async #unknown(all: Found[], index: Record<string, string>, bodies: Body[]): Promise<Found[]> {
    const inBodies = new Set(bodies.flatMap(({ workspace }) => workspace ?? []));
    const needed = ({ id }: Found) =>
      index[id] !== undefined || inBodies.has(id) || index[this.#users.get(id) ?? ''] !== undefined;
    const unknown = all.filter((one) => !needed(one));
    if (unknown.length === 0) return [];
    this.#users = await this.#options.store.workspaceUsers(Object.keys(index));
    return unknown.filter((one) => !needed(one));
  }

  /** The store knows that the worker was deleted, so its workspace is not the trace of a lost record. */
  async #isDeleted(id: string): Promise<boolean> {
    return (await this.#options.store.status(id))?.desired === 'deleted';
  }

  #report(old: Found[]): void {
    const { findings } = this.#options;
    if (old.length === 0) {
      findings.clear('workspaces');
      return;
    }
    const names = old.slice(0, NAMED).map(({ id, runtime }) => `${id} (${runtime})`);
    const more = old.length > NAMED ? ` and ${old.length - NAMED} more` : '';
    findings.note(
      'workspaces',
      `The store has lost the records of workers whose files remain: ${names.join(', ')}${more}. They are kept. ` +
        'Copy what you need, then delete them with the engine, or all of a cell with `wm dismantle --force`.',
    );
  }

  /** False if this manager must not act any more. */
  async #remove({ id, runtime }: Found): Promise<boolean> {
    const { store, runtimes, metrics, log, mayAct, epoch } = this.#options;
    if (!mayAct() || !(await store.leads(epoch))) return false;
    // The index may be slightly old: a workspace whose record is newer is not an orphan.
    if (await store.load(id)) return true;
    try {
      await runtimes.call(runtime, (engine) => engine.removeWorkspace(id));
      metrics.orphansRemoved.inc(1);
      log.warn({ worker_id: id, runtime }, 'deleted a workspace without a record');
    } catch (error) {
      log.warn({ worker_id: id, why: errorMessage(error) }, 'failed to delete an orphaned workspace');
    }
    return true;
  }
}
