/** Creates the container of a body, and reports the cause if the engine rejects it. */
import type { ContainerCreateOptions } from 'dockerode';
import { type Body, persists } from '../../model/index.ts';
import { BodyConflict, type BodyOrder, BodyRefused, type DefaultLimits, RuntimeDown } from '../runtime.ts';
import { bodyFromInspect } from './body.ts';
import { EngineRefusal } from './client.ts';
import { DOOR_PORT } from './connect.ts';
import { DEFAULT_LIMITS, toContainer } from './container.ts';
import type { Containers } from './containers.ts';
import { SECRETS_PIPE } from './deliver.ts';
import { findDropped } from './dropped-settings.ts';
import type { KnownImages } from './image.ts';
import { bodyName } from './names.ts';
import type { CellNetwork } from './network.ts';
import { isLocked } from './profile.ts';
import type { DockerWorkspaces, WorkspaceOrder } from './workspaces.ts';

const noWrapper = (image: string) =>
  new BodyRefused(
    'NoWrapper',
    `The image ${image} does not start the wrapper, so prompts could not be sent and output could not be received. ` +
      'Build it FROM an image of `wm images ls`, and do not change its entrypoint.',
  );

/** The files of a foreign image's bodies are never locked: such an image has no commands to allow. */
const toWorkspaceOrder = (
  { workspace, worker_id, store, spec }: BodyOrder,
  ours: boolean,
): WorkspaceOrder => ({
  id: workspace ?? worker_id,
  store,
  size: spec.workspace?.size,
  locked: ours && isLocked(spec),
});

const cannotMount = (refusal: EngineRefusal) =>
  new BodyRefused(
    'WorkspaceRefused',
    `Docker cannot mount a workspace without execution on its storage: ${refusal.message}. ` +
      'Set workspace.persist to "body", so that the files end with each body, or store the data of Docker on ext4 or xfs.',
    { cause: refusal },
  );

/** The runtime's dependencies for creating a container. */
interface CreatorOptions {
  cell: string;
  /** The image of bodies whose order has none. */
  image: string;
  handlersDir?: string | undefined;
  linkLocal?: boolean | undefined;
  defaults?: DefaultLimits | undefined;
  containers: Containers;
  images: KnownImages;
  network: CellNetwork;
  workspaces: DockerWorkspaces;
}

/** Returns the function that creates the container of a body. */
export function createContainerCreator(options: CreatorOptions): (order: BodyOrder) => Promise<Body> {
  const { cell, image, handlersDir, linkLocal, defaults, containers, images, network, workspaces } = options;

  /**
   * Whether the engine's storage can limit a container's disk usage; known after it has rejected such a
   * limit.
   */
  let quotas = true;

  /** Creates the container, without the default disk limit if the engine cannot enforce one. */
  async function make(name: string, wanted: ContainerCreateOptions): Promise<string> {
    try {
      return await containers.create(name, wanted);
    } catch (error) {
      const quota = error instanceof EngineRefusal && /storage.?opt|quota/i.test(error.message);
      if (!quota || !wanted.HostConfig?.StorageOpt) throw error;
      quotas = false;
      delete wanted.HostConfig.StorageOpt;
      return containers.create(name, wanted);
    }
  }

  async function create(order: BodyOrder): Promise<Body> {
    const { ours, wrapped, workspace: path } = await images.get(order.image ?? image);
    if (!wrapped && !order.argv) throw noWrapper(order.image ?? image);
    await network.ensure(order.store);
    const name = bodyName(cell, order.worker_id);
    const volume = persists(order.spec) ? await workspaces.ensure(toWorkspaceOrder(order, ours)) : undefined;
    const env = { ...order.env, SECRETS_PIPE, WORKER_DOOR: String(DOOR_PORT) };
    const wanted = toContainer(
      { ...order, env },
      {
        cell,
        image,
        network: network.name,
        workspace: volume === undefined ? undefined : { volume, path },
        handlersDir,
        linkLocal,
        ours,
        defaults: { ...(defaults ?? DEFAULT_LIMITS), ...(quotas ? {} : { disk_bytes: undefined }) },
      },
    );
    let id: string;
    try {
      id = await make(name, wanted);
    } catch (error) {
      throw error instanceof EngineRefusal ? await createError(error, name, order) : error;
    }
    const info = await containers.inspect(id);
    const body = info && bodyFromInspect(info, cell);
    if (!body) throw new RuntimeDown(`Container ${name} was removed right after it was created.`);
    const dropped = findDropped(wanted.HostConfig ?? {}, info.HostConfig);
    if (dropped.length === 0) return body;
    await containers.remove(id);
    throw new BodyRefused(
      'NotEnforced',
      `Docker does not enforce restrictions of the body: ${dropped.join(', ')}.`,
    );
  }

  async function createError(refusal: EngineRefusal, name: string, order: BodyOrder): Promise<Error> {
    const { status, message } = refusal;
    if (status === 409) return conflict(name, order.worker_id);
    if (status === 404 && /no such image/i.test(message)) {
      const text = `Docker has no image ${order.image ?? image}, and images of bodies are never pulled; build it first.`;
      return new BodyRefused('ImageMissing', text, { cause: refusal });
    }
    if (/failed to mount local volume/i.test(message)) return cannotMount(refusal);
    if (/network/i.test(message)) network.forget();
    // 400 is about the order and is permanent; any other error (a full disk) may be temporary.
    return status === 400 ? new BodyRefused('CreateRefused', message, { cause: refusal }) : refusal;
  }

  async function conflict(name: string, workerId: string): Promise<BodyConflict> {
    const existing = await containers.inspect(name);
    if (!existing)
      return new BodyConflict(`The name ${name} was taken by a container that has been removed since.`, true);
    const ours = bodyFromInspect(existing, cell)?.worker_id === workerId;
    const whose = ours ? '' : `, which worker-manager did not create. Remove it: docker rm ${name}`;
    return new BodyConflict(
      `The name ${name} is taken by container ${existing.Id.slice(0, 12)}${whose}.`,
      ours,
    );
  }

  return create;
}
