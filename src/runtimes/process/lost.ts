import { readdirSync } from 'node:fs';

import { uptime } from 'node:os';
import { BodyDirectory } from './body-directory.ts';
import { lostRecord, parseBodyId } from './body-record.ts';
import { type CgroupSupport, deriveCgroups } from './cgroup-support.ts';
import { pidsIn } from './cgroups.ts';
import type { FoundBody } from './found-body.ts';
import { readTable, selectBodyProcesses, type Table } from './members.ts';
import { type Process, readProcess, readVariable, TICKS_PER_SECOND } from './process-table.ts';
import { errnoCode, nothing } from './safe-file.ts';

/** Maximum number of IDs that are remembered as dead. */
const REMEMBERED = 10_000;

interface Place {
  cell: string;
  cellPath: string;
  support: () => Promise<CgroupSupport>;
}

/**
 * Bodies whose directory is missing: a worker or a person has moved or deleted it. Before such a body is
 * reported as absent, its processes are searched for by cgroup and by mark, so that a worker never gets a
 * second body while the first is alive. A mark counts only with a workspace in this cell's folder, because
 * another home may have a cell with the same name.
 */
export class LostBodies {
  readonly #place: Place;
  /** Bodies that were seen here and whose directory has disappeared. */
  readonly #missing = new Map<string, FoundBody>();
  /** Bodies with neither a live process nor a directory, or of another home; their IDs are never reused. */
  readonly #settled = new Set<string>();
  #searched = false;

  constructor(place: Place) {
    this.#place = place;
  }

  /** Records that a body which was seen here is gone. */
  missed(found: FoundBody): void {
    if (!this.#settled.has(found.made.id)) this.#missing.set(found.made.id, found);
  }

  /** Records that its processes have ended and its directory is deleted. */
  removed(bodyId: string): void {
    this.#missing.delete(bodyId);
    if (this.#settled.size >= REMEMBERED) this.#settled.clear();
    this.#settled.add(bodyId);
  }

  /**
   * Lists bodies with a cgroup. Call it before reading the directories, so that a new body does not count as
   * lost.
   */
  async candidates(): Promise<string[]> {
    const [base] = Object.values((await this.#place.support()).bases);
    return base === undefined ? [] : namesIn(base).filter((name) => parseBodyId(name) !== undefined);
  }

  /** Searches for one worker without a directory; `knownId` is the body ID that was seen last. */
  async ofWorker(worker: string, knownId: string | undefined): Promise<FoundBody[]> {
    const ids = new Set((await this.candidates()).filter((id) => parseBodyId(id) === worker));
    const marked = new Set([...this.#missing.keys()].filter((id) => parseBodyId(id) === worker));
    if (knownId !== undefined && parseBodyId(knownId) === worker) marked.add(knownId);
    return this.#living(ids, marked);
  }

  /** Searches for all workers without a directory. The first call examines every process of the machine. */
  async all(candidates: string[], inPlace: Set<string>): Promise<FoundBody[]> {
    const marked = new Set(this.#missing.keys());
    if (!this.#searched) for (const id of (await readTable()).bodies) if (id) marked.add(id);
    this.#searched = true;
    const free = (id: string) => {
      const worker = parseBodyId(id);
      return worker !== undefined && !inPlace.has(worker);
    };
    return this.#living(new Set(candidates.filter(free)), new Set([...marked].filter(free)));
  }

  async #living(ids: Set<string>, marked: Set<string>): Promise<FoundBody[]> {
    const found: FoundBody[] = [];
    let table: Promise<Table> | undefined;
    for (const id of new Set([...ids, ...marked])) {
      if (this.#settled.has(id)) continue;
      let pids = pidsIn(deriveCgroups(await this.#place.support(), id));
      if (marked.has(id) && pids.length === 0) {
        // Read it now: an older table would lack a body that has just started.
        table ??= readTable();
        pids = await this.#pidsOf(id, await table);
      }
      const body = await this.#proven(id, pids);
      if (body) {
        found.push(body);
        this.#missing.set(id, body);
      } else if (marked.has(id)) this.removed(id);
    }
    return found;
  }

  async #pidsOf(bodyId: string, table: Table): Promise<number[]> {
    const shim = this.#missing.get(bodyId)?.dir.pid();
    const members = await selectBodyProcesses(table, { bodyId, shim, cgroups: [] });
    return members.map(({ pid }) => pid);
  }

  /** Identifies a body by its processes; `undefined` if none proves that it belongs to this cell. */
  async #proven(id: string, pids: number[]): Promise<FoundBody | undefined> {
    const missing = this.#missing.get(id);
    const { cell, cellPath } = this.#place;
    for (const pid of pids) {
      if (missing) return { ...missing, lost: 'directory' };
      const workspace = await readVariable(pid, 'WORKSPACE_PATH');
      if (workspace?.startsWith(`${cellPath}/`) !== true) continue;
      const incarnation = Number(await readVariable(pid, 'WORKER_INCARNATION')) || 0;
      const made = lostRecord(id, cell, incarnation, startedAt(await readProcess(pid)));
      return { dir: new BodyDirectory(cellPath, made.worker_id), made, lost: 'directory' };
    }
    return undefined;
  }
}

/** In milliseconds since 1970; now, if the process is gone. */
function startedAt(process: Process | undefined): number {
  const seconds = process ? uptime() - Number(process.start) / TICKS_PER_SECOND : 0;
  return Math.round(Date.now() - (Number.isFinite(seconds) ? seconds * 1000 : 0));
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (errnoCode(error) !== 'ENODEV') nothing(error);
    return [];
  }
}
