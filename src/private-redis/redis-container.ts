import { createHash } from 'node:crypto';
import type Docker from 'dockerode';
import type { Launched } from './kept-redis.ts';
import { configOf, type PrivateRedis } from './redis-config.ts';

export const DEFAULT_REDIS_IMAGE = 'redis:7-alpine';
/** The process that started it, for users who find the container. */
const OWNER = 'worker-manager.private-redis';

/**
 * Runs a private Redis as a container, if the machine has no other. With a directory, it has a fixed name and a volume:
 * the engine refuses a second one, and its data are kept.
 */
export async function startRedisContainer(
  docker: Docker,
  plan: PrivateRedis,
  { image, directory, log }: { image: string; directory?: string | undefined; log: (line: string) => void },
): Promise<Launched | { error: string }> {
  const name =
    directory && `worker-manager-redis-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}`;
  try {
    await ensureImage(docker, image, log);
    const port = `${plan.port}/tcp`;
    const bindings = plan.addresses.map((HostIp) => ({ HostIp, HostPort: String(plan.port) }));
    const container = await docker.createContainer({
      // Only the body: dockerode would add all of it to the URL as well.
      _query: name ? { name } : {},
      _body: {
        Image: image,
        Entrypoint: ['sh', '-c', 'mkdir -p /data && exec redis-server -'],
        OpenStdin: true,
        StdinOnce: true,
        Labels: { [OWNER]: String(process.pid) },
        ExposedPorts: { [port]: {} },
        HostConfig: {
          AutoRemove: true,
          Init: true,
          PortBindings: { [port]: bindings },
          ...(name && { Mounts: [{ Type: 'volume', Source: name, Target: '/data' }] }),
        },
      },
    } as unknown as Docker.ContainerCreateOptions);
    const stop = async () => {
      await container.remove({ force: true, v: true }).catch((error) => {
        // 404: removed; 409: being removed.
        if (![404, 409].includes(error.statusCode)) throw error;
      });
    };
    try {
      // Through stdin, because `docker inspect` shows arguments and variables.
      const stdin = await container.attach({ stream: true, stdin: true, hijack: true });
      stdin.on('error', () => {});
      await container.start();
      // Inside the container it listens on all addresses; the published addresses determine who can connect.
      stdin.end(configOf({ ...plan, addresses: ['0.0.0.0'] }, '/data'));
    } catch (error) {
      await stop();
      throw error;
    }
    return { stop, leave: () => {} };
  } catch (error) {
    return { error: `${image} could not be run: ${error instanceof Error ? error.message.trim() : error}` };
  }
}

async function ensureImage(docker: Docker, image: string, log: (line: string) => void): Promise<void> {
  const { statusCode } = await docker
    .getImage(image)
    .inspect()
    .then(() => ({ statusCode: 200 }))
    .catch((error: { statusCode?: number }) => error);
  if (statusCode === 200) return;
  log(`Pulling ${image} …`);
  const stream = await docker.pull(image);
  await new Promise<void>((resolve, reject) => {
    stream.on('close', () => reject(new Error('The Docker daemon closed the connection.')));
    docker.modem.followProgress(stream, (error, output: { error?: string }[]) => {
      const failure = output?.find((entry) => entry.error)?.error;
      if (error || failure) reject(error ?? new Error(failure));
      else resolve();
    });
  });
}
