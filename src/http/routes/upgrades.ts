/** The routes that lead into workers over other protocols, such as WebSocket. */
import { Fault, workerId } from '../../model/index.ts';
import { readPortHost, toApiUrl } from '../access/port-access.ts';
import type { DoorService } from '../doors/door-service.ts';
import { passUpgradeToDoor } from '../doors/pass-to-door.ts';
import { LONGEST_WAIT_SECONDS } from '../schemas/doors.ts';
import type { UpgradeCall, UpgradeRoute } from '../upgrade-route.ts';
import type { WorkerService } from '../workers/worker-service.ts';
import { toPortHeaders, toProgramPath } from './ports.ts';
import { viewQuery } from './ptys.ts';
import { resolveWorkerName } from './worker-name.ts';

export interface UpgradeRoutesDeps {
  workers: Pick<WorkerService, 'findId'>;
  doors: DoorService;
  /** API_TOKEN. */
  token: string | undefined;
}

export const createUpgradeRoutes = ({ workers, doors, token }: UpgradeRoutesDeps): UpgradeRoute[] => {
  const pass = async (call: UpgradeCall, options: Omit<UpgradeOptions, 'worker_id'>) => {
    const { worker_id: ref = '' } = call.params;
    const worker_id = workerId.safeParse(ref).success ? ref : await resolveWorkerName(workers, ref);
    return passUpgradeToDoor(doors, call, { worker_id, ...options });
  };
  return [
    {
      path: '/v1/workers/:worker_id/pty',
      async handle(call) {
        checkViewQuery(call.query);
        const query = new URLSearchParams(call.query);
        query.delete('wait_seconds');
        const waitSeconds = takeWait(call.query);
        return pass(call, { kind: 'pty', path: `/pty?${query}`, waitSeconds });
      },
    },
    {
      path: '/v1/workers/:worker_id/ports/:port',
      async handle(call) {
        const port = /^(\d{1,5}):tcp$/.exec(call.params.port ?? '')?.[1];
        if (port === undefined) throw new Fault('not_found', 'A port is PORT/PATH, or PORT:tcp for TCP.');
        return pass(call, { kind: 'ports', path: `/tcp/${port}` });
      },
    },
    {
      path: '/v1/workers/:worker_id/ports/:port/*',
      async handle(call) {
        const { worker_id = '', port = '' } = call.params;
        const path = `/ports/${encodeURIComponent(port)}${toProgramPath(toApiUrl(call.request))}`;
        const headers = toPortHeaders(call.request, { worker_id, port }, token);
        const allowsCookies = readPortHost(call.request.headers.host) !== undefined;
        return pass(call, { kind: 'ports', path, headers, allowsCookies });
      },
    },
  ];
};

type UpgradeOptions = Parameters<typeof passUpgradeToDoor>[2];

/** As in every other query, a parameter that is not known is refused. The body checks the values. */
function checkViewQuery(query: URLSearchParams): void {
  const issues = [...new Set(query.keys())].flatMap((path) => {
    if (!Object.hasOwn(viewQuery.shape, path)) return { path, message: 'is not a known field' };
    return path !== 'command' && query.getAll(path).length > 1 ? { path, message: 'must be given once' } : [];
  });
  if (issues.length === 0) return;
  const what = issues.map(({ path, message }) => `${path.slice(0, 100)} ${message}`).join('; ');
  throw new Fault('invalid_command', `The request was refused: ${what}.`, { issues });
}

/** How long to wait for a worker that is starting; throws a Fault `invalid_command`. */
function takeWait(query: URLSearchParams): number | undefined {
  const text = query.get('wait_seconds');
  if (text === null) return undefined;
  const seconds = Number(text);
  if (text !== '' && seconds >= 0 && seconds <= LONGEST_WAIT_SECONDS) return seconds;
  const message = `must be a number from 0 to ${LONGEST_WAIT_SECONDS}`;
  throw new Fault('invalid_command', `The request was refused: wait_seconds ${message}.`, {
    issues: [{ path: 'wait_seconds', message }],
  });
}
