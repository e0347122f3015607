/**
 * Workspaces as named volumes. The files of a worker are in one volume of the driver `local`.
 *
 * A worker whose writable folders must not be executable gets them through a second volume. Docker has no `noexec` for
 * volumes, and a bind mount ignores the option, but the mount of an overlay file system does not: so the second volume is an
 * overlay whose upper layer is the first volume, and whose work folder is a third one, because it must be beside the upper
 * layer on the same file system (docs/decisions/0054). The engine mounts it, so neither the body nor the manager needs a
 * privilege.
 *
 * Invariants: a volume without our labels is neither used nor removed; volumes are named by the worker's ID only; the paths
 * in the options are those that the engine has reported for our own volumes.
 */
import type Docker from 'dockerode';
import type { VolumeInspectInfo } from 'dockerode';
import { Fault, LABEL, parseMemory, type WorkerSpec, type Workspace, workerId } from '../../model/index.ts';
import { BodyRefused, RuntimeDown } from '../runtime.ts';
import { type DockerClient, EngineRefusal } from './client.ts';
import { bodyName, cellFilter, cellLabels } from './names.ts';

/** What is added to the name of the volume with the files, for the other two. */
const NO_PROGRAMS = '-noexec';
const WORK = '-work';

type Volume = VolumeInspectInfo & { CreatedAt?: string };

export interface WorkspaceOrder {
  id: string;
  store?: string | undefined;
  size?: NonNullable<WorkerSpec['workspace']>['size'];
  /** Its files must not be executable. */
  locked: boolean;
}

export class DockerWorkspaces {
  readonly #client: DockerClient;
  readonly #cell: string;
  /** Whether the engine's storage can limit a volume; known after it has rejected such a limit. */
  #quotas = true;

  constructor(client: DockerClient, cell: string) {
    this.#client = client;
    this.#cell = cell;
  }

  /** Creates the missing volumes of a workspace; returns the name of the one to mount. */
  async ensure(order: WorkspaceOrder): Promise<string> {
    const name = this.#name(order.id);
    const files = await this.#ensureFiles(name, order);
    if (!order.locked) return name;
    const work = await this.#ensureOne(name + WORK, order, {});
    const overlay = name + NO_PROGRAMS;
    const found = await this.#inspect(overlay, order.id);
    if (found) return overlay;
    // The lower layer is the folder that the overlay is mounted on, which is empty.
    const lower = files.Mountpoint.replace(`/${name}/`, `/${overlay}/`);
    const layers = `lowerdir=${lower},upperdir=${files.Mountpoint},workdir=${work.Mountpoint}`;
    const options = { type: 'overlay', device: 'overlay', o: `${layers},noexec,nosuid,nodev` };
    await this.#create(overlay, order, options);
    return overlay;
  }

  async list(): Promise<Workspace[]> {
    const found = new Map<string, Workspace>();
    for (const { Labels, CreatedAt } of await this.#list()) {
      const id = Labels?.[LABEL.workspace];
      if (id === undefined || !workerId.safeParse(id).success) continue;
      // The engine's own time is that of the folder's last change.
      const created = Number(Labels[LABEL.createdAt]) || Date.parse(CreatedAt ?? '') || 0;
      const store = Labels[LABEL.store];
      const before = found.get(id)?.created_at ?? created;
      found.set(id, { id, created_at: Math.min(before, created), ...(store ? { store } : {}) });
    }
    return [...found.values()];
  }

  /** The overlay goes first: without it nothing else has a path to the files. */
  async remove(id: string): Promise<void> {
    const name = this.#name(id);
    for (const one of [name + NO_PROGRAMS, name + WORK, name])
      if (await this.#inspect(one, id)) await this.#remove(one);
  }

  /** Removes all workspaces of the cell. */
  async dismantle(): Promise<void> {
    for (const { id } of await this.list()) await this.remove(id);
  }

  #name(id: string): string {
    return `${bodyName(this.#cell, id)}-workspace`;
  }

  async #ensureFiles(name: string, order: WorkspaceOrder): Promise<VolumeInspectInfo> {
    const size = order.size === undefined ? undefined : parseMemory(order.size);
    if (size === undefined || !this.#quotas) return this.#ensureOne(name, order, {});
    try {
      return await this.#ensureOne(name, order, { size: String(size) });
    } catch (error) {
      if (!(error instanceof EngineRefusal && /quota|size/i.test(error.message))) throw error;
      this.#quotas = false;
      return this.#ensureOne(name, order, {});
    }
  }

  async #ensureOne(
    name: string,
    order: WorkspaceOrder,
    options: Record<string, string>,
  ): Promise<VolumeInspectInfo> {
    return (await this.#inspect(name, order.id)) ?? this.#create(name, order, options);
  }

  async #create(
    name: string,
    { id, store }: WorkspaceOrder,
    options: Record<string, string>,
  ): Promise<VolumeInspectInfo> {
    const Labels = {
      ...cellLabels(this.#cell),
      [LABEL.workerId]: id,
      [LABEL.workspace]: id,
      [LABEL.createdAt]: String(Date.now()),
      ...(store === undefined ? {} : { [LABEL.store]: store }),
    };
    await this.#client.call('volume', (docker, abortSignal) =>
      docker.createVolume({
        _query: {},
        _body: { Name: name, Driver: 'local', DriverOpts: options, Labels },
        abortSignal,
      } as unknown as Docker.VolumeCreateOptions),
    );
    // Another manager may have created it, or another program: the engine then returns that one.
    const made = await this.#inspect(name, id);
    if (!made) throw new RuntimeDown(`Volume ${name} was removed right after it was created.`);
    return made;
  }

  /** The volume, if there is one; throws if it is not the one of this workspace. */
  async #inspect(name: string, id: string): Promise<VolumeInspectInfo | undefined> {
    let found: VolumeInspectInfo;
    try {
      found = await this.#client.call(
        'volume',
        (docker, abortSignal) =>
          docker.getVolume(name).inspect({ abortSignal } as never) as unknown as Promise<VolumeInspectInfo>,
      );
    } catch (error) {
      if (error instanceof EngineRefusal && error.status === 404) return undefined;
      throw error;
    }
    const wanted = { ...cellLabels(this.#cell), [LABEL.workspace]: id };
    if (Object.entries(wanted).every(([label, value]) => found.Labels?.[label] === value)) return found;
    throw new BodyRefused(
      'WorkspaceTaken',
      `Docker has a volume ${name} that worker-manager did not create. Remove it with \`docker volume rm\`.`,
    );
  }

  async #remove(name: string): Promise<void> {
    try {
      await this.#client.call(
        'volume',
        (docker, abortSignal) =>
          docker.getVolume(name).remove({ abortSignal } as never) as unknown as Promise<void>,
      );
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      if (error.status === 404) return;
      if (error.status !== 409) throw error;
      throw new Fault('conflict', `The workspace ${name} is in use: ${error.message}`, { cause: error });
    }
  }

  #list(): Promise<Volume[]> {
    return this.#client.call('volume', async (docker, abortSignal) => {
      const filters = { label: [...cellFilter(this.#cell).label, LABEL.workspace] };
      const { Volumes } = await (docker.listVolumes({ filters, abortSignal } as never) as unknown as Promise<{
        Volumes: Volume[] | null;
      }>);
      // An engine without volumes reports none as null.
      if (Volumes !== null && !Array.isArray(Volumes))
        throw new RuntimeDown("Docker's response to the list of volumes is invalid.");
      return Volumes ?? [];
    });
  }
}
