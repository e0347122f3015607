/** Restores lost claims: the wrapper of a claimed body reports which worker it has. */
import type { Body, Claim, ClaimedWorker } from '../model/index.ts';
import { type ClaimStore, isWarm } from './claimed-body.ts';

/** A live wrapper reports its worker within this time in milliseconds: two heartbeats and a margin. */
const SILENT_MS = 15_000;

/** A claim, and the spec of its worker if its record does not have it. */
export interface FoundClaim {
  taken: ClaimedWorker;
  spec: string;
}

export class ClaimRestorer {
  readonly #claimStore: ClaimStore;
  readonly #now: () => number;
  /** Since when bodies without a known worker have been observed. */
  #silent = new Map<string, number>();

  constructor(claimStore: ClaimStore, now: () => number) {
    this.#claimStore = claimStore;
    this.#now = now;
  }

  /**
   * Adds the claims that wrappers report to those that were `found`, by body, and stores those that have no record. Returns them, and
   * the claimable bodies without a report yet, which must not be listed.
   */
  async restore(
    bodies: Body[],
    found: Map<string, FoundClaim>,
  ): Promise<{ restored: Claim[]; silent: ReadonlySet<string> }> {
    const lost = new Set(
      [...found.values()].filter(({ taken: claim }) => !claim.known).map(({ taken: claim }) => claim.body_id),
    );
    const silentBodies = bodies.filter(({ id, spec }) => lost.has(id) || (!found.has(id) && isWarm(spec)));
    const lookedUp = await this.#claimStore.lookUp(silentBodies.map(({ worker_id }) => worker_id));
    const now = this.#now();
    const restored: Claim[] = [];
    const unheard = new Map<string, number>();
    for (const [place, body] of silentBodies.entries()) {
      const { known, serving, beats } = lookedUp[place] ?? {};
      if (serving && (lost.has(body.id) || !known)) {
        const { worker_id, at } = serving;
        const claim = { worker_id, at, made_for: body.worker_id, body_id: body.id, told: true };
        if (!lost.has(body.id)) await this.#claimStore.restore(claim);
        found.set(body.id, {
          taken: { ...claim, begun: true, known: false },
          spec: JSON.stringify(serving.spec),
        });
        restored.push(claim);
      } else if (!known && !beats && body.state === 'running' && !found.has(body.id)) {
        unheard.set(body.id, this.#silent.get(body.id) ?? now);
      }
    }
    this.#silent = unheard;
    const silent = [...unheard].filter(([, since]) => now - since < SILENT_MS).map(([id]) => id);
    return { restored, silent: new Set(silent) };
  }
}
