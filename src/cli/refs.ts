/** References as users type them and `-o name` prints them: `worker/ID`, `pool/NAME`, `task/ID`, or only an ID or a name. Pure. */

/** The name of the pool in `pool/NAME`; undefined for another reference. */
export const poolIn = (ref: string): string | undefined =>
  ref.startsWith('pool/') ? ref.slice('pool/'.length) : undefined;

/** The name of a pool, with or without `pool/`. */
export const toPoolName = (ref: string): string => poolIn(ref) ?? ref;

const without = (kind: string) => (ref: string) => (ref.startsWith(kind) ? ref.slice(kind.length) : ref);

/** A reference to a worker without `worker/`. */
export const toWorkerRef: (ref: string) => string = without('worker/');

/** A reference to a task without `task/`. */
export const toTaskRef: (ref: string) => string = without('task/');
