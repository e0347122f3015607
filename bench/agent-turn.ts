/**
 * The cost of a turn beyond the CLI's own time: the same prompt to the same CLI in the same image with the same
 * simulated model, once through Redis, the wrapper and its proxy, once directly to the CLI's stdin with `docker exec`.
 * The two are measured in alternation, each with its own conversation that grows in the same way.
 *
 * Measured twice: with a model that answers immediately, which shows the overhead most clearly, and with one that
 * writes 50 pieces per second, like a fast real model, to which the goal applies.
 */
import { randomUUID } from 'node:crypto';
import type Docker from 'dockerode';
import { getAgentKind } from '../src/agents/index.ts';
import { createImages, machineCa } from '../src/images/index.ts';
import { workerSpec } from '../src/model/index.ts';
import { networkName } from '../src/runtimes/docker/names.ts';
import { INPUT_GROUP } from '../src/store/keys.ts';
import { bridgeGateway } from '../test/support/docker.ts';
import { startModel } from '../test/support/model/index.ts';
import { BareAgent } from './bare-agent.ts';
import { startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import { median, type Result } from './result.ts';

const ROUNDS = 40;
const GOAL = 5;
/** One tool use, of which most turns have several, and a sentence. */
const PROMPTS = {
  'a model that answers immediately': '[[run git --version]] [[say Done.]]',
  'a model of 50 pieces a second': '[[slow 20]] [[run git --version]] [[slow 20]] [[long 400]]',
};
type Pace = keyof typeof PROMPTS;

export interface TurnContext {
  redisUrl: string;
  /** The URL of Redis from a container. */
  bodyRedisUrl: string;
  docker: Docker;
  dockerHost: string;
}

export async function benchAgentTurn(context: TurnContext): Promise<Result[]> {
  return [...(await measure('CLAUDE', context)), ...(await measure('FACTORY', context))];
}

async function measure(agent_type: 'CLAUDE' | 'FACTORY', context: TurnContext): Promise<Result[]> {
  const { redisUrl, bodyRedisUrl, docker, dockerHost } = context;
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const model = await startModel({ host: await bridgeGateway(docker) });
  const fields = { agent_type, modules: ['GIT'], runtime: 'docker', env: { ANTHROPIC_BASE_URL: model.url } };
  const spec = workerSpec.parse(fields);
  const images = createImages({ host: dockerHost, version: 'bench', ca: machineCa() });
  const image = await images.buildNow(spec, () => {}).finally(() => images.close());
  const orchestrator = new BenchOrchestrator(redisUrl, cell);
  const manager = await startManager({
    REDIS_URL: redisUrl,
    WORKER_REDIS_URL: bodyRedisUrl,
    CELL: cell,
    RUNTIME: 'docker',
    DOCKER_HOST: dockerHost,
  });
  const place = { docker, image, cell: `${cell}-bare` };
  const bare = await BareAgent.start(getAgentKind(agent_type), spec, model.url, place);
  try {
    const id = orchestrator.create(fields);
    await orchestrator.reached(id, 'ready');
    const results: Result[] = [];
    for (const pace of Object.keys(PROMPTS) as Pace[]) {
      const { ours, theirs } = await inPairs(
        () => turn(orchestrator, id, PROMPTS[pace]),
        () => bare.turn(PROMPTS[pace]),
      );
      results.push(overhead(agent_type, pace, median(ours), median(theirs)));
    }
    await orchestrator.delete([id]);
    return results;
  } finally {
    await manager.stop();
    await bare.stop();
    await docker
      .getNetwork(networkName(cell))
      .remove()
      .catch(() => {});
    await orchestrator.close(cell);
    await model.close();
  }
}

/** Both sides in alternation, with alternating order. */
async function inPairs(one: () => Promise<number>, other: () => Promise<number>) {
  const ours: number[] = [];
  const theirs: number[] = [];
  // The first rounds warm up both sides.
  for (let round = -3; round < ROUNDS; round += 1) {
    const sides = [async () => ours.push(await one()), async () => theirs.push(await other())];
    for (const side of round % 2 === 0 ? sides : sides.reverse()) await side();
    if (round < 0) ours.length = theirs.length = 0;
  }
  return { ours, theirs };
}

function overhead(agent: string, pace: Pace, ours: number, bare: number): Result {
  const value = (ours / bare - 1) * 100;
  const note = `${ours.toFixed(1)} ms against ${bare.toFixed(1)} ms of the bare CLI, one tool, ${pace}`;
  const judged = pace === 'a model of 50 pieces a second';
  const goal = judged ? `< ${GOAL} %` : '';
  return { name: `turn of ${agent}, overhead`, value, unit: '%', goal, met: value < GOAL, note };
}

/** Milliseconds from writing the prompt to Redis until the end of its turn is received. */
async function turn(orchestrator: BenchOrchestrator, id: string, prompt: string): Promise<number> {
  const { redis, keys } = orchestrator;
  const took = await orchestrator.turn(id, prompt);
  // The wrapper's work after the turn must not slow down the next turn of the other side.
  for (let pending = 1; pending > 0; )
    pending = Number((await redis.xpending(keys.input(id), INPUT_GROUP))[0]);
  return took;
}
