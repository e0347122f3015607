/**
 * The whole lifecycle of a worker on one page, as a pure statechart. Each reconcile sends one event, `observed`, with
 * one observation. In each state the rules are tried from top to bottom, and the first one whose guard holds applies:
 * it can request actions, change the stored state, and move to another state.
 *
 * Actions are requested again on each reconcile until the observation changes: the manager can crash between recording
 * a decision and acting on it, and an action that was requested only once, on a transition, would then be lost.
 *
 * Imports only the model and xstate. Reads no clock, no randomness and no environment.
 */
import { assign, setup } from 'xstate';
import type { WorkerState } from './conditions.ts';
import { guards, type TransitionArgs } from './guards.ts';
import { create, deliver, kill, remove, requestBuild, start, terminate, when } from './rules.ts';
import * as after from './transitions.ts';

/**
 * Increases if the stored state changes its meaning; an older memo is then rebuilt from the status and an observation.
 */
export const MACHINE_VERSION = 1;

const machineSetup = setup({
  types: {
    context: {} as WorkerState,
    events: {} as TransitionArgs['event'],
    input: {} as WorkerState,
  },
  guards,
  actions: {
    // Changes of the stored state.
    adopt: assign(({ context, event }) => after.adopted(context, event.observation)),
    'mark ready': assign(({ context, event }) => after.markedReady(context, event.observation)),
    'begin ending': assign(({ context, event }) => after.ending(context, event.observation)),
    'give up': assign(({ context, event }) => after.hung(context, event.observation)),
    'back off': assign(({ context, event }) => after.backedOff(context, event.observation)),
    'next incarnation': assign(({ context, event }) => after.nextIncarnation(context, event.observation)),
    'do without': assign(({ context, event }) => after.doneWithout(context, event.observation)),
    'start afresh': assign(({ context, event }) => after.freshStart(context, event.observation)),
    'join the queue': assign(({ context, event }) => after.queued(context, event.observation)),
    'leave the queue': assign(({ context, event }) => after.admitted(context, event.observation)),
    settle: assign(({ context, event }) => after.settled(context, event.observation)),
    // Requested actions: named here, executed by src/reconcile/act.ts.
    build: (_, _params: { image: string }) => {},
    create: (_, _params: { incarnation: number }) => {},
    start: (_, _params: { body_id: string }) => {},
    deliver: (_, _params: { body_id: string }) => {},
    terminate: (_, _params: { body_id: string }) => {},
    kill: (_, _params: { body_id: string }) => {},
    remove: (_, _params: { body_id: string }) => {},
    purge: () => {},
    /** Names the rule that was applied, for `explain` and the tests. */
    rule: (_, _params: { name: string }) => {},
  },
});

const unclear = [when('blind', []), when('ambiguous', [])];
const endings = [
  when('ended, to restart', ['back off', remove], 'STARTING.backoff'),
  when('ended well', ['settle', remove], 'STOPPED'),
  when('ended badly', ['settle', remove], 'FAILED'),
];
const stopping = [...unclear, when('alive after its grace', [kill]), when('alive', [terminate])];
const stopped = when('otherwise', ['settle', remove], 'STOPPED');
const unwanted = (to: 'STARTING.stopping' | 'RUNNING.stopping') => [
  when('unwanted and alive', ['begin ending', terminate], to),
  when('unwanted', ['settle', remove], 'STOPPED'),
];
const restarted = when('to be restarted', ['start afresh', remove], 'STARTING.creating');
const replaced = (by: 'STARTING.stopping' | 'RUNNING.stopping') => [
  when('to be restarted and alive', ['begin ending', terminate], by),
  restarted,
];
const starting = [...unclear, ...unwanted('STARTING.stopping'), ...replaced('STARTING.stopping'), ...endings];
const running = [...unclear, ...unwanted('RUNNING.stopping'), ...replaced('RUNNING.stopping'), ...endings];
const booting = [
  when('ready', ['mark ready'], 'RUNNING.ready'),
  when('never ready', ['begin ending', terminate], 'STARTING.stopping'),
  when('needs secrets', [deliver]),
  when('otherwise', []),
];
const hung = when('hung', ['give up', kill], 'RUNNING.killing');
const finished = [
  ...unclear,
  when('present', [remove]),
  when('deleted', ['purge'], 'DELETED'),
  when('started again', ['start afresh'], 'STARTING.creating'),
  when('kept long enough', ['purge'], 'DELETED'),
  when('otherwise', []),
];

