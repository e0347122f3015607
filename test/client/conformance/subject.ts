import type { ManagerConnection, ManagerError } from '../../../src/client/index.ts';
import type { ClientScene } from '../scene.ts';

/** What the conformance tests of a transport run on. */
export type ClientSubject = () => { scene: ClientScene; client: ManagerConnection };

export const LONG = 60_000;
export const SOON = { timeout: 20_000, interval: 50 };

/** What an operation throws; `undefined` if it succeeds. */
export const refusal = (promise: Promise<unknown>): Promise<ManagerError | undefined> =>
  promise.then(
    () => undefined,
    (error: ManagerError) => error,
  );
