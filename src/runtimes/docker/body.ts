import type { ContainerInfo, ContainerInspectInfo } from 'dockerode';
import { type Body, type BodyState, LABEL, workerId } from '../../model/index.ts';

/**
 * Converts the engine's description of a container into a body. Pure.
 *
 * The state comes from `Status`, never from the `Running` flag, which is also true for a restarting
 * container. `removing` and `dead` appear only after nothing is alive.
 */
const STATES: Record<string, BodyState> = {
  created: 'created',
  running: 'running',
  paused: 'running',
  restarting: 'running',
  exited: 'exited',
  removing: 'exited',
  dead: 'exited',
};

/** The body's fields from its labels; `undefined` if they do not name a worker of the cell. */
function fromLabels(labels: Record<string, string> | null | undefined, cell: string) {
  const given = labels ?? {};
  const id = given[LABEL.workerId];
  if (given[LABEL.managed] !== 'true' || given[LABEL.cell] !== cell || !workerId.safeParse(id).success)
    return undefined;
  const incarnation = Number(given[LABEL.incarnation]);
  return {
    runtime: 'docker' as const,
    worker_id: id as string,
    incarnation: Number.isInteger(incarnation) ? incarnation : 0,
    spec_hash: given[LABEL.specHash] ?? '',
    spec: given[LABEL.spec] ?? '',
    ...(given[LABEL.store] ? { store: given[LABEL.store] } : {}),
    ...(given[LABEL.workspace] ? { workspace: given[LABEL.workspace] } : {}),
  };
}

/** Converts an inspect result, without the tail; `undefined` if it is not a body of the cell. */
export function bodyFromInspect(info: ContainerInspectInfo, cell: string): Body | undefined {
  const known = fromLabels(info.Config.Labels, cell);
  if (!known) return undefined;
  const { State } = info;
  // The engine leaves a container that could not be started as `created`, with its name; it will never run.
  const failed = State.Status === 'created' && (State.ExitCode !== 0 || State.Error !== '');
  const state = failed ? 'exited' : toBodyState(State.Status);
  return {
    id: info.Id,
    ...known,
    state,
    ...(state === 'exited' ? { exit_code: State.ExitCode, oom_killed: State.OOMKilled } : {}),
    ...(State.Error === '' ? {} : { error: State.Error }),
    ...(State.Status === 'paused' ? { paused: true } : {}),
    ...(State.Health?.Status === 'unhealthy' ? { unhealthy: true } : {}),
    // In whole seconds, as in a list, so that both report the same value.
    created_at: Math.floor((parseEngineTime(info.Created) ?? 0) / 1000) * 1000,
    started_at: parseEngineTime(State.StartedAt),
    finished_at: state === 'exited' ? parseEngineTime(State.FinishedAt) : undefined,
    ip_address: findAddress(info.NetworkSettings?.Networks),
    image: info.Config.Image,
  };
}

/**
 * Converts a line of a list; `undefined` if it is not a body of the cell. A list does not show whether a
 * `created` container failed to start; only an inspect does.
 */
export function bodyFromList(info: ContainerInfo, cell: string): Body | undefined {
  const known = fromLabels(info.Labels, cell);
  if (!known) return undefined;
  return {
    id: info.Id,
    ...known,
    state: toBodyState(info.State),
    exit_code: parseExitCode(info.Status),
    ...(info.State === 'paused' ? { paused: true } : {}),
    ...(info.Status.includes('(unhealthy)') ? { unhealthy: true } : {}),
    created_at: info.Created * 1000,
    ip_address: findAddress(info.NetworkSettings?.Networks),
    image: info.Image,
  };
}

/** Unknown states of newer engines count as alive, so that the body is neither removed nor created twice. */
const toBodyState = (status: string): BodyState => STATES[status] ?? 'running';

/** Parses `Exited (3) 2 seconds ago`, the only field of a list with the exit code. */
function parseExitCode(status: string): number | undefined {
  const code = /^Exited \((\d+)\)/.exec(status)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** Go's zero time means never. */
function parseEngineTime(text: string | undefined): number | undefined {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) || ms <= 0 ? undefined : ms;
}

function findAddress(
  networks: Record<string, { IPAddress?: string }> | null | undefined,
): string | undefined {
  return Object.values(networks ?? {}).find((network) => network?.IPAddress)?.IPAddress;
}
