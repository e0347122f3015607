/**
 * Searches the store for lost keys at each resync: indexes are rewritten from the records, records from the
 * bodies' labels, and workers with nothing left are deleted and reported. For an intact store this costs a
 * few reads. It decides nothing about a worker that has its record.
 */
import type { Body } from '../model/index.ts';
import type { LastSeen } from '../reconcile/last-seen.ts';
import type { Findings, IndexState, Store } from '../store/index.ts';
import { restore } from './recover.ts';

/** Number of workers that a finding names. */
const NAMED = 10;

export interface RepairOptions {
  store: Pick<Store, 'repair' | 'restore'>;
  findings: Pick<Findings, 'note' | 'clear'>;
  lastSeen: Pick<LastSeen, 'phase'>;
  epoch: number;
  now: () => number;
  log: Parameters<typeof restore>[1]['log'];
  /** This worker must be reconciled. */
  changed: (id: string) => void;
}

export class Repair {
  readonly #options: RepairOptions;
  /** Workers without record and body at the previous check; a worker is deleted only if it is found twice. */
  #suspects: ReadonlySet<string> = new Set();
  /**
   * The write counter at the last search, so that a search that could not repair something is not repeated without
   * need.
   */
  #searched = '';

  constructor(options: RepairOptions) {
    this.#options = options;
  }

  /** Whether the indexes disagree with each other or with an earlier read. `before` is the index at the last read. */
  async indexes(
    pulse: IndexState,
    before: Record<string, string> | undefined,
    unchanged: boolean,
  ): Promise<boolean> {
    const { listed, indexed, names, pools } = pulse;
    const known = before && Object.keys(before).length;
    // At first an empty list cannot be distinguished from a lost one.
    const empty = before === undefined && (indexed === 0 || !pools);
    const shrunk = unchanged && known !== undefined && known !== indexed;
    const suspicious = listed !== indexed || !names || empty || shrunk;
    const state = JSON.stringify(pulse);
    if (!suspicious || state === this.#searched) return false;
    this.#searched = state;
    return this.#reindex();
  }

  /** Workers that the index no longer has, although they have a record. */
  async vanished(before: Record<string, string>, index: Record<string, string>): Promise<boolean> {
    const { store, lastSeen } = this.#options;
    const gone = Object.keys(before).filter(
      (id) => index[id] === undefined && lastSeen.phase(id) !== undefined,
    );
    if (!(await store.repair.recorded(gone))) return false;
    return this.#reindex();
  }

  async #reindex(): Promise<boolean> {
    const { store, epoch, findings } = this.#options;
    const missing = await store.repair.reindex(epoch);
    if (missing === 0) return false;
    findings.note(
      'indexes',
      `Keys that index workers or pools were lost; ${missing} entries were restored from the records. ` +
        'Find out who deletes keys of this Redis: eviction (maxmemory-policy), or a user.',
    );
    return true;
  }

  /** Records and statuses that the index has but that do not exist. `complete`: every runtime has listed its bodies. */
  async records(index: Record<string, string>, bodies: Body[], complete: boolean): Promise<void> {
    const { store, changed, findings } = this.#options;
    const { records, statuses } = await store.repair.lacking(index);
    for (const id of statuses) changed(id);
    if (statuses.length > 0)
      findings.note(
        'statuses',
        `The status of ${named(statuses)} was lost, and is restored from history and body.`,
      );
    const suspects = new Set<string>();
    const [restored, lost]: [string[], string[]] = [[], []];
    for (const id of records) {
      const body = bodies.find(({ worker_id }) => worker_id === id);
      if (body) {
        if (await restore(body, this.#options)) restored.push(id);
        else if (!body.spec) lost.push(id);
      } else if (!complete || !this.#suspects.has(id)) suspects.add(id);
      else if (await store.repair.forget(this.#options.epoch, id, this.#options.now())) lost.push(id);
    }
    this.#suspects = suspects;
    for (const id of [...restored, ...lost]) changed(id);
    if (restored.length > 0)
      findings.note('records', `The record of ${named(restored)} was lost, and is restored from its body.`);
    if (lost.length > 0)
      findings.note(
        `worker ${lost[0]}`,
        `The record of ${named(lost)} was lost, with no body to restore it from. Create what is needed again.`,
      );
  }
}

function named(ids: string[]): string {
  const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : '';
  return `${ids.length === 1 ? 'worker' : 'workers'} ${ids.slice(0, NAMED).join(', ')}${more}`;
}
