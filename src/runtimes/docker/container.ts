import { isAbsolute } from 'node:path';
import type { ContainerCreateOptions, HostConfig, MountSettings } from 'dockerode';
import { farewellMs, LABEL, parseMemory, persists, RUNTIMES, type WorkerSpec } from '../../model/index.ts';
import type { BodyOrder, DefaultLimits } from '../runtime.ts';
import { cellLabels } from './names.ts';
import { foreignProfile, ownProfile } from './profile.ts';

/** Defaults that leave room for agents' threads and stop fork bombs. */
export const DEFAULT_LIMITS: DefaultLimits = { pids: 512, open_files: 4096 };
/** When memory is short, the kernel kills a body before the host's own services. */
const OOM_SCORE_ADJ = 500;

export interface Placement {
  cell: string;
  /** Used if the order has no image. */
  image: string;
  /** Name of the cell's network. */
  network: string;
  /**
   * Whether the image is ours or built from ours, so that it has our users and `confine`. Defaults to a check
   * by name.
   */
  ours?: boolean;
  /** The volume with the worker's files, and its path in the body; absent if they end with the body. */
  workspace?: { volume: string; path: string } | undefined;
  /** The operator's handler files, if any. */
  handlersDir?: string | undefined;
  /** Whether bodies can reach 169.254.0.0/16, where clouds provide credentials of the machine. */
  linkLocal?: boolean | undefined;
  /** Limits of bodies whose spec has none. */
  defaults?: DefaultLimits | undefined;
}

/** Whether an image is one of ours, by its name. */
export const isBuiltImage = (image: string): boolean => image.startsWith('worker:');

/** The create request for an order. Pure. */
export function toContainer(order: BodyOrder, place: Placement): ContainerCreateOptions {
  const image = order.image ?? place.image;
  const ours = place.ours ?? isBuiltImage(image);
  const profile = ours ? ownProfile(order.spec) : foreignProfile();
  const labels = toLabels(order, place.cell);
  const volumes = [...workspaceMounts(place), ...(profile.Mounts ?? [])].map((mount) => ({
    ...mount,
    VolumeOptions: labelled(labels),
  }));
  const mounts = [...volumes, ...handlerMounts(order.spec, place)];
  return {
    Image: image,
    ...(order.argv ? { Entrypoint: order.argv, Cmd: [] } : {}),
    // The entry of our images switches to the wrapper's user itself; other images keep their own user.
    ...(ours ? { User: '0:0' } : {}),
    Hostname: `wm-${order.worker_id.slice(0, 8)}`,
    Env: Object.entries(order.env).map(([name, value]) => `${name}=${value}`),
    Labels: labels,
    // The loop stops bodies itself; this is for `docker stop`, and for a host that shuts down.
    StopTimeout: Math.ceil(order.spec.stop_grace_seconds + farewellMs(order.spec.stop_grace_seconds) / 1000),
    HostConfig: {
      ...toHostConfig(order, place),
      ...profile,
      ...(mounts.length > 0 ? { Mounts: mounts } : {}),
    },
    ...(place.linkLocal ? {} : { NetworkingConfig: withoutLinkLocal(order.worker_id, place.network) }),
  } as ContainerCreateOptions;
}

/**
 * An address in 169.254.0.0/16 of the body's own makes that network directly connected: the kernel looks for
 * its addresses on the cell's bridge, where there are none, and never sends to a router. This needs no
 * privilege on the engine's machine.
 */
function withoutLinkLocal(workerId: string, network: string): ContainerCreateOptions['NetworkingConfig'] {
  const LinkLocalIPs = [linkLocalAddress(workerId)];
  return { EndpointsConfig: { [network]: { IPAMConfig: { LinkLocalIPs } } } };
}

/** 169.254.1.0 to 169.254.254.255, as RFC 3927 (2.1) allows, by the first two bytes of the worker's id. */
export function linkLocalAddress(workerId: string): string {
  const [high, low] = [workerId.slice(0, 2), workerId.slice(2, 4)].map((hex) => Number.parseInt(hex, 16));
  const third = 1 + ((high ?? 0) % 254);
  // The clouds' metadata service does not use this address.
  return third === 169 && low === 254 ? '169.254.169.253' : `169.254.${third}.${low}`;
}

/** An empty volume takes owner and mode from the folder in the image. */
function workspaceMounts({ workspace }: Placement): MountSettings[] {
  if (!workspace) return [];
  return [{ Type: 'volume', Target: workspace.path, Source: workspace.volume }];
}

/** All files, read-only: a handler may import files next to it. */
function handlerMounts({ handlers = [] }: WorkerSpec, { handlersDir }: Placement): MountSettings[] {
  if (handlersDir === undefined || handlers.every((name) => isAbsolute(name))) return [];
  return [{ Type: 'bind', Source: handlersDir, Target: RUNTIMES.docker.handlersMount, ReadOnly: true }];
}

/** A volume has the worker's labels like its body, but needs no copy of the spec. */
function labelled({ [LABEL.spec]: _, ...Labels }: Record<string, string>): MountSettings['VolumeOptions'] {
  return { Labels, NoCopy: false, DriverConfig: { Name: '', Options: {} } };
}

function toLabels(order: BodyOrder, cell: string): Record<string, string> {
  return {
    ...cellLabels(cell),
    [LABEL.workerId]: order.worker_id,
    [LABEL.incarnation]: String(order.incarnation),
    [LABEL.specHash]: order.spec_hash,
    [LABEL.spec]: JSON.stringify(order.spec),
    [LABEL.agentType]: order.spec.agent_type,
    ...(order.spec.pool !== undefined && { [LABEL.pool]: order.spec.pool }),
    ...(persists(order.spec) && { [LABEL.workspace]: order.workspace ?? order.worker_id }),
    [LABEL.epoch]: String(order.epoch),
    ...(order.store === undefined ? {} : { [LABEL.store]: order.store }),
  };
}

/** Settings of every body, whatever its image. */
function toHostConfig(order: BodyOrder, { network, defaults = DEFAULT_LIMITS }: Placement): HostConfig {
  const { memory_bytes: bytes, pids, open_files: files, disk_bytes } = defaults;
  return {
    Init: true,
    NetworkMode: network,
    ...(bytes === undefined ? {} : { Memory: bytes, MemorySwap: bytes }),
    ...(pids === undefined ? {} : { PidsLimit: pids }),
    ...(files === undefined ? {} : { Ulimits: [{ Name: 'nofile', Soft: files, Hard: files }] }),
    ...(disk_bytes === undefined ? {} : { StorageOpt: { size: String(disk_bytes) } }),
    ...toHostLimits(order.spec),
    LogConfig: { Type: 'local', Config: { 'max-size': '10m', 'max-file': '2', compress: 'false' } },
    // Only the loop restarts bodies: automatic restarts by the engine would hide exits.
    RestartPolicy: { Name: 'no' },
    OomScoreAdj: OOM_SCORE_ADJ,
  };
}

/** The limits of a spec. */
export function toHostLimits({ resources }: WorkerSpec): HostConfig {
  const { memory, cpus, pids } = resources ?? {};
  const bytes = memory === undefined ? undefined : parseMemory(memory);
  return {
    // Equal values disable swap: a body at its limit is killed instead of slowing down the whole host.
    ...(bytes === undefined ? {} : { Memory: bytes, MemorySwap: bytes }),
    ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
    ...(pids === undefined ? {} : { PidsLimit: pids }),
  };
}
