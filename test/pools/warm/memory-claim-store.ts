import type { Claim, ClaimedWorker, ClaimRecord } from '../../../src/model/index.ts';
import type { ClaimStore } from '../../../src/runtimes/claimed-body.ts';

/** The records of claims, in memory; the sets hold what the store received. */
export class MemoryBook implements ClaimStore {
  readonly entries = new Map<string, Claim>();
  /** Workers for which a wrapper has reported. */
  readonly begun = new Set<string>();
  /** Workers that have a record. */
  readonly known = new Set<string>();
  /** The worker that a body reports it serves, by the worker that it was created for. */
  readonly serving = new Map<string, ClaimRecord>();
  /** Workers announced to wrappers, in order. */
  readonly told: string[] = [];

  async get(id: string): Promise<ClaimedWorker | undefined> {
    const entry = this.entries.get(id);
    return entry && { ...entry, begun: this.begun.has(id), known: this.known.has(id) };
  }

  async all(): Promise<ClaimedWorker[]> {
    return (await Promise.all([...this.entries.keys()].map((id) => this.get(id)))).filter((one) => !!one);
  }

  async lookUp(ids: string[]) {
    return ids.map((id) => ({
      known: this.known.has(id),
      serving: this.serving.get(id),
      beats: this.begun.has(id),
    }));
  }

  async announce({ worker_id }: Claim): Promise<void> {
    const entry = this.entries.get(worker_id);
    if (!entry || entry.told) return;
    this.entries.set(worker_id, { ...entry, told: true });
    this.told.push(worker_id);
  }

  async restore(claim: Claim): Promise<void> {
    if (!this.entries.has(claim.worker_id)) this.entries.set(claim.worker_id, claim);
  }

  async drop(id: string): Promise<void> {
    this.entries.delete(id);
  }
}
