/** Starts a manager from its settings: the log, the metrics, the token, the operator's files and the components. */
import { resolveApiToken } from '../config/api-token.ts';
import { contextPath, ensureToken, writeContextFile } from '../config/context-file.ts';
import { openHandlers } from '../config/handlers-dir.ts';
import { openSecrets } from '../config/secrets-dir.ts';
import type { Settings } from '../config/settings.ts';
import { errorMessage } from '../model/index.ts';
import { createLogger } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { createComponents } from './components.ts';
import type { ServeOptions } from './options.ts';
import { serve } from './serve.ts';

export interface StartOptions extends Pick<ServeOptions, 'signal' | 'cleanup'> {
  /** For the crash tests: the checkpoint at which this process ends. */
  crashAt: string | undefined;
  settings: Settings;
  /** The version of this program. */
  version: string;
  /** The path of the wrapper's bundle. */
  wrapper: string;
}

/** Runs a manager until the signal fires. */
export async function runManager({
  settings: given,
  version,
  wrapper,
  crashAt,
  ...options
}: StartOptions): Promise<void> {
  let generated = false;
  const apiToken = resolveApiToken(given, () => {
    generated = true;
    return ensureToken(contextPath(given));
  });
  const settings = { ...given, apiToken };
  const metrics = createMetrics({ version });
  const log = createLogger({ level: settings.logLevel, version, secrets: getKnownSecrets(settings) });
  await serve({
    ...options,
    checkpoint: parseCheckpoint(crashAt),
    ...createComponents({ settings, version, wrapper, metrics }).ofManager(),
    settings,
    version,
    metrics,
    log,
    secrets: openSecrets(settings.secretsDir),
    handlers: openHandlers(settings.handlersDir),
    listening(url) {
      try {
        writeCellContext(settings, generated, url);
      } catch (error) {
        log.warn({ why: errorMessage(error) }, 'failed to write the context file; set REDIS_URL for wm');
      }
    },
  });
}

/** Values that must not appear in the log. */
function getKnownSecrets({ redisUrl, workerRedisUrl, apiToken }: Settings): string[] {
  const passwords = [redisUrl, workerRedisUrl].map((url) =>
    url ? decodeURIComponent(new URL(url).password) : '',
  );
  return [...passwords, apiToken ?? ''].filter(Boolean);
}

/** For the command line on this machine: a manager that listens on all addresses also listens on loopback. */
function writeCellContext(settings: Settings & { apiToken: string }, generated: boolean, url: string): void {
  const near = new URL(url);
  if (near.hostname === '0.0.0.0') near.hostname = '127.0.0.1';
  if (near.hostname === '[::]') near.hostname = '[::1]';
  const { apiToken: token, redisUrl: redis_url } = settings;
  writeContextFile(contextPath(settings), { url: near.origin, token, token_generated: generated, redis_url });
}
