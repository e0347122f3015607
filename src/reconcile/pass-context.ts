import type { Logger } from 'pino';
import type {
  Checkpoint,
  Decision,
  Intent,
  Limits,
  Observation,
  Refusal,
  WorkerRecord,
} from '../model/index.ts';
import type { Runtimes } from '../runtimes/registry.ts';
import type { Store } from '../store/index.ts';

/** What every pass of one term shares. */
export interface PassContext {
  store: Pick<Store, 'load' | 'record' | 'purge' | 'leads'>;
  runtimes: Runtimes;
  log: Logger;
  epoch: number;
  limits: Limits;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Since when this manager leads, milliseconds since 1970. */
  leadingSince: number;
  /** Redis as a body of that runtime sees it, with the body's credentials. */
  bodyRedisUrl: (runtime: Observation['desired']['spec']['runtime']) => string;
  cell: string;
  /** What the engine said to the act before, by worker; in memory, since trying once more does no harm. */
  refusals: Map<string, Refusal>;
  /** The lease is young enough to begin an act. */
  mayAct: () => boolean;
  checkpoint?: Checkpoint | undefined;
  refusalOf: (intent: Intent, error: unknown) => Refusal | undefined;
  /** Called with every decision, and with every one that was stored. */
  decided: (record: WorkerRecord, seen: Observation, decision: Decision) => void;
  recorded: (record: WorkerRecord, seen: Observation, decision: Decision) => void;
}
