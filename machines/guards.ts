/** The guards of the worker's machine by the names that its rules use, each based on `conditions.ts`. Pure. */
import type { Observation } from '../src/model/index.ts';
import type { WorkerState } from './conditions.ts';
import * as is from './conditions.ts';
import * as end from './endings.ts';
import { whyHung } from './stuck.ts';

/** One step of the machine: the stored state, and the observation that it is compared with. */
export interface TransitionArgs {
  context: WorkerState;
  event: { type: 'observed'; observation: Observation };
}

export const guards = {
  // An unclear observation changes nothing.
  blind: ({ event }: TransitionArgs) => is.blind(event.observation),
  ambiguous: ({ event }: TransitionArgs) => event.observation.actual.kind === 'ambiguous',
  // The body.
  present: ({ event }: TransitionArgs) => event.observation.actual.kind === 'present',
  stale: ({ context, event }: TransitionArgs) => is.stale(context, event.observation),
  alive: ({ event }: TransitionArgs) => is.alive(event.observation),
  'alive after its grace': ({ context, event }: TransitionArgs) =>
    is.alive(event.observation) && is.graceOver(context, event.observation),
  ready: ({ context, event }: TransitionArgs) => is.ready(context, event.observation),
  silent: ({ context, event }: TransitionArgs) => is.silent(context, event.observation),
  hung: ({ context, event }: TransitionArgs) =>
    is.served(context, event.observation) && whyHung(event.observation) !== undefined,
  'never ready': ({ context, event }: TransitionArgs) =>
    is.alive(event.observation) && is.overdue(context, event.observation),
  'needs secrets': ({ context, event }: TransitionArgs) => is.needsSecrets(context, event.observation),
  // Its image.
  'image missing': ({ event }: TransitionArgs) => is.imageMissing(event.observation),
  'image being built': ({ event }: TransitionArgs) => event.observation.image?.kind === 'building',
  // Its permission to start.
  'must wait': ({ event }: TransitionArgs) => event.observation.queued !== undefined,
  // The desired state.
  unwanted: ({ context, event }: TransitionArgs) => is.unwanted(context, event.observation),
  'unwanted and alive': ({ context, event }: TransitionArgs) =>
    is.unwanted(context, event.observation) && is.alive(event.observation),
  'to be restarted': ({ context, event }: TransitionArgs) => is.mustRestart(context, event.observation),
  'to be restarted and alive': ({ context, event }: TransitionArgs) =>
    is.mustRestart(context, event.observation) && is.alive(event.observation),
  deleted: ({ event }: TransitionArgs) => event.observation.desired.desired === 'deleted',
  'started again': ({ context, event }: TransitionArgs) => is.startedAgain(context, event.observation),
  'kept long enough': ({ context, event }: TransitionArgs) => is.keptLongEnough(context, event.observation),
  // The end of a body: a restart by policy, or the end of the worker.
  'ended, to restart': ({ context, event }: TransitionArgs) =>
    end.ended(context, event.observation) && end.restarts(context, event.observation),
  'ended well': ({ context, event }: TransitionArgs) =>
    end.ended(context, event.observation) && end.outcome(context, event.observation).well,
  'ended badly': ({ context, event }: TransitionArgs) => end.ended(context, event.observation),
  'not ready in time, to restart': ({ context, event }: TransitionArgs) =>
    context.ending?.reason === 'StartDeadlineExceeded' && end.restarts(context, event.observation),
  'not ready in time': ({ context, event }: TransitionArgs) =>
    context.ending?.reason === 'StartDeadlineExceeded' && !is.unwanted(context, event.observation),
  'was hung, to restart': ({ context, event }: TransitionArgs) => end.restarts(context, event.observation),
  'was hung': ({ context, event }: TransitionArgs) => !is.unwanted(context, event.observation),
  'retry is due': ({ context, event }: TransitionArgs) => end.retryIsDue(context, event.observation),
  otherwise: () => true,
};
