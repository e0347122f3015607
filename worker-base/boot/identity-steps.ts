/**
 * The steps that determine the worker of this body: a node's name, the worker's record, and the claim of a
 * warm body.
 */
import { Door } from '../door/door.ts';
import { type BootStep, EX_CONFIG, SIGTERM_CODE } from './boot.ts';
import { readStartState } from './initial-state.ts';

/** A node that was started manually must be the only one with its name. */
export const claimNodeName: BootStep = async (boot) => {
  const { settings, keys, commands, log, signal } = boot;
  if (!settings.external) return undefined;
  const { Registration } = await import('../tasks/node-registration.ts');
  const registration = new Registration(keys, settings);
  const { claim } = registration;
  const result = await claim.take(commands, signal, (seconds) =>
    log.warn('this WORKER_ID is still registered; waiting until it expires', { seconds }),
  );
  if (!result.taken) {
    if (result.message === undefined) return SIGTERM_CODE;
    log.error(result.message);
    return EX_CONFIG;
  }
  claim.keep(commands, (message) => {
    log.error(`${message} This node exits.`);
    boot.abort();
  });
  boot.node = {
    claim,
    beat: (heartbeat) => registration.beat(heartbeat),
    leave: () => registration.leave(),
  };
  return undefined;
};

/** Reads the spec and the position of the output; a node that was started manually has its own spec. */
export const readRecord: BootStep = async (boot) => {
  const { settings, commands: redis, keys, log, signal, node } = boot;
  const spec = node && (await import('../tasks/node-registration.ts')).externalSpec();
  const start = await readStartState({ redis, keys, workerId: settings.workerId, log, signal, spec });
  if (!start) {
    log.info('shutdown requested before the agent was started');
    return SIGTERM_CODE;
  }
  boot.start = start;
  return undefined;
};

/** Listens before anything is waited for, so that the body can be reached while it starts. */
export const openDoor: BootStep = (boot) => {
  const { settings, commands, keys, log } = boot;
  if (settings.door === undefined) return undefined;
  const findKey = (id: string) => commands.get(keys.doorKey(id));
  boot.door = new Door({ address: settings.door, settings, log, findKey });
  boot.door.open();
  return undefined;
};

/** The door serves the worker whose body this now is. */
export const admitWorker: BootStep = ({ door, settings, start, log }) => {
  door?.admit(settings, start.spec, log);
  return undefined;
};

/** A warm body waits until a worker claims it, and is that worker's body from then on. */
export const waitForClaim: BootStep = async (boot) => {
  const { settings, keys, commands, start, log, signal } = boot;
  if (!start.spec.warm) return undefined;
  const { awaitAssignment } = await import('./await-claim.ts');
  await boot.door?.load();
  const assigned = await awaitAssignment({ settings, keys, commands, start, log, signal });
  if (!assigned) {
    log.info('shutdown requested before the worker was claimed');
    return SIGTERM_CODE;
  }
  boot.assigned = assigned;
  boot.settings = assigned.settings;
  boot.log = assigned.log;
  boot.start = assigned.start;
  return undefined;
};
