/**
 * Bodies as Docker containers, through dockerode. Owns the containers and the network of one cell, which it
 * identifies by their labels only.
 *
 * Invariants:
 * - A spec is never in a URL: dockerode puts all options into the query unless `_query` and `_body` are
 *   given.
 * - Every call has a deadline (client.ts); nothing uses `wait` or `attach`, which may never return and may
 *   block the container.
 * - Events only trigger a check (events.ts). The actual state comes from a list or an inspect.
 * - Only validated names and IDs become part of a path (names.ts).
 *
 * Must not import the store, the queue or the loop; nothing outside this folder and the images imports dockerode.
 */
import { hostname, totalmem } from 'node:os';
import pLimit from 'p-limit';
import { type Body, Fault } from '../../model/index.ts';
import { BodyRefused, type DefaultLimits, type Runtime } from '../runtime.ts';
import { bodyFromInspect, bodyFromList } from './body.ts';
import { DockerClient, type EngineCall, EngineRefusal, type ObserveCall } from './client.ts';
import { type ConnectBy, createContainerConnector, hasOwnUsers } from './connect.ts';
import { toHostLimits } from './container.ts';
import { Containers } from './containers.ts';
import { createContainerCreator } from './create-container.ts';
import { deliverToContainer } from './deliver.ts';
import { followEvents } from './events.ts';
import { KnownImages } from './image.ts';
import { readInfo, toInfo } from './info.ts';
import { bodyName, cellFilter, checkCell, checkId } from './names.ts';
import { CellNetwork, gatewayAddress } from './network.ts';
import { initError } from './tail.ts';
import { toUsage } from './usage.ts';
import { DockerWorkspaces } from './workspaces.ts';

export interface DockerRuntimeOptions {
  /** The manager's cell; its bodies and network have it as a label. */
  cell: string;
  /** `unix:///path`, `/path` or `tcp://host:port`; default `/var/run/docker.sock`. */
  host?: string | undefined;
  /** The image of bodies. It is never pulled. */
  image: string;
  /** Folder of the operator's handler files, on the engine's machine. */
  handlersDir?: string | undefined;
  /** Whether bodies can reach link-local addresses; defaults to false. */
  linkLocal?: boolean | undefined;
  /** Limits of bodies whose spec has none. */
  defaults?: DefaultLimits | undefined;
  /** Called for every call to the engine: its name, `ok`, `refused`, `timeout` or `down`, and seconds. */
  observe?: ObserveCall | undefined;
  /**
   * Maximum concurrent creates and starts. Defaults to 4, at which the engine is CPU-bound and more only adds
   * latency.
   */
  concurrency?: number | undefined;
  /** Milliseconds; overrides DEADLINES. */
  deadlines?: Partial<Record<EngineCall, number>> | undefined;
  /** Milliseconds after which a silent event stream is replaced; defaults to one minute. */
  silenceMs?: number | undefined;
  /** How to reach the doors of bodies; by default by address where this machine can, otherwise by exec. */
  connectBy?: ConnectBy | undefined;
}

/** The wrapper's user in our images, whose containers start as root. */
const WRAPPER_USER = '10001:10001';

export interface DockerRuntime extends Runtime {
  /** The address at which bodies reach the engine's machine, if it has one. */
  gatewayAddress(): Promise<string | undefined>;
}

