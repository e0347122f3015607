/** References as users type them and `-o name` prints them: `worker/ID`, `pool/NAME`, `task/ID`, or only an ID or a name. Pure. */
import { Fault } from '../model/values/fault.ts';

/** The name of the pool in `pool/NAME`; undefined for another reference. */
export const poolIn = (ref: string): string | undefined =>
  ref.startsWith('pool/') ? ref.slice('pool/'.length) : undefined;

/** The name of a pool, with or without `pool/`. */
export const toPoolName = (ref: string): string => poolIn(ref) ?? ref;

const without = (kind: string) => (ref: string) => (ref.startsWith(kind) ? ref.slice(kind.length) : ref);

/** Where the verbs of another kind are. */
const OTHER_KINDS = { pool: 'wm pools --help', task: 'wm tasks --help', checkpoint: 'wm checkpoints --help' };

/** A reference to a worker without `worker/`. Throws a Fault `invalid_command` for one to something else. */
export function toWorkerRef(ref: string): string {
  const [, kind] = /^(pool|task|checkpoint)\//.exec(ref) ?? [];
  if (kind === undefined) return without('worker/')(ref);
  const help = OTHER_KINDS[kind as keyof typeof OTHER_KINDS];
  throw new Fault(
    'invalid_command',
    `${JSON.stringify(ref)} is a ${kind}, and this verb is for workers. \`${help}\` shows what can be done with it.`,
  );
}

/** A reference to a task without `task/`. */
export const toTaskRef: (ref: string) => string = without('task/');
