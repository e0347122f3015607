/**
 * Selects the runtime of a worker. `auto` is resolved here, once, so that no later reconcile can select another one:
 * the first runtime that can take the worker now. A runtime with images can if it answers and the image exists or can
 * be built. Features that only such a runtime supports select it, or are refused with the reason; no request is
 * dropped.
 */

import {
  type CommandOf,
  Fault,
  getCapabilities,
  RUNTIME_NAMES,
  type RuntimeName,
  type WorkerSpec,
} from '../model/index.ts';
import { IN_IMAGES } from './capabilities.ts';
import type { PlacementContext } from './context.ts';

export type PlacementRequest = Omit<CommandOf<'create'>, 'command' | 'request_id' | 'worker_id'>;

export interface PlacementDecision {
  runtime: RuntimeName;
  /** The reason in one sentence; only set if the manager selected the runtime. */
  reason?: string;
}

/** Throws a Fault if no runtime of this manager supports the request. */
export async function chooseRuntime(
  request: PlacementRequest,
  context: PlacementContext,
): Promise<PlacementDecision> {
  const { runtimes } = context;
  const [first, ...others] = runtimes;
  const wanted = request.runtime;
  if (wanted !== 'auto') {
    const found = runtimes.find(({ name }) => name === wanted);
    if (found) return { runtime: found.name };
    throw notInUse(wanted, runtimes);
  }
  if (!first) throw new Fault('unavailable', 'This manager has no runtime for workers.');
  if (others.length === 0)
    return { runtime: first.name, reason: `This manager uses only ${first.name} (RUNTIME=${first.name}).` };
  const refused: Refused[] = [];
  for (const runtime of runtimes) {
    const why = await findUnavailability(request, runtime, context);
    if (!why) return { runtime: runtime.name, reason: reasonFor(runtime.name, refused) };
    refused.push({ runtime: runtime.name, ...why });
  }
  throw nowhere(refused);
}

type Candidate = PlacementContext['runtimes'][number];

/** Why no body of this worker can be created in a runtime now; `fields` are those that it never supports. */
interface Unavailability {
  code: 'unavailable' | 'capacity' | 'unsupported';
  message: string;
  fields: string[];
}
type Refused = Unavailability & { runtime: RuntimeName };

const getTitle = (name: RuntimeName) => getCapabilities(name).title;

function reasonFor(name: RuntimeName, refused: readonly Refused[]): string {
  const others = refused.map(({ runtime, message }) => `Not in ${getTitle(runtime)}: ${message}`);
  if (others.length > 0) return others.join(' ');
  const image = getCapabilities(name).usesImages ? ', and the image exists or can be built' : '';
  return `${getTitle(name)} answers${image}.`;
}

function notInUse(name: string, runtimes: readonly Candidate[]): Fault {
  const used = runtimes.map(({ name }) => name);
  const why = (RUNTIME_NAMES as string[]).includes(name)
    ? 'is not used by this manager'
    : 'does not exist in this version';
  return new Fault('unsupported', `The runtime ${name} ${why}. Use ${[...used, 'auto'].join(' or ')}.`, {
    issues: [{ path: 'runtime', message: `must be one of ${used.join(', ')}, auto` }],
  });
}

/** What rules out the runtimes that would support everything, and which fields rule out the others. */
function nowhere(refused: readonly Refused[]): Fault {
  const able = refused.filter(({ fields }) => fields.length === 0);
  const fields = [...new Set(refused.flatMap((one) => one.fields))];
  const [best] = able.length > 0 ? able : refused;
  const only = able.map(({ runtime }) => getTitle(runtime)).join(' or ');
  const needs = fields.length > 0 && only ? `Only ${only} supports ${fields.join(' and ')}. ` : '';
  const issues = fields.map((path) => ({
    path,
    message: only ? `is supported only by ${only}` : 'is not supported here',
  }));
  return new Fault(
    best?.code ?? 'unavailable',
    `${needs}${best?.message ?? ''}`,
    issues.length > 0 ? { issues } : {},
  );
}

async function findUnavailability(
  request: PlacementRequest,
  { name, info, error }: Candidate,
  { capabilities }: PlacementContext,
): Promise<Unavailability | undefined> {
  const { title, usesImages } = getCapabilities(name);
  const obstacle = (code: Unavailability['code'], message: string) => ({ code, message, fields: [] });
  if (!usesImages) {
    const fields = unmet(request, info);
    return fields.length === 0
      ? undefined
      : { code: 'unsupported', message: `${title} workers do not support that.`, fields };
  }
  if (!info) return obstacle('unavailable', `${title} does not answer${error ? `: ${error}` : '.'}`);
  const full = await capabilities.diskSpaceError();
  if (full) return obstacle('capacity', full);
  const missing = await capabilities.imageUnavailableReason({ ...request, runtime: name } as WorkerSpec);
  return missing === undefined ? undefined : obstacle('unavailable', missing);
}

/** The fields that a runtime without images cannot satisfy. */
function unmet(request: PlacementRequest, info: Candidate['info']): string[] {
  const unenforced = (['memory', 'cpus', 'pids'] as const).filter(
    (limit) => request.resources?.[limit] !== undefined && info && !info.limits[limit].supported,
  );
  return [
    ...IN_IMAGES.filter((field) => request[field]?.length),
    ...(request.image === undefined ? [] : ['image']),
    ...unenforced.map((limit) => `resources.${limit}`),
  ];
}
