/** The response time of `/livez` while ten clients repeatedly send the largest allowed body. */
import { randomUUID } from 'node:crypto';
import { freePort } from '../src/private-redis/redis-port.ts';
import { startLivezProbe } from './livez-probe.ts';
import { startManager } from './manager.ts';
import { quantile, type Result } from './result.ts';

const CLIENTS = 10;
const LASTS_MS = 20_000;
const PROBE_MS = 25;
const TOKEN = 'bench-token';

/** 1 MiB with the maximum number of values. */
const BODY = JSON.stringify({
  payload: {
    function: 'none.such',
    args: [Array.from({ length: 49_000 }, (_, at) => at), 'x'.repeat(750_000)],
  },
});

export async function benchProbes({ redisUrl }: { redisUrl: string }): Promise<Result[]> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const manager = await startManager({
    REDIS_URL: redisUrl,
    CELL: `bench-${randomUUID().slice(0, 8)}`,
    RUNTIME: 'process',
    HTTP_PORT: String(port),
    API_TOKEN: TOKEN,
  });
  try {
    const probe = startLivezProbe(url, PROBE_MS);
    const end = performance.now() + LASTS_MS;
    const headers = { authorization: `Bearer ${TOKEN}` };
    let sent = 0;
    const client = async () => {
      while (performance.now() < end) {
        await (await fetch(`${url}/task/submit`, { method: 'POST', body: BODY, headers })).arrayBuffer();
        sent += 1;
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    const p99 = quantile(await probe.end(), 0.99);
    const name = `/livez under ${CLIENTS} clients that send the largest body, p99`;
    return [{ name, value: p99, unit: 'ms', goal: '< 100', met: p99 < 100, note: `${sent} bodies` }];
  } finally {
    await manager.stop();
  }
}
