import type { Logger } from 'pino';
import type {
  ActionError,
  CrashPoint,
  Decision,
  ImageState,
  Intent,
  Limits,
  Observation,
  PendingWebhook,
  Vitals,
  WorkerRecord,
  WorkerSpec,
} from '../model/index.ts';
import type { Runtimes } from '../runtimes/registry.ts';
import type { Store } from '../store/index.ts';
import type { StartAdmission } from './admission/admission.ts';

/** The images of Docker bodies, and their uses. */
export interface BodyImages {
  /** The state of the image for a body of this spec; cheap, and builds nothing. */
  state: (spec: WorkerSpec) => Promise<ImageState>;
  /** Starts building it, unless it exists or is being built; returns immediately. */
  build: (spec: WorkerSpec) => void;
  usage: {
    hold: (name: string, holder: string, ttlMs: number) => Promise<'held' | 'removing'>;
    release: (name: string, holder: string) => Promise<unknown>;
  };
}

/** The messages of webhooks, which are stored with the decision that they report. */
export interface DecisionWebhooks {
  create: (
    record: WorkerRecord,
    observation: Observation,
    decision: Decision,
  ) => Record<string, PendingWebhook> | undefined;
  stored: (webhooks: Record<string, PendingWebhook>) => void;
}

/** What all reconciles of one term share. */
export interface ReconcileContext {
  store: Pick<Store, 'load' | 'repair' | 'record' | 'purge' | 'leads'>;
  runtimes: Runtimes;
  log: Logger;
  epoch: number;
  limits: Limits;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Since when this manager leads, milliseconds since 1970. */
  leadingSince: number;
  /** The URL of Redis from a body of that runtime, with the body's credentials. */
  bodyRedisUrl: (runtime: Observation['desired']['spec']['runtime']) => string;
  cell: string;
  /** Absent if no image of ours is run: without Docker, or with an image that the operator names. */
  images: BodyImages | undefined;
  /** The values of these secrets for a worker; throws a sentence that names the missing ones. */
  secrets: (workerId: string, names: string[]) => Promise<Record<string, string>>;
  /** HANDLERS_DIR, which direct workers read in place. */
  handlersDir?: string | undefined;
  /** The engine's error of the previous action, by worker; in memory, because another attempt does no harm. */
  actionErrors: Map<string, ActionError>;
  /** The results of that body's checks so far; absent without checks. */
  vitals?: ((bodyId: string) => Vitals | undefined) | undefined;
  /** Who may start a body now; absent if no worker has to wait. */
  startAdmission?: StartAdmission | undefined;
  /** Reports decisions over HTTP; absent if there is nothing to report to. */
  webhooks?: DecisionWebhooks | undefined;
  /** The lease is recent enough to start an action. */
  mayAct: () => boolean;
  crashPoint?: CrashPoint | undefined;
  toActionError: (intent: Intent, error: unknown) => ActionError | undefined;
  /** Called with every decision, and with every decision that was stored. */
  decided: (record: WorkerRecord, observation: Observation, decision: Decision) => void;
  recorded: (record: WorkerRecord, observation: Observation, decision: Decision) => void;
}
