/** Ports of a private Redis, and checks whether a Redis answers on one. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';

/** Below the ports that systems give to outgoing connections, one of which could have it at the next start. */
const PORTS = { min: 16_400, max: 32_000 };
const TRIES = 20;

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

/** A free port that stays free while no server runs, as far as that can be had. */
export async function choosePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(PORTS.min, PORTS.max);
    if (await isFree(port)) return port;
  }
  return freePort(0);
}

/** Whether this process can listen there. */
export const isFree = (port: number, address = '127.0.0.1'): Promise<boolean> =>
  bind(port, address).then(
    () => true,
    () => false,
  );

/** The desired port if it is free, otherwise any free port; throws if the address does not belong to this machine. */
export const freePort = (wanted = 0, address = '127.0.0.1'): Promise<number> =>
  bind(wanted, address).catch((error) => (wanted === 0 ? Promise.reject(error) : bind(0, address)));

function bind(port: number, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, address, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound ? bound.port : 0));
    });
  });
}