export const workerMachine = machineSetup.createMachine({
  id: 'worker',
  context: ({ input }) => input,
  initial: 'STARTING',
  states: {
    STARTING: {
      initial: 'creating',
      states: {
        creating: {
          on: {
            observed: [
              ...unclear,
              ...unwanted('STARTING.stopping'),
              ...replaced('STARTING.stopping'),
              when('stale', [remove]),
              ...endings,
              // A worker that claimed a warm body may be ready before the first observation.
              when('ready', ['mark ready'], 'RUNNING.ready'),
              when('alive', ['adopt'], 'STARTING.booting'),
              when('present', [start]),
              when('image missing', [requestBuild], 'STARTING.building'),
              when('image being built', [], 'STARTING.building'),
              when('must wait', ['join the queue'], 'STARTING.queued'),
              when('otherwise', [create]),
            ],
          },
        },
        building: {
          on: {
            observed: [
              ...starting,
              when('present', [], 'STARTING.creating'),
              when('image missing', [requestBuild]),
              when('image being built', []),
              when('must wait', ['join the queue'], 'STARTING.queued'),
              when('otherwise', [create], 'STARTING.creating'),
            ],
          },
        },
        // The number of booting bodies is limited (src/reconcile/admission/admission.ts): this worker waits to
        // start.
        queued: {
          on: {
            observed: [
              ...starting,
              when('present', ['leave the queue'], 'STARTING.creating'),
              when('image missing', ['leave the queue', requestBuild], 'STARTING.building'),
              when('image being built', ['leave the queue'], 'STARTING.building'),
              when('must wait', []),
              when('otherwise', ['leave the queue', create], 'STARTING.creating'),
            ],
          },
        },
        booting: { on: { observed: [...starting, ...booting] } },
        backoff: {
          on: {
            observed: [
              ...unclear,
              when('unwanted', ['settle', remove], 'STOPPED'),
              when('present', [remove]),
              restarted,
              when('retry is due', ['next incarnation'], 'STARTING.creating'),
              when('otherwise', []),
            ],
          },
        },
        stopping: {
          on: {
            observed: [
              ...stopping,
              restarted,
              when('not ready in time, to restart', ['back off', remove], 'STARTING.backoff'),
              when('not ready in time', ['settle', remove], 'FAILED'),
              stopped,
            ],
          },
        },
      },
    },
    RUNNING: {
      initial: 'ready',
      states: {
        // The initial state of a worker that claimed a running body; it is written when the create is accepted.
        assigned: {
          on: {
            observed: [
              ...running,
              when('ready', ['mark ready'], 'RUNNING.ready'),
              when('alive', ['adopt'], 'RUNNING.booting'),
              when('present', [start]),
              when('otherwise', ['do without'], 'STARTING.creating'),
            ],
          },
        },
        booting: { on: { observed: [...running, ...booting] } },
        ready: {
          on: { observed: [...running, hung, when('silent', [], 'RUNNING.silent'), when('otherwise', [])] },
        },
        silent: {
          on: { observed: [...running, hung, when('silent', []), when('otherwise', [], 'RUNNING.ready')] },
        },
        killing: {
          on: {
            observed: [
              ...unclear,
              when('alive', [kill]),
              restarted,
              when('was hung, to restart', ['back off', remove], 'STARTING.backoff'),
              when('was hung', ['settle', remove], 'FAILED'),
              stopped,
            ],
          },
        },
        stopping: { on: { observed: [...stopping, restarted, stopped] } },
      },
    },
    STOPPED: { on: { observed: finished } },
    FAILED: { on: { observed: finished } },
    // A start command accepted while a finished worker was about to be deleted counts.
    DELETED: {
      on: {
        observed: [
          ...unclear,
          when('present', [remove]),
          when('started again', ['start afresh'], 'STARTING.creating'),
          when('otherwise', ['purge']),
        ],
      },
    },
  },
});
