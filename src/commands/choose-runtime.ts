/**
 * Where a worker is to live. `auto` is resolved here, once, so that no later look can choose another runtime: Docker
 * where a daemon answers and the image is there or can be built, else direct. What only Docker can do chooses Docker,
 * or is refused with why not; nothing that was asked for is dropped for the sake of a runtime that answers.
 */
import { type CommandOf, Fault, type RuntimeName, USABLE_RUNTIMES, type WorkerSpec } from '../model/index.ts';
import { IN_IMAGES } from './ability.ts';
import type { CommandContext } from './context.ts';

export type Asked = Omit<CommandOf<'create'>, 'command' | 'request_id' | 'worker_id'>;

export interface Choice {
  runtime: RuntimeName;
  /** Why this one, in a sentence; only where it was for the manager to choose. */
  reason?: string;
}

/** Throws a Fault where no runtime of this manager can do what is asked. */
export async function chooseRuntime(
  asked: Asked,
  { runtimes, abilities }: Pick<CommandContext, 'runtimes' | 'abilities'>,
): Promise<Choice> {
  const names = runtimes.map(({ name }) => name);
  if (asked.runtime !== 'auto') {
    if (names.includes(asked.runtime)) return { runtime: asked.runtime };
    const why = USABLE_RUNTIMES.includes(asked.runtime)
      ? 'is not in use by this manager'
      : 'does not exist in this version';
    const message = `The runtime ${asked.runtime} ${why}. Use ${[...names, 'auto'].join(' or ')}.`;
    throw new Fault('unsupported', message, {
      issues: [{ path: 'runtime', message: `must be one of ${names.join(', ')}, auto` }],
    });
  }
  const only = names.length === 1 ? names[0] : undefined;
  if (only) return { runtime: only, reason: `This manager uses ${only} alone (RUNTIME=${only}).` };
  if (names.length === 0) throw new Fault('unavailable', 'This manager has no runtime to put a worker in.');
  const why = await dockerObstacle(asked, { runtimes, abilities });
  if (!why) return { runtime: 'docker', reason: 'Docker answers, and the image is there or can be built.' };
  const needs = needsDocker(asked, runtimes);
  if (needs.length === 0) return { runtime: 'process', reason: `Not in Docker: ${why.message}` };
  const fields = needs.join(' and ');
  const code = why.code;
  const issues = needs.map((path) => ({ path, message: 'can be had in Docker only' }));
  throw new Fault(
    code,
    `Only Docker can do what ${fields} ask${needs.length === 1 ? 's' : ''}. ${why.message}`,
    {
      issues,
    },
  );
}

interface Obstacle {
  code: 'unavailable' | 'capacity' | 'unsupported';
  message: string;
}

/** Why no body of this worker could be made in Docker now. */
async function dockerObstacle(
  asked: Asked,
  { runtimes, abilities }: Pick<CommandContext, 'runtimes' | 'abilities'>,
): Promise<Obstacle | undefined> {
  const docker = runtimes.find(({ name }) => name === 'docker');
  if (!docker) return { code: 'unsupported', message: 'This manager does not use Docker.' };
  if (!docker.info)
    return {
      code: 'unavailable',
      message: `Docker does not answer${docker.error ? `: ${docker.error}` : '.'}`,
    };
  const full = await abilities.roomFor();
  if (full) return { code: 'capacity', message: full };
  const spec = { ...asked, runtime: 'docker' } as WorkerSpec;
  const missing = await abilities.imageObstacle(spec);
  return missing === undefined ? undefined : { code: 'unavailable', message: missing };
}

/** The fields that no process of this machine can satisfy. */
function needsDocker(asked: Asked, runtimes: CommandContext['runtimes']): string[] {
  const limits = runtimes.find(({ name }) => name === 'process')?.info?.limits;
  const unenforced = (['memory', 'cpus', 'pids'] as const).filter(
    (limit) => asked.resources?.[limit] !== undefined && limits && !limits[limit].supported,
  );
  return [
    ...IN_IMAGES.filter((field) => asked[field]?.length),
    ...(asked.image === undefined ? [] : ['image']),
    ...unenforced.map((limit) => `resources.${limit}`),
  ];
}
