/**
 * Keeps the context file of the cell on a manager that lives: a new leader writes its address, and so does every
 * manager that finds the one in the file gone. So a killed manager is replaced in it, and a standby that ends changes
 * nothing.
 */
import type { Logger } from 'pino';
import { contextPath, readContextFile, writeCellContext } from '../config/context-file.ts';
import { errorMessage } from '../model/index.ts';

/** Interval of the checks whether the manager in the file still answers. */
const CHECK_MS = 3000;
const ANSWER_MS = 1000;

export interface ContextKeeper {
  /** Call it when the HTTP server listens. */
  listening(url: string): void;
  /** Call it at the beginning of each term. */
  leading(): void;
}

export function createContextKeeper(options: {
  settings: { home: string; cell: string; apiToken: string; redisUrl: string };
  /** Whether the token was generated for this cell. */
  generated: boolean;
  signal: AbortSignal;
  log: Pick<Logger, 'warn'>;
  checkMs?: number;
}): ContextKeeper {
  const { settings, generated, signal, log, checkMs = CHECK_MS } = options;
  const path = contextPath(settings);
  let own: string | undefined;
  let failed = false;

  function write(): void {
    if (own === undefined || signal.aborted) return;
    try {
      writeCellContext(settings, { generated, url: own });
      failed = false;
    } catch (error) {
      if (!failed)
        log.warn({ why: errorMessage(error) }, 'failed to write the context file; set REDIS_URL for wm');
      failed = true;
    }
  }

  async function check(): Promise<void> {
    const url = readContextFile(path)?.url;
    if (url === own) return;
    if (url === undefined || !(await answers(url))) write();
  }

  return {
    listening(url) {
      own = toNearUrl(url);
      const known = readContextFile(path)?.url;
      // At the same address there can't be another manager.
      if (known === undefined || known === own) write();
      else void check();
      const timer = setInterval(() => void check(), checkMs);
      // A manager that ends because of an error does not fire the signal.
      timer.unref();
      signal.addEventListener('abort', () => clearInterval(timer), { once: true });
    },
    leading: write,
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    const { status } = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(ANSWER_MS) });
    return status === 200 || status === 503;
  } catch {
    return false;
  }
}

/** The URL from this machine: a manager that listens on all addresses also listens on loopback. */
function toNearUrl(url: string): string {
  const near = new URL(url);
  if (near.hostname === '0.0.0.0') near.hostname = '127.0.0.1';
  if (near.hostname === '[::]') near.hostname = '[::1]';
  return near.origin;
}
