/**
 * The manager's settings, parsed with the table in `variables.ts`.
 *
 * Pure: main.ts, the only file that reads the environment, passes it.
 */

import type { z } from 'zod';
import { Fault, type Issue, takeHead } from '../model/index.ts';
import type { Environment, Variable } from './variable.ts';
import { VARIABLES } from './variables.ts';

type Table = typeof VARIABLES;
/** The effective settings; each duration has the unit in its name. */
export type Settings = { [K in keyof Table]: z.output<Table[K]['schema']> };

/**
 * Parses the settings; throws a Fault `invalid_command` that names every invalid variable. An empty variable counts as
 * not set.
 */
export function readSettings(env: Environment): Settings {
  const issues: Issue[] = [];
  const settings: Record<string, unknown> = {};
  for (const [key, variable] of entries()) {
    const text = env[variable.name] || getFallback(variable, env);
    const result = variable.schema.safeParse(text);
    if (result.success) settings[key] = result.data;
    else
      issues.push({
        path: variable.name,
        message: `is "${shown(variable, text)}", but must be ${variable.allowed}`,
      });
  }
  const read = settings as Settings;
  if (read.restartBackoffSeconds > read.restartBackoffMaxSeconds) {
    const base = `RESTART_BACKOFF_SECONDS (${read.restartBackoffSeconds})`;
    const message = `is "${read.restartBackoffMaxSeconds}", but must be at least ${base}`;
    issues.push({ path: 'RESTART_BACKOFF_MAX_SECONDS', message });
  }
  if (read.apiToken !== undefined && read.apiTokenFile !== undefined)
    issues.push({
      path: 'API_TOKEN_FILE',
      message: 'cannot be combined with API_TOKEN',
    });
  const { webhookUrls = [], webhookSecret } = read as Partial<Settings>;
  if (webhookUrls.length > 0 && webhookSecret?.length === 0)
    issues.push({ path: 'WEBHOOK_SECRET', message: 'is required with WEBHOOK_URLS' });
  if (issues.length === 0) return read;
  const list = issues.map(({ path, message }) => `\n  ${path} ${message}`).join('');
  throw new Fault('invalid_command', `Invalid environment:${list}`, { issues });
}

/** Values that must not appear in the log. */
export function getKnownSecrets({
  redisUrl,
  workerRedisUrl,
  apiToken,
  webhookSecret,
}: Pick<Settings, 'redisUrl' | 'workerRedisUrl' | 'apiToken' | 'webhookSecret'>): string[] {
  const passwords = [redisUrl, workerRedisUrl].map((url) =>
    url ? decodeURIComponent(new URL(url).password) : '',
  );
  // With and without the padding.
  const keys = webhookSecret.map((key) => Buffer.from(key).toString('base64').replace(/=+$/, ''));
  return [...passwords, apiToken ?? '', ...keys].filter(Boolean);
}

/** One line of `worker-manager config`. */
export interface SettingRow {
  name: string;
  /** The effective value, with secrets redacted; empty if there is none. */
  value: string;
  source: 'environment' | 'context file' | 'default';
  help: string;
}

/**
 * The effective settings for display. `env` is the environment that the settings were parsed from; `fromFile` names the
 * variables that the context file has set in it.
 */
export function explainSettings(
  settings: Settings,
  env: Environment,
  fromFile: readonly string[] = [],
): SettingRow[] {
  return entries().map(([key, variable]) => {
    const value = settings[key];
    return {
      name: variable.name,
      value: value === undefined ? '' : shown(variable, String(value)),
      source: fromFile.includes(variable.name)
        ? 'context file'
        : env[variable.name]
          ? 'environment'
          : 'default',
      help: variable.help,
    };
  });
}

function entries(): [keyof Table, Variable<z.ZodType>][] {
  return Object.entries(VARIABLES) as [keyof Table, Variable<z.ZodType>][];
}

function getFallback(variable: Variable<z.ZodType>, env: Environment): string | undefined {
  return typeof variable.fallback === 'function' ? variable.fallback(env) : variable.fallback;
}

/** A value for display: without secrets, on one line, and truncated. */
function shown(variable: Variable<z.ZodType>, text = ''): string {
  const bare = variable.show ? variable.show(text) : text;
  return JSON.stringify(bare.length > 200 ? `${takeHead(bare, 200)}…` : bare).slice(1, -1);
}