/** Creates the runtime, which connects at first use. Throws a TypeError if `host` or `cell` is invalid. */
export function createDockerRuntime(options: DockerRuntimeOptions): DockerRuntime {
  const { host, deadlines, observe, silenceMs } = options;
  const cell = checkCell(options.cell);
  const calls = new DockerClient({ host, deadlines, observe });
  // Streams have their own connections, so that closing them never affects a call.
  const streams = new DockerClient({ host, deadlines, observe });
  const containers = new Containers(calls);
  const images = new KnownImages(calls);
  const network = new CellNetwork(calls, cell);
  const workspaces = new DockerWorkspaces(calls, cell);
  const create = createContainerCreator({ ...options, cell, containers, images, network, workspaces });
  const connect = createContainerConnector({ cell, streams, containers, network, by: options.connectBy });
  const limit = pLimit(options.concurrency ?? 4);
  const watches = new Set<{ close(): Promise<void> }>();

  /** The engine would restart an ended container, but a body runs only once, so it is inspected first. */
  async function start(id: string): Promise<void> {
    const body = await present(id);
    if (body?.state === 'exited' && !body.error) return;
    if (body?.state === 'exited') throw startFailed(body.error);
    try {
      await containers.start(id);
    } catch (error) {
      throw error instanceof EngineRefusal ? await startError(id, error) : error;
    }
  }

  /** The body with that ID; `undefined` if the container is not ours. */
  async function present(id: string): Promise<Body | undefined> {
    const info = await containers.inspect(id);
    if (!info)
      throw new Fault('not_found', `Body ${id.slice(0, 12)} can't be started: it does not exist any more.`);
    return bodyFromInspect(info, cell);
  }

  /** Why it does not run. The engine's own record of the attempt shows whether it never will. */
  async function startError(id: string, refusal: EngineRefusal): Promise<Error> {
    if (/network/i.test(refusal.message)) network.forget();
    const body = await present(id);
    if (body?.state === 'exited' && body.error) return startFailed(body.error, refusal);
    // 400 is about the body and is permanent; any other error may be temporary.
    return refusal.status === 400 ? startFailed(refusal.message, refusal) : refusal;
  }

  async function find(workerId: string, knownId: string | undefined): Promise<Body[]> {
    const refs = [bodyName(cell, workerId), ...(knownId === undefined ? [] : [checkId(knownId)])];
    const bodies = new Map<string, Body>();
    for (const info of await Promise.all(refs.map((ref) => containers.inspect(ref)))) {
      const body = info && bodyFromInspect(info, cell);
      if (body?.worker_id === workerId) bodies.set(body.id, body);
    }
    const withTail = async (body: Body): Promise<Body> => {
      if (body.state !== 'exited') return body;
      const tail = await containers.tail(body.id);
      return { ...body, tail, error: body.error ?? initError(body.exit_code, tail ?? '') };
    };
    return Promise.all([...bodies.values()].map(withTail));
  }

  return {
    name: 'docker',
    probe: async () => toInfo(await readInfo(calls), { hostname: hostname(), memory_bytes: totalmem() }),
    list: async () =>
      (await containers.list(cellFilter(cell))).flatMap((info) => bodyFromList(info, cell) ?? []),
    find,
    create: (order) => limit(create, order),
    start: async (bodyId) => limit(start, checkId(bodyId)),
    deliver: async (bodyId, content) => {
      const id = checkId(bodyId);
      const info = await containers.inspect(id);
      if (!info || !bodyFromInspect(info, cell))
        throw new Fault(
          'not_found',
          `Secrets can't be passed to body ${id.slice(0, 12)}: it does not exist any more.`,
        );
      // In our images, the container starts as root, and the wrapper has another user.
      const user = hasOwnUsers(info) ? WRAPPER_USER : info.Config.User;
      await deliverToContainer(streams, { id, user }, content);
    },
    connect: async (bodyId) => connect(checkId(bodyId)),
    terminate: async (bodyId) => containers.signal(checkId(bodyId), 'SIGTERM'),
    kill: async (bodyId) => containers.signal(checkId(bodyId), 'SIGKILL'),
    remove: async (bodyId) => containers.remove(checkId(bodyId)),
    limit: async (bodyId, spec) => containers.update(checkId(bodyId), toHostLimits(spec)),
    listWorkspaces: () => workspaces.list(),
    removeWorkspace: (id) => workspaces.remove(id),
    usage: async (bodyId) => toUsage(await containers.stats(checkId(bodyId))),
    watch(onEvent) {
      const watch = followEvents(streams, { cell, silenceMs }, onEvent);
      watches.add(watch);
      const close = () => {
        watches.delete(watch);
        return watch.close();
      };
      return { close };
    },
    async close() {
      await Promise.all([...watches].map((watch) => watch.close()));
      watches.clear();
      calls.close();
      streams.close();
    },
    async dismantle() {
      // The network first: it cannot be removed while a body is in it, and then no file of a worker is lost.
      await network.remove();
      await workspaces.dismantle();
    },
    gatewayAddress: () => gatewayAddress(calls),
  };
}

const startFailed = (why: string | undefined, cause?: unknown) =>
  new BodyRefused('StartFailed', `Docker could not start the body: ${why}`, { cause });
