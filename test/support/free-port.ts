import { createServer } from 'node:net';

const PORTS = 2000;
/** Each process of a test run has a range of its own, so that no other takes a port that is free and not used yet. */
const FIRST = 20_000 + PORTS * (Number(process.env.VITEST_POOL_ID ?? 0) % 5);
const given = new Set<number>();

/** A port of loopback below the ephemeral ports: no other process gets it while its server is down. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = FIRST + Math.floor(Math.random() * PORTS);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(
    `Of the ports from ${FIRST} to ${FIRST + PORTS - 1}, a hundred were tried and none was free.`,
  );
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
