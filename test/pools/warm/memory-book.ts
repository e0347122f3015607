import type { Serving, Taken, Takeover } from '../../../src/model/index.ts';
import type { Book } from '../../../src/runtimes/taken-body.ts';

/** The records of claims, in memory; the sets hold what the store received. */
export class MemoryBook implements Book {
  readonly entries = new Map<string, Takeover>();
  /** Workers that a wrapper has reported for. */
  readonly begun = new Set<string>();
  /** Workers that have a record. */
  readonly known = new Set<string>();
  /** Whom bodies say they serve, by the worker that they were made for. */
  readonly serving = new Map<string, Serving>();
  /** Workers announced to wrappers, in order. */
  readonly told: string[] = [];

  async of(id: string): Promise<Taken | undefined> {
    const entry = this.entries.get(id);
    return entry && { ...entry, begun: this.begun.has(id), known: this.known.has(id) };
  }

  async all(): Promise<Taken[]> {
    return (await Promise.all([...this.entries.keys()].map((id) => this.of(id)))).filter((one) => !!one);
  }

  async whom(ids: string[]) {
    return ids.map((id) => ({
      known: this.known.has(id),
      serving: this.serving.get(id),
      beats: this.begun.has(id),
    }));
  }

  async tell({ worker_id }: Takeover): Promise<void> {
    const entry = this.entries.get(worker_id);
    if (!entry || entry.told) return;
    this.entries.set(worker_id, { ...entry, told: true });
    this.told.push(worker_id);
  }

  async restore(takeover: Takeover): Promise<void> {
    if (!this.entries.has(takeover.worker_id)) this.entries.set(takeover.worker_id, takeover);
  }

  async drop(id: string): Promise<void> {
    this.entries.delete(id);
  }
}
