/**
 * What traces cost: create → RUNNING of direct workers, at a manager that exports traces to a local receiver and at one that
 * does not, in turns, so that both see the same machine.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { type BenchManager, startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import { median, type Result, reported } from './result.ts';

const WORKERS = 30;
/** The first ones warm up the managers' compilers. */
const WARM_UP = 5;
const MOST = 1.05;

interface Measured {
  manager: BenchManager;
  orchestrator: BenchOrchestrator;
  cell: string;
  took: number[];
}

export async function benchTraces({ redisUrl }: { redisUrl: string }): Promise<Result[]> {
  await bundleWrapper();
  let exports = 0;
  const receiver = createServer((request, response) => {
    exports += 1;
    request.resume().on('end', () => response.end());
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const open = async (more: Record<string, string>): Promise<Measured> => {
    const cell = `bench-${randomUUID().slice(0, 8)}`;
    const env = { REDIS_URL: redisUrl, CELL: cell, RUNTIME: 'process', ...more };
    return {
      manager: await startManager(env),
      orchestrator: new BenchOrchestrator(redisUrl, cell),
      cell,
      took: [],
    };
  };
  const off = await open({});
  const on = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  try {
    for (let n = -WARM_UP; n < WORKERS; n += 1)
      for (const one of n % 2 === 0 ? [off, on] : [on, off]) {
        const ms = await spawnOne(one.orchestrator);
        if (n >= 0) one.took.push(ms);
      }
    if (exports === 0) throw new Error('Nothing was exported.');
  } finally {
    for (const { manager, orchestrator, cell } of [off, on]) {
      await manager.stop();
      await orchestrator.close(cell);
    }
    receiver.close();
  }
  const ratio = median(on.took) / median(off.took);
  return [
    reported('direct worker, create → RUNNING, traces off', median(off.took), 'ms'),
    reported('direct worker, create → RUNNING, traces on', median(on.took), 'ms'),
    {
      name: 'traces on, against off',
      value: ratio,
      unit: '×',
      goal: `≤ ${MOST}`,
      met: ratio <= MOST,
    },
  ];
}

async function spawnOne(orchestrator: BenchOrchestrator): Promise<number> {
  const id = randomUUID();
  const running = orchestrator.running(id);
  await orchestrator.redis.ping();
  const began = performance.now();
  orchestrator.create({ command_line: ['cat'], runtime: 'process', stop_grace_seconds: 0 }, id);
  await running;
  const ms = performance.now() - began;
  await orchestrator.delete([id]);
  return ms;
}
