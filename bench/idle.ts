/** The cost of an idle manager: 100 RUNNING workers, as processes with the real wrapper. */
import { randomUUID } from 'node:crypto';
import { cpuSeconds } from './cpu-seconds.ts';
import { startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import type { Result } from './result.ts';

const WORKERS = 100;
/** Two resync intervals. */
const WATCHED_MS = 60_000;

export async function benchIdle({ redisUrl }: { redisUrl: string }): Promise<Result[]> {
  if (process.platform !== 'linux')
    throw new Error('The CPU of the manager is read from /proc, which only Linux has.');
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const orchestrator = new BenchOrchestrator(redisUrl, cell);
  const manager = await startManager({ REDIS_URL: redisUrl, CELL: cell, RUNTIME: 'process' });
  try {
    const fields = { command_line: ['sleep', '3600'], stop_grace_seconds: 1 };
    const ids = Array.from({ length: WORKERS }, () => orchestrator.create(fields));
    for (const id of ids) await orchestrator.reached(id, 'ready');
    const before = cpuSeconds(manager.process.pid);
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
    const share = ((cpuSeconds(manager.process.pid) - before) / (performance.now() - began)) * 1000 * 100;
    await orchestrator.delete(ids);
    const name = `idle manager with ${WORKERS} RUNNING workers`;
    return [{ name, value: share, unit: '% of a core', goal: '< 2', met: share < 2 }];
  } finally {
    await manager.stop();
    await orchestrator.close(cell);
  }
}
