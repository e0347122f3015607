import type { HealthReport } from '../http/listener/health.ts';
import type { FaultCode } from '../model/values/fault.ts';

/** What the thread is started with. */
export interface WatchdogData {
  /** Memory of `shareState`. */
  shared: SharedArrayBuffer;
  redisUrl: string;
  cell: string;
  owner: string;
  leaseMs: number;
  hangMs: number;
  host: string;
  /** 0 selects a free port. */
  port: number;
  /** HTTP_ALLOWED_HOSTS. */
  allowedHosts: readonly string[];
  /** API_TOKEN, to reject unauthenticated requests before their bodies are read; the API itself checks it again. */
  token: string | undefined;
  /** Where the main thread serves all requests that the watchdog does not. */
  apiSocket: string;
  health: HealthReport;
  contentType: string;
}

/** From the main thread to the watchdog. */
export type ToWatchdog =
  | { type: 'start' | 'try' | 'release' | 'close' }
  | { type: 'health'; health: HealthReport }
  /** The response to `scrape`; `undefined` if the metrics could not be collected. */
  | { type: 'metrics'; text: string | undefined };

/** From the watchdog to the main thread. */
export type FromWatchdog =
  | { type: 'listening'; url: string; port: number }
  | { type: 'refused'; code: FaultCode; message: string }
  | { type: 'acquired'; epoch: number }
  | { type: 'lost'; reason: string }
  /** The records have a newer format than this program's, or no longer. */
  | { type: 'format'; newer: number | undefined }
  | { type: 'link'; ok: boolean; message: string }
  | { type: 'error'; message: string; fields: object }
  | { type: 'scrape' | 'released' };
