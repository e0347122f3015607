import { expect, test } from 'vitest';
import type { CommandContext } from '../../src/commands/index.ts';
import { Fault } from '../../src/model/index.ts';
import { chooseRuntime, type PlacementRequest } from '../../src/placement/choose-runtime.ts';

type Runtimes = CommandContext['runtimes'];
const limit = (supported: boolean) => ({ supported, how: supported ? 'a cgroup' : 'there is no cgroup' });
const runtime = (name: 'docker' | 'process', memory = true): Runtimes[number] => ({
  name,
  info: { name, version: '1', limits: { memory: limit(memory), cpus: limit(true), pids: limit(true) } },
});
const docker = runtime('docker');
const direct = runtime('process');
const away: Runtimes[number] = { name: 'docker', info: undefined, error: 'connect ENOENT /run/docker.sock' };

const choose = async (
  asked: Partial<PlacementRequest>,
  runtimes: Runtimes,
  able: { full?: string; image?: string } = {},
): Promise<string> => {
  const abilities = { diskSpaceError: async () => able.full, imageUnavailableReason: async () => able.image };
  const given = { agent_type: 'CUSTOM', runtime: 'auto', ...asked } as PlacementRequest;
  try {
    const { runtime, reason } = await chooseRuntime(given, { runtimes, capabilities: abilities as never });
    return `${runtime}: ${reason ?? 'asked for'}`;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return `${error.code} (${error.issues?.map(({ path }) => path).join(' ')}): ${error.message}`;
  }
};

const both = [docker, direct];
const image = 'Its image cannot be built: the wrapper is not built.';
const full = 'Only 1GB are free.';
const memory = { resources: { memory: '1g' } };
const fine = 'Docker answers, and the image exists or can be built.';

test.each<[string, Partial<PlacementRequest>, Runtimes, { full?: string; image?: string }, string]>([
  ['Docker where it can', {}, both, {}, `docker: ${fine}`],
  ['what was asked for, in silence', { runtime: 'process' }, both, {}, 'process: asked for'],
  [
    'direct where Docker is away',
    {},
    [away, direct],
    {},
    `process: Not in Docker: Docker does not answer: ${away.error}`,
  ],
  [
    'direct where there is no image and no way to one',
    {},
    both,
    { image },
    `process: Not in Docker: ${image}`,
  ],
  ['direct where the disk is full', {}, both, { full }, `process: Not in Docker: ${full}`],
  [
    'the only one that is in use',
    {},
    [direct],
    {},
    'process: This manager uses only process (RUNTIME=process).',
  ],
  [
    'the only one, though it is away',
    {},
    [away],
    {},
    'docker: This manager uses only docker (RUNTIME=docker).',
  ],
  ['Docker for what only it can do', { modules: ['GIT'] }, both, {}, `docker: ${fine}`],
  [
    'nothing, where Docker is needed and away',
    { modules: ['GIT'] },
    [away, direct],
    {},
    `unavailable (modules): Only Docker supports modules. Docker does not answer: ${away.error}`,
  ],
  [
    'nothing, where Docker is needed and full',
    { image: 'mine:1', modules: ['GIT'] },
    both,
    { full },
    `capacity (modules image): Only Docker supports modules and image. ${full}`,
  ],
  [
    'direct with a limit that it can enforce',
    memory,
    [away, direct],
    {},
    `process: Not in Docker: Docker does not answer: ${away.error}`,
  ],
  [
    'nothing, where the machine cannot limit memory and Docker is away',
    memory,
    [away, runtime('process', false)],
    {},
    `unavailable (resources.memory): Only Docker supports resources.memory. Docker does not answer: ${away.error}`,
  ],
  [
    'nothing, where it is asked for by a name that is not in use',
    { runtime: 'swarm' },
    both,
    {},
    'unsupported (runtime): The runtime swarm does not exist in this version. Use docker or process or auto.',
  ],
])('chooses %s', async (_, asked, runtimes, able, expected) => {
  expect(await choose(asked, runtimes, able)).toBe(expected);
});
