import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import { LABEL, parseMemory } from '../../model/index.ts';
import type { BodyOrder } from '../runtime.ts';
import { cellLabels } from './names.ts';

/** Processes and threads of a body without a limit of its own: agents use threads, fork bombs are stopped. */
export const DEFAULT_PIDS = 512;
/** The user of our own images; it exists in no other. */
const WORKER_USER = '10001:10001';
/** The kernel takes a body before the host's own services when memory is short. */
const OOM_SCORE_ADJ = 500;

export interface Placement {
  cell: string;
  image: string;
  /** Name of the cell's network. */
  network: string;
}

/** What the engine is asked to create for an order. Pure. */
export function toContainer(order: BodyOrder, place: Placement): ContainerCreateOptions {
  return {
    Image: place.image,
    ...(order.argv ? { Entrypoint: order.argv, Cmd: [] } : {}),
    ...(place.image.startsWith('worker:') ? { User: WORKER_USER } : {}),
    Hostname: `wm-${order.worker_id.slice(0, 8)}`,
    Env: Object.entries(order.env).map(([name, value]) => `${name}=${value}`),
    Labels: toLabels(order, place.cell),
    // The loop asks for the end itself; this is for people who use `docker stop`, and for a host that shuts down.
    StopTimeout: Math.ceil(order.spec.stop_grace_seconds),
    HostConfig: toHostConfig(order, place.network),
  } as ContainerCreateOptions;
}

function toLabels(order: BodyOrder, cell: string): Record<string, string> {
  return {
    ...cellLabels(cell),
    [LABEL.workerId]: order.worker_id,
    [LABEL.incarnation]: String(order.incarnation),
    [LABEL.specHash]: order.spec_hash,
    [LABEL.spec]: JSON.stringify(order.spec),
    [LABEL.agentType]: order.spec.agent_type,
    [LABEL.epoch]: String(order.epoch),
  };
}

function toHostConfig(order: BodyOrder, network: string): HostConfig {
  const { memory, cpus, pids } = order.spec.resources ?? {};
  const bytes = memory === undefined ? undefined : parseMemory(memory);
  return {
    Init: true,
    NetworkMode: network,
    // Equal values leave no swap: a body at its limit is killed, not slowed down with the whole host.
    ...(bytes === undefined ? {} : { Memory: bytes, MemorySwap: bytes }),
    ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
    PidsLimit: pids ?? DEFAULT_PIDS,
    LogConfig: { Type: 'local', Config: { 'max-size': '10m', 'max-file': '2', compress: 'false' } },
    // The loop alone restarts: an engine that does so behind its back would hide exits.
    RestartPolicy: { Name: 'no' },
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    OomScoreAdj: OOM_SCORE_ADJ,
  };
}

/**
 * What was asked for and is not there. Engines ignore keys that they do not know and limits that their kernel
 * lacks without an error, so what protects is compared after the create. Pure.
 */
export function findDropped(asked: HostConfig, made: HostConfig): string[] {
  const dropped: string[] = [];
  const check = (what: string, holds: boolean) => holds || dropped.push(what);
  check('no privileges', made.Privileged !== true);
  check('CapDrop ALL', made.CapDrop?.includes('ALL') === true && (made.CapAdd ?? []).length === 0);
  check(
    'no-new-privileges',
    made.SecurityOpt?.some((option: string) => /^no-new-privileges(:true)?$/.test(option)) === true,
  );
  check('Init', made.Init === true);
  check(`network ${asked.NetworkMode}`, made.NetworkMode === asked.NetworkMode);
  check('RestartPolicy no', ['', 'no'].includes(made.RestartPolicy?.Name ?? ''));
  check('LogConfig local', made.LogConfig?.Type === asked.LogConfig?.Type);
  // MemorySwap is not compared: kernels without swap accounting are common, and memory itself is limited there.
  check('Memory', asked.Memory === undefined || made.Memory === asked.Memory);
  check('NanoCpus', asked.NanoCpus === undefined || made.NanoCpus === asked.NanoCpus);
  check('PidsLimit', made.PidsLimit === asked.PidsLimit);
  return dropped;
}
