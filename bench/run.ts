/**
 * `npm run bench [NAME …]`: all benchmarks of this project, each as a ratio or with a limit, measured in this run on
 * this machine. Machines are shared and noisy, so a missed goal is reported but is not a failure.
 */

import { engineAtAnyPrice } from '../scripts/engine.ts';
import { ensureRedis } from '../scripts/redis.ts';
import { ensureWorkerImage } from '../scripts/worker-image.ts';
import { errorMessage } from '../src/model/index.ts';
import { benchAgentTurn as turn } from './agent-turn.ts';
import { benchCheckpointTurns as checkpointTurns } from './checkpoint-turns.ts';
import { benchCheckpoints as checkpoints } from './checkpoints.ts';
import { benchCliStart as cliStart } from './cli-start.ts';
import { benchDirect as direct } from './direct.ts';
import { benchDockerSpawn as docker } from './docker-spawn.ts';
import { benchExec as exec } from './exec.ts';
import { benchFiles as files } from './files.ts';
import { benchFirstOutput as firstOutput } from './first-output.ts';
import { benchHttp as http } from './http.ts';
import { benchIdle as idle } from './idle.ts';
import { benchImages as images } from './images.ts';
import { benchLineLatency as latency } from './line-latency.ts';
import { benchPage as page } from './page.ts';
import { benchProbes as probes } from './probes.ts';
import type { Result } from './result.ts';
import { benchResync as resync } from './resync.ts';
import { benchScrape as scrape } from './scrape.ts';
import { benchStorm as storm } from './storm.ts';
import { benchTasks as tasks } from './tasks.ts';
import { benchTerminal as terminal } from './terminal.ts';
import { benchTraces as traces } from './traces.ts';
import { benchWarm as warm } from './warm.ts';
import { benchWrapperBoot as boot } from './wrapper-boot.ts';

// What must be stopped at the end.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const print = (line: string) => console.error(line);
const requested = process.argv.slice(2);

const engine = await engineAtAnyPrice(print);
const docked = 'error' in engine ? undefined : engine;
if (!docked) print(`Without Docker: ${(engine as { error: string }).error}`);
const redis = await ensureRedis(print, { docker: docked?.docker });
if ('error' in redis) throw new Error(redis.error);
const { url: redisUrl, bodyUrl = redisUrl } = redis;
const benches: Record<string, (() => Promise<Result[]>) | undefined> = {
  'wrapper-boot': () => boot({ redisUrl }),
  'line-latency': () => latency({ redisUrl }),
  resync: () => resync({ redisUrl }),
  tasks: () => tasks({ redisUrl }),
  probes: () => probes({ redisUrl }),
  direct: () => direct({ redisUrl }),
  terminal: () => terminal({ redisUrl }),
  traces: () => traces({ redisUrl }),
  storm: () => storm({ redisUrl }),
  'docker-spawn':
    docked &&
    (async () =>
      docker({
        redisUrl,
        bodyRedisUrl: bodyUrl,
        dockerHost: docked.host,
        image: await ensureWorkerImage(docked.docker, print),
      })),
  exec:
    docked &&
    (async () =>
      exec({
        redisUrl,
        bodyRedisUrl: bodyUrl,
        dockerHost: docked.host,
        image: await ensureWorkerImage(docked.docker, print),
      })),
  'first-output': async () =>
    firstOutput(
      redisUrl,
      docked && {
        redisUrl,
        bodyRedisUrl: bodyUrl,
        dockerHost: docked.host,
        image: await ensureWorkerImage(docked.docker, print),
      },
    ),
  files:
    docked &&
    (async () =>
      files({
        redisUrl,
        bodyRedisUrl: bodyUrl,
        dockerHost: docked.host,
        image: await ensureWorkerImage(docked.docker, print),
      })),
  'agent-turn':
    docked &&
    (() => turn({ redisUrl, bodyRedisUrl: bodyUrl, docker: docked.docker, dockerHost: docked.host })),
  images: docked && (() => images({ docker: docked.docker, dockerHost: docked.host })),
  warm: async () => [
    ...(await warm({ redisUrl })),
    ...(docked
      ? await warm({
          redisUrl,
          docker: {
            host: docked.host,
            bodyRedisUrl: bodyUrl,
            image: await ensureWorkerImage(docked.docker, print),
          },
        })
      : []),
  ],
  checkpoints: async () => [
    ...(await checkpoints({ redisUrl })),
    ...(docked
      ? await checkpoints({
          redisUrl,
          docker: {
            host: docked.host,
            bodyRedisUrl: bodyUrl,
            image: await ensureWorkerImage(docked.docker, print),
          },
        })
      : []),
  ],
  'checkpoint-turns': () => checkpointTurns({ redisUrl }),
  http: () => http({ redisUrl }),
  page: () => page({ redisUrl }),
  scrape: () => scrape({ redisUrl }),
  'cli-start': docked && (() => cliStart({ redisUrl, dockerHost: docked.host })),
  idle: () => idle({ redisUrl }),
};
const unknown = requested.filter((name) => !(name in benches));
if (unknown.length > 0)
  print(`Unknown benchmark ${unknown.join(', ')}; available: ${Object.keys(benches).join(', ')}.`);

try {
  for (const [name, bench] of Object.entries(benches)) {
    if (!bench || (requested.length > 0 && !requested.includes(name))) continue;
    print(`${name} …`);
    try {
      for (const result of await bench()) console.log(line(result));
    } catch (error) {
      console.log(`FAILED  ${name}: ${errorMessage(error)}`);
      process.exitCode = 1;
    }
  }
} finally {
  await redis.stop();
  await docked?.stop();
}

function line({ name, value, unit, goal, met, note }: Result): string {
  const verdict = goal === '' ? '      ' : met ? 'ok    ' : 'MISSED';
  const bound = goal === '' ? '' : `  (goal ${goal})`;
  return `${verdict}  ${name}: ${value.toFixed(2)} ${unit}${bound}${note ? `; ${note}` : ''}`;
}
