/** Starts a manager from its settings: its Redis, the log, the metrics, the token, the operator's files and the components. */
import { resolveApiToken } from '../config/api-token.ts';
import { contextPath, ensureToken } from '../config/context-file.ts';
import { openHandlers } from '../config/handlers-dir.ts';
import { openSecrets } from '../config/secrets-dir.ts';
import { findSettingProblems } from '../config/setting-problems.ts';
import { getKnownSecrets, type Settings } from '../config/settings.ts';
import { createLogger } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createComponents } from './components.ts';
import { createContextKeeper } from './context-keeper.ts';
import { parseCrashPoint } from './crash-point.ts';
import type { ServeOptions } from './options.ts';
import { serve } from './serve.ts';
import { serveCell } from './serve-cell.ts';
import { openTracing } from './tracing.ts';
import { withWorkerToken } from './worker-secrets.ts';

export interface StartOptions extends Pick<ServeOptions, 'signal' | 'cleanup'> {
  settings: Settings;
  /** The version of this program. */
  version: string;
  /** The path of the wrapper's bundle. */
  wrapper: string;
  /** The environment; WM_CRASH_AT is the crash point at which this process ends, for the crash tests. */
  env: NodeJS.ProcessEnv;
}

/** Runs a manager until the signal fires. */
export async function runManager({
  settings: given,
  version,
  wrapper,
  env,
  ...options
}: StartOptions): Promise<void> {
  let generated = false;
  const generate = () => {
    generated = true;
    return ensureToken(contextPath(given));
  };
  // Checked before anything is written or started.
  resolveApiToken(given, () => '');
  const cell = {
    settings: given,
    hasRedis: Boolean(env.REDIS_URL),
    env,
    runtimes: (settings: Settings) => createComponents({ settings, version, wrapper }).runtimes(),
    note: (line: string) => console.error(line),
  };
  await serveCell(cell, async (ready) => {
    const settings = { ...ready, apiToken: resolveApiToken(given, generate) };
    const metrics = createMetrics({ version });
    const log = createLogger({ level: settings.logLevel, version, secrets: getKnownSecrets(settings) });
    // Not awaited: a folder on a network mount may hang.
    void findSettingProblems(settings, env).then((problems) => {
      for (const { name, found, advice } of problems)
        log.warn({ setting: name, why: found, advice }, 'setting does not work');
    });
    const tracing =
      settings.otlpEndpoint === undefined ? undefined : await openTracing(settings, version, log);
    const { onCall } = tracing ?? {};
    await serve({
      ...options,
      ...createComponents({ settings, version, wrapper, metrics, onCall }).ofManager(),
      traces: tracing?.traces,
      crashPoint: parseCrashPoint(env.WM_CRASH_AT),
      settings,
      version,
      metrics,
      log,
      secrets: withWorkerToken(openSecrets(settings.secretsDir), settings.apiToken),
      handlers: openHandlers(settings.handlersDir),
      context: createContextKeeper({ settings, generated, signal: options.signal, log }),
    }).finally(() => tracing?.close());
  });
}
