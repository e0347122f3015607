/** The guards of the worker's machine by the names that its rules use, each a question of `conditions.ts`. Pure. */
import type { Observation } from '../src/model/index.ts';
import type { Life } from './conditions.ts';
import * as is from './conditions.ts';
import { whyHung } from './stuck.ts';

/** One step of the machine: what is remembered, and the look that it is held against. */
export interface Step {
  context: Life;
  event: { type: 'observed'; seen: Observation };
}

export const guards = {
  // What is not seen clearly changes nothing.
  blind: ({ event }: Step) => is.blind(event.seen),
  ambiguous: ({ event }: Step) => event.seen.actual.kind === 'ambiguous',
  // The body.
  present: ({ event }: Step) => event.seen.actual.kind === 'present',
  stale: ({ context, event }: Step) => is.stale(context, event.seen),
  alive: ({ event }: Step) => is.alive(event.seen),
  'alive after its grace': ({ context, event }: Step) =>
    is.alive(event.seen) && is.graceOver(context, event.seen),
  ready: ({ context, event }: Step) => is.ready(context, event.seen),
  silent: ({ context, event }: Step) => is.silent(context, event.seen),
  hung: ({ context, event }: Step) => is.served(context, event.seen) && whyHung(event.seen) !== undefined,
  'never ready': ({ context, event }: Step) => is.alive(event.seen) && is.overdue(context, event.seen),
  'needs secrets': ({ context, event }: Step) => is.needsSecrets(context, event.seen),
  // Its image.
  'image missing': ({ event }: Step) => is.imageMissing(event.seen),
  'image being built': ({ event }: Step) => event.seen.image?.kind === 'building',
  // Its turn to start.
  'must wait': ({ event }: Step) => event.seen.queued !== undefined,
  // What is wanted.
  unwanted: ({ context, event }: Step) => is.unwanted(context, event.seen),
  'unwanted and alive': ({ context, event }: Step) =>
    is.unwanted(context, event.seen) && is.alive(event.seen),
  deleted: ({ event }: Step) => event.seen.desired.desired === 'deleted',
  'started again': ({ context, event }: Step) => is.startedAgain(context, event.seen),
  'kept long enough': ({ context, event }: Step) => is.keptLongEnough(context, event.seen),
  // The end of one body: restarted by policy, or the end of the worker.
  'ended, to restart': ({ context, event }: Step) =>
    is.ended(context, event.seen) && is.restarts(context, event.seen),
  'ended well': ({ context, event }: Step) =>
    is.ended(context, event.seen) && is.outcome(context, event.seen).well,
  'ended badly': ({ context, event }: Step) => is.ended(context, event.seen),
  'not ready in time, to restart': ({ context, event }: Step) =>
    context.ending?.reason === 'StartDeadlineExceeded' && is.restarts(context, event.seen),
  'not ready in time': ({ context, event }: Step) =>
    context.ending?.reason === 'StartDeadlineExceeded' && !is.unwanted(context, event.seen),
  'was hung, to restart': ({ context, event }: Step) => is.restarts(context, event.seen),
  'was hung': ({ context, event }: Step) => !is.unwanted(context, event.seen),
  'retry is due': ({ context, event }: Step) => is.retryIsDue(context, event.seen),
  otherwise: () => true,
};
