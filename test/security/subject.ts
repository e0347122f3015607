/**
 * A container exactly as the Docker runtime creates it, and attempts in it, each started as the agent by the
 * wrapper's own code. All attempts of a test share the container and one call.
 */
import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { build } from 'esbuild';
import { inject } from 'vitest';
import { createImages, machineCa } from '../../src/images/index.ts';
import { type WorkerSpec, workerSpec } from '../../src/model/index.ts';
import { DockerClient } from '../../src/runtimes/docker/client.ts';
import { toContainer } from '../../src/runtimes/docker/container.ts';
import { isLocked } from '../../src/runtimes/docker/profile.ts';
import { DockerWorkspaces } from '../../src/runtimes/docker/workspaces.ts';
import { dockerAt } from '../support/docker.ts';

/** The driver's arguments. */
export interface Work {
  spec: WorkerSpec;
  /** False simulates a kernel without it. */
  landlock: boolean;
  /** A script that may use every program of the image. */
  prepare: string;
  /** Scripts of the agent. */
  attempts: string[];
}

export interface Outcome {
  /** The exit code, or the signal. */
  code: number | string;
  /** stdout and stderr. */
  output: string;
}

export interface Subject {
  /** What the wrapper reports about the agent's confinement. */
  attempt(work: Omit<Work, 'spec'>): Promise<{ enforcement: string[]; outcomes: Outcome[] }>;
  /** A program as the container's root. */
  exec(argv: string[], stdin?: string): Promise<{ code: number | null; stdout: string; stderr: string }>;
  remove(): Promise<void>;
}

export const specOf = (spec: object): WorkerSpec =>
  workerSpec.parse({ agent_type: 'CUSTOM', command_line: ['true'], runtime: 'docker', ...spec });

/** As the wrapper's own process is started by the image's entry. */
const WRAPPER = ['/worker/confine', '--user', '10001:10001,20000', '--keep', 'setuid,setgid,kill', '--'];

const CELL = 'security';

/** A wrapper that does nothing. */
export const IDLE = [...WRAPPER, 'node', '-e', 'setInterval(() => {}, 1e9)'];

/** Builds the image of the specification if it is missing; returns its name. */
export async function imageOf(spec: WorkerSpec): Promise<string> {
  const images = createImages({ host: inject('dockerHost'), version: '0.0.0', ca: machineCa() });
  try {
    return await images.buildNow(spec, () => {});
  } finally {
    await images.close();
  }
}

export async function startSubject(spec: WorkerSpec, argv: string[] = IDLE): Promise<Subject> {
  const docker = dockerAt(inject('dockerHost'));
  const order = { worker_id: randomUUID(), incarnation: 1, spec, spec_hash: 'hash', epoch: 1 };
  const env = { REDIS_URL: 'redis://wrapper:its-secret@nowhere' };
  const client = new DockerClient({ host: inject('dockerHost') });
  const workspaces = new DockerWorkspaces(client, CELL);
  const volume = await workspaces.ensure({ id: order.worker_id, locked: isLocked(spec) });
  const place = {
    cell: CELL,
    image: await imageOf(spec),
    network: 'bridge',
    linkLocal: true,
    workspace: { volume, path: '/workspace' },
  };
  const container = await docker.createContainer({
    _query: { name: `wm-security-${order.worker_id}` },
    _body: toContainer({ ...order, env, argv }, place),
  } as unknown as Docker.ContainerCreateOptions);
  await container.start();

  async function exec(cmd: string[], stdin = '') {
    const options = { AttachStdin: true, AttachStdout: true, AttachStderr: true };
    const run = await container.exec({ Cmd: cmd, User: '0:0', WorkingDir: '/workspace', ...options });
    const stream = await run.start({ hijack: true, stdin: true });
    const [out, err] = [new PassThrough(), new PassThrough()];
    docker.modem.demuxStream(stream, out, err);
    stream.on('end', () => {
      out.end();
      err.end();
    });
    stream.end(stdin);
    const [stdout, stderr] = await Promise.all([text(out), text(err)]);
    return { code: (await run.inspect()).ExitCode, stdout, stderr };
  }

  return {
    exec,
    async attempt(work) {
      const program = `globalThis.work = ${JSON.stringify({ spec, ...work })};\n${await driver()}`;
      const { code, stdout, stderr } = await exec([...WRAPPER, 'node', '--input-type=module', '-'], program);
      if (code !== 0) throw new Error(`The driver ended with ${code}: ${stderr}`);
      return JSON.parse(stdout);
    },
    async remove() {
      await container.remove({ force: true, v: true });
      await workspaces.remove(order.worker_id);
      client.close();
    },
  };
}

async function driver(): Promise<string> {
  const entry = new URL('./driver.ts', import.meta.url).pathname;
  const made = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    write: false,
  });
  return made.outputFiles[0]?.text ?? '';
}
