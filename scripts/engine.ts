import Docker from 'dockerode';
import { errorMessage } from '../src/model/index.ts';
import { toConnection } from '../src/runtimes/docker/client.ts';
import { ensureDocker } from './ensure-docker.ts';

/** A Docker daemon that the demo or `npm start` can use. */
export interface Engine {
  docker: Docker;
  /** For DOCKER_HOST. */
  host: string;
  /** Ends a daemon that was started for this; leaves any other alone. */
  stop(): Promise<void>;
}

/** A daemon that does not answer in this time is taken for absent. */
const PING_MS = 2000;

/** The daemon that answers already, at DOCKER_HOST or its usual place. */
export async function engineAtHand(): Promise<Engine | { error: string }> {
  const host = process.env.DOCKER_HOST || 'unix:///var/run/docker.sock';
  try {
    await new Docker({ ...toConnection(host), timeout: PING_MS }).ping();
    return { docker: new Docker(toConnection(host)), host, stop: async () => {} };
  } catch (error) {
    return { error: `No Docker daemon answers at ${host} (${errorMessage(error)}).` };
  }
}

/** The same, or one that is installed and started for this where that is possible. */
export async function engineAtAnyPrice(log: (line: string) => void): Promise<Engine | { error: string }> {
  const access = await ensureDocker(log);
  if ('error' in access) return access;
  const host = access.socket.startsWith('/') ? `unix://${access.socket}` : access.socket;
  return { docker: new Docker(toConnection(host)), host, stop: () => access.stop() };
}

/** Whether a container can connect to that Redis: a firewall may stand between a bridge and its own machine. */
export async function canReach(docker: Docker, image: string, redisUrl: string): Promise<boolean> {
  const { hostname, port } = new URL(redisUrl);
  const probe = `require('net').connect(${Number(port) || 6379}, '${hostname}').setTimeout(3000)
    .on('connect', () => process.exit(0)).on('timeout', () => process.exit(1)).on('error', () => process.exit(1))`;
  const container = await docker.createContainer({
    _query: {},
    _body: { Image: image, Entrypoint: ['node', '-e', probe], Cmd: [] },
  } as unknown as Docker.ContainerCreateOptions);
  try {
    await container.start();
    const { StatusCode } = await container.wait();
    return StatusCode === 0;
  } finally {
    await container.remove({ force: true, v: true });
  }
}
