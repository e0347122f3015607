/** A real Prometheus (Debian's package) for tests, which scrapes managers and evaluates the rules of deploy/prometheus. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { stringify } from 'yaml';
import { RULE_FILES, type RuleFile, readRuleFile } from '../../scripts/generate/alerts.ts';
import { freePort } from './free-port.ts';

/** Whether it is installed. */
export const hasPrometheus = spawnSync('prometheus', ['--version'], { stdio: 'ignore' }).status === 0;
export const NO_PROMETHEUS =
  'skipped: there is no prometheus; Debian and Ubuntu have it in the package prometheus';

/** How much shorter the windows of the rules are in a test. */
const FASTER = 30;
const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

type Labels = Record<string, string>;
interface Series {
  metric: Labels;
  value: [number, string];
}

export interface PrometheusServer {
  /** The series of an instant query. */
  query(expr: string): Promise<Series[]>;
  /** The errors of rules at their last evaluation. */
  ruleErrors(): Promise<string[]>;
  /** The labels of alerts that are firing now. */
  firing(): Promise<Labels[]>;
  /** The alerts that have fired so far, by their labels. */
  fired: ReadonlyMap<string, Labels>;
  /** Deletes the record of alerts that have fired. */
  resetFired(): void;
  /** Waits until an alert with these labels fires, or has fired. */
  untilFired(alert: string, labels?: Labels): Promise<void>;
  stop(): Promise<void>;
}

const faster = (window: string) => {
  const [, count = '', unit = ''] = /^(\d+)([smhd])$/.exec(window) ?? [];
  return `${Math.max(3, Math.round((Number(count) * (SECONDS[unit] ?? 0)) / FASTER))}s`;
};

/** The same rules with shorter windows, and with one second instead of each `for`. */
export function shorten({ groups }: RuleFile): RuleFile {
  return {
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map(({ expr, ...rule }) => ({
        ...rule,
        expr: expr.replace(/\[(\w+)\]/g, (_, window: string) => `[${faster(window)}]`),
        ...(rule.for && { for: '1s' }),
      })),
    })),
  };
}

/** Starts it with the rules of the deployment and these targets. */
export async function startPrometheus(targets: string[]): Promise<PrometheusServer> {
  const directory = await mkdtemp(join(tmpdir(), 'wm-prometheus-'));
  const rules = RULE_FILES.map((path, at) => [`rules-${at}.yml`, shorten(readRuleFile(path))] as const);
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '500ms' },
    rule_files: rules.map(([name]) => name),
    scrape_configs: [{ job_name: 'worker-manager', static_configs: [{ targets }] }],
  };
  for (const [name, content] of [...rules, ['prometheus.yml', config] as const])
    await writeFile(join(directory, name), stringify(content));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.on('data', (text) => {
    log = (log + text).slice(-8000);
  });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ask = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${url}/api/v1/${path}`);
    const { data, error } = (await response.json()) as { data: T; error?: string };
    if (error) throw new Error(`${path}: ${error}`);
    return data;
  };
  const firing = async () => {
    const { alerts } = await ask<{ alerts: { labels: Labels; state: string }[] }>('alerts');
    return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels);
  };
  const fired = new Map<string, Labels>();
  const watch = async () => {
    for (const labels of await firing().catch(() => [])) fired.set(JSON.stringify(labels), labels);
  };
  const watching = setInterval(() => void watch(), 250);
  await vi
    .waitFor(
      async () => {
        const response = await fetch(`${url}/-/ready`);
        if (!response.ok) throw new Error(`Prometheus is not ready: ${response.status}`);
      },
      { timeout: 20_000, interval: 50 },
    )
    .catch((error) => {
      throw new Error(`Prometheus did not start: ${log}`, { cause: error });
    });
  return {
    query: async (expr) =>
      (await ask<{ result: Series[] }>(`query?query=${encodeURIComponent(expr)}`)).result,
    async ruleErrors() {
      const { groups } = await ask<{ groups: { rules: { name: string; lastError?: string }[] }[] }>('rules');
      return groups.flatMap(({ rules }) =>
        rules.flatMap(({ name, lastError }) => (lastError ? `${name}: ${lastError}` : [])),
      );
    },
    firing,
    fired,
    resetFired: () => fired.clear(),
    async untilFired(alert, labels = {}) {
      await vi.waitFor(
        () => {
          const wanted = Object.entries({ alertname: alert, ...labels });
          if (![...fired.values()].some((found) => wanted.every(([name, value]) => found[name] === value)))
            throw new Error(`${alert} ${JSON.stringify(labels)} has not fired, but ${[...fired.keys()]}`);
        },
        { timeout: 90_000, interval: 100 },
      );
    },
    async stop() {
      clearInterval(watching);
      child.kill('SIGTERM');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
