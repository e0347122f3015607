/** The CPU time of a scrape of a real manager with 10,000 workers, over that of the manager without scrapes. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { cpuSeconds } from './cpu-seconds.ts';
import { startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import type { Result } from './result.ts';

const WORKERS = 10_000;
const SCRAPES = 100;
const IDLE_MS = 5000;
const GOAL_MS = 50;
const PLAIN = { agent_type: 'CUSTOM', command_line: ['true'], runtime: 'process' };
/** Boots until it is deleted. While it does, other workers are accepted and wait for their start. */
const BOOTING = {
  ...PLAIN,
  command_line: ['sleep', 'infinity'],
  protocol: 'json',
  start_deadline_seconds: 3600,
};

export async function benchScrape({ redisUrl }: { redisUrl: string }): Promise<Result[]> {
  await bundleWrapper();
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const orchestrator = new BenchOrchestrator(redisUrl, cell);
  const manager = await startManager({
    REDIS_URL: redisUrl,
    CELL: cell,
    RUNTIME: 'process',
    MAX_WORKERS_TOTAL: 'none',
    MAX_CONCURRENT_STARTS: '1',
  });
  const scrape = async () => (await fetch(`${manager.url}/metrics`)).text();
  const cpu = () => cpuSeconds(manager.process.pid) * 1000;
  try {
    await orchestrator.ask({ command: 'create', worker_id: randomUUID(), ...BOOTING });
    for (let n = 1; n < WORKERS; n += 1) {
      const sent = orchestrator.send({ command: 'create', ...PLAIN, worker_id: randomUUID() });
      if (n % 500 === 0) await sent;
    }
    while (countWorkers(await scrape()) < WORKERS) await delay(500);
    await delay(IDLE_MS);
    const before = cpu();
    await delay(IDLE_MS);
    const idle = (cpu() - before) / IDLE_MS;
    const [began, used] = [performance.now(), cpu()];
    let bytes = 0;
    for (let n = 0; n < SCRAPES; n += 1) bytes = (await scrape()).length;
    const value = (cpu() - used - idle * (performance.now() - began)) / SCRAPES;
    return [
      {
        name: 'scrape of /metrics with 10,000 workers',
        value,
        unit: 'ms CPU',
        goal: `<= ${GOAL_MS}`,
        met: value <= GOAL_MS,
        note: `${Math.round(bytes / 1024)} KiB`,
      },
    ];
  } finally {
    await manager.stop();
    await orchestrator.close(cell);
  }
}

const countWorkers = (text: string) =>
  [...text.matchAll(/^worker_manager_workers\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
