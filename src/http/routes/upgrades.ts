/** The routes that lead into workers over other protocols, such as WebSocket. */
import { Fault, workerId } from '../../model/index.ts';
import type { DoorKind, DoorService } from '../door-service.ts';
import { passUpgradeToDoor } from '../pass-to-door.ts';
import { LONGEST_WAIT_SECONDS } from '../schemas/doors.ts';
import type { UpgradeCall, UpgradeRoute } from '../upgrade-route.ts';
import type { WorkerService } from '../worker-service.ts';
import { resolveWorkerName } from './worker-name.ts';

export interface UpgradeRoutesDeps {
  workers: Pick<WorkerService, 'findId'>;
  doors: DoorService;
}

export const createUpgradeRoutes = ({ workers, doors }: UpgradeRoutesDeps): UpgradeRoute[] => {
  const pass = async (call: UpgradeCall, kind: DoorKind, path: string) => {
    const { worker_id: ref = '' } = call.params;
    const worker_id = workerId.safeParse(ref).success ? ref : await resolveWorkerName(workers, ref);
    await passUpgradeToDoor(doors, call, { worker_id, kind, path, waitSeconds: takeWait(call.query) });
  };
  return [
    {
      path: '/v1/workers/:worker_id/pty',
      async handle(call) {
        const query = new URLSearchParams(call.query);
        query.delete('wait_seconds');
        await pass(call, 'pty', `/pty?${query}`);
      },
    },
  ];
};

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
