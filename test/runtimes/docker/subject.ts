/**
 * A Docker runtime in the test's own cell, and bodies that misbehave. Everything is removed when the test
 * ends.
 */
import { randomUUID } from 'node:crypto';
import type Docker from 'dockerode';
import { inject, onTestFinished } from 'vitest';
import { workerSpec } from '../../../src/model/index.ts';
import { createDockerRuntime, type DockerRuntimeOptions } from '../../../src/runtimes/docker/docker.ts';
import type { BodyOrder } from '../../../src/runtimes/runtime.ts';
import { dockerAt } from '../../support/docker.ts';
import { type DockerProxy, startDockerProxy } from '../../support/docker-proxy.ts';

/** Direct access to the daemon, without the runtime. */
export const engine = (): Docker => dockerAt(inject('dockerHost'));

export const newCell = (): string => `t-${randomUUID().slice(0, 8)}`;

export function newRuntime(options: Partial<DockerRuntimeOptions> = {}) {
  const cell = options.cell ?? newCell();
  const runtime = createDockerRuntime({
    host: inject('dockerHost'),
    image: inject('baseImage'),
    ...options,
    cell,
  });
  onTestFinished(async () => {
    await runtime.close();
    await clean(cell);
  });
  return { runtime, cell };
}

export async function newProxy(): Promise<DockerProxy> {
  const proxy = await startDockerProxy(inject('dockerHost'));
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Removes everything with the cell's label, in any state. */
export async function clean(cell: string): Promise<void> {
  const docker = engine();
  const filters = { label: [`worker-manager.cell=${cell}`] };
  const containers = await docker.listContainers({ all: true, filters });
  await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
  const networks = await docker.listNetworks({ filters });
  await Promise.all(networks.map(({ Id }) => docker.getNetwork(Id).remove()));
}

/** An order for a body that runs `argv`. */
export function orderOf(argv: string[], order: Partial<BodyOrder> & { resources?: object } = {}): BodyOrder {
  const { resources, ...rest } = order;
  const spec = {
    agent_type: 'CUSTOM',
    command_line: ['true'],
    runtime: 'docker',
    stop_grace_seconds: 1,
    resources,
  };
  return {
    worker_id: randomUUID(),
    incarnation: 1,
    spec: workerSpec.parse(spec),
    spec_hash: 'hash',
    epoch: 1,
    env: {},
    argv,
    ...rest,
  };
}

/** Timeout of a condition on a busy machine. */
export const SOON = { timeout: 30_000, interval: 20 };

/** A program that lives until it is killed. */
export const FOREVER = ['sleep', 'infinity'];
export const sh = (script: string): string[] => ['sh', '-c', script];
export const node = (script: string): string[] => ['node', '-e', script];
