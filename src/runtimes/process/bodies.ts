import pLimit from 'p-limit';
import type { Body } from '../../model/index.ts';
import { BodyDirectory } from './body-directory.ts';
import { type BodyRecord, parseBodyId } from './body-record.ts';
import { CellDirectory, DRAFT_LIFE_MS } from './cell-directory.ts';
import { type CgroupSupport, cgroupsOfProcess, deriveCgroups } from './cgroup-support.ts';
import { pidsIn } from './cgroups.ts';
import type { FoundBody } from './found-body.ts';
import { LostBodies } from './lost.ts';
import { liveShim, type Trace } from './members.ts';
import { observeBody } from './observe.ts';
import { WorkDirectories } from './work-directory.ts';
import type { Workspaces } from './workspaces.ts';

/** Maximum number of bodies that are observed concurrently; each briefly needs a few open files. */
const OBSERVED_AT_ONCE = 16;

/** The bodies of one cell: their paths, how each is found, and its observed state. */
export class Bodies {
  readonly cell: CellDirectory;
  readonly work: WorkDirectories;
  readonly lost: LostBodies;
  readonly #cgroups: () => Promise<CgroupSupport>;
  /** Ended bodies whose secrets are deleted. */
  readonly #cleaned = new Set<string>();

  constructor(root: string, cell: string, cgroups: () => Promise<CgroupSupport>) {
    this.cell = new CellDirectory(root, cell, (found) => this.lost.missed(found));
    this.work = new WorkDirectories(this.cell.path);
    this.lost = new LostBodies({ cell, cellPath: this.cell.path, support: cgroups });
    this.#cgroups = cgroups;
  }

  /** All of them; throws if the state of any is unknown. */
  async list(): Promise<Body[]> {
    // In this order, so that a body created in between does not count as lost.
    const withCgroups = await this.lost.candidates();
    const names = await this.cell.workers();
    const inPlace = new Set<string>();
    const limit = pLimit(OBSERVED_AT_ONCE);
    const looks = names.map((name) =>
      limit(async () => {
        const found = await this.cell.read(name);
        if (!found) return undefined;
        inPlace.add(name);
        return this.#observeFound(found, false);
      }),
    );
    const bodies = await Promise.all(looks);
    for (const found of await this.lost.all(withCgroups, inPlace))
      bodies.push(await this.#observeFound(found, false));
    return bodies.filter((body) => body !== undefined);
  }

  /** Finds by the directory's name, or else by the known ID and the kernel's information. */
  async ofWorker(worker: string, knownId: string | undefined): Promise<Body[]> {
    const found = await this.cell.body(worker);
    const all = found ? [found] : await this.lost.ofWorker(worker, knownId);
    const bodies = await Promise.all(all.map((one) => this.#observeFound(one, true)));
    return bodies.filter((body) => body !== undefined);
  }

  /** This exact body, even if only its processes are left. */
  async byId(bodyId: string): Promise<FoundBody | undefined> {
    const found = await this.cell.bodyById(bodyId);
    if (found) return found;
    const lost = await this.lost.ofWorker(parseBodyId(bodyId) ?? '', bodyId);
    return lost.find(({ made }) => made.id === bodyId);
  }

  async observe(found: FoundBody, withTail: boolean): Promise<Body | undefined> {
    return observeBody(found, deriveCgroups(await this.#cgroups(), found.made.id), withTail);
  }

  /** The body; `undefined` if nothing is left, or if it is just being removed. */
  async #observeFound(found: FoundBody, withTail: boolean): Promise<Body | undefined> {
    const body = await this.observe(found, withTail);
    if (body === undefined || body.state === 'running' || found.lost) return body;
    // Removed during the observation, which is why its files were missing.
    if (found.dir.identity() !== found.identity) return undefined;
    if (body.state === 'exited') await this.#clean(found.made);
    return body;
  }

  /** The shim deletes the secrets of an ending body; this is for one that was killed with its shim. */
  async #clean(made: BodyRecord): Promise<void> {
    if (!made.spec.includes('"secrets"') || this.#cleaned.has(made.id)) return;
    await this.work.removeSecrets(made);
    this.#cleaned.add(made.id);
  }

  get workspaces(): Workspaces {
    return this.work.workspaces;
  }

  /** Whether a worker has a body, with or without its directory, that uses this workspace. */
  async uses(worker: string, workspace: string): Promise<boolean> {
    const found = await this.cell.body(worker);
    const all = found ? [found] : await this.lost.ofWorker(worker, undefined);
    // A record that is lost may have named any.
    return all.some(({ made, lost }) => lost !== undefined || made.workspace === workspace);
  }

  /** The inputs for finding all processes of a body. */
  async trace({ dir, made }: FoundBody): Promise<Trace> {
    const cgroups = deriveCgroups(await this.#cgroups(), made.id);
    const trace = { bodyId: made.id, shim: dir.pid(), cgroups };
    const shim = await liveShim(trace);
    // Created by a manager that ran in another cgroup.
    if (shim && !pidsIn(cgroups.slice(0, 1)).includes(shim.pid)) {
      const others = await cgroupsOfProcess(shim.pid, made.cell, made.id);
      if (others.length > 0) return { ...trace, cgroups: others };
    }
    return trace;
  }

  /**
   * Deletes the folders of workers whose bodies are gone, except for those that may be under construction.
   */
  async sweepWork(): Promise<void> {
    for (const { id, since } of await this.work.list()) {
      if (Date.now() - since < DRAFT_LIFE_MS) continue;
      const dir = new BodyDirectory(this.cell.path, parseBodyId(id) ?? '');
      const place = dir.identity();
      if (place !== undefined && [undefined, id].includes(await dir.idOf(parseBodyId(id) ?? ''))) continue;
      // A failed deletion does no harm and is retried later.
      if (!(await this.byId(id))) await this.work.remove(id).catch(() => undefined);
    }
  }
}
