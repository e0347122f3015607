/**
 * `src/placement` decides where a worker may run: which runtime it gets, and whether that runtime can do what it asks for.
 *
 * What must always hold: nothing is created here, and nothing that was asked for is dropped; what cannot be done is refused
 * with the reason. Must not import the store, the commands or the implementation of a runtime.
 */
import type { RuntimeName, WorkerSpec } from '../model/index.ts';
import type { RuntimeInfo } from '../runtimes/runtime.ts';

/** What a placement depends on. */
export interface PlacementContext {
  /** The runtimes that this manager uses, in order of preference; `info` is absent while one does not answer. */
  runtimes: readonly { name: RuntimeName; info: RuntimeInfo | undefined; error?: string | undefined }[];
  capabilities: Capabilities;
}

/** What this manager's machine and operator allow, as far as a `create` depends on it. */
export interface Capabilities {
  /** The operator's image for all Docker bodies; modules cannot be added to it. */
  foreignImage: string | undefined;
  /** ALLOW_PRIVILEGED: bodies may get the rights that a Docker daemon inside them needs. */
  allowPrivileged: boolean;
  /** WEBHOOK_ALLOW_PRIVATE: webhooks of workers may name private addresses. */
  allowPrivateWebhooks?: boolean;
  /** The secrets that are missing in the operator's directory. */
  missingSecrets: (names: string[]) => Promise<string[]>;
  /** The handler files that are missing in the operator's directory. */
  missingHandlers: (names: string[]) => Promise<string[]>;
  /** Why nothing more fits on this machine; `undefined` if there is space. */
  diskSpaceError: () => Promise<string | undefined>;
  /** Why the image of such a worker neither exists nor can be built; `undefined` otherwise. */
  imageUnavailableReason: (spec: WorkerSpec) => Promise<string | undefined>;
}
