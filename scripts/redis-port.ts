/** Ports of a private Redis, and checks whether a Redis answers on one. */
import { createServer } from 'node:net';
import { Redis } from 'ioredis';

/** Whether a Redis accepts commands there within the time. */
export async function redisResponds(url: string, ms: number, isInVain = () => false): Promise<boolean> {
  const until = performance.now() + ms;
  const again = () => (performance.now() < until && !isInVain() ? 50 : null);
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: again,
    connectTimeout: ms,
    maxRetriesPerRequest: null,
  });
  client.on('error', () => {});
  try {
    await client.connect().catch(() => {});
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

/** The desired port if it is free, otherwise any free port; throws if the address does not belong to this machine. */
export function freePort(wanted = 0, address = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) =>
      wanted === 0 ? reject(error) : freePort(0, address).then(resolve, reject),
    );
    server.listen(wanted, address, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound ? bound.port : 0));
    });
  });
}
