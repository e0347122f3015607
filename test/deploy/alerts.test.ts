/** The alerts, their tests, their runbooks and the metrics that they use agree with each other. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { RULE_FILES, readRuleFile } from '../../scripts/generate/alerts.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

const ROOT = join(import.meta.dirname, '../..');
const TESTS = join(ROOT, 'deploy/prometheus/tests');
const BOOKS = join(ROOT, 'docs/runbooks');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const rules = RULE_FILES.flatMap((path) => readRuleFile(path).groups.flatMap((group) => group.rules));
const alerts = rules.filter(({ alert }) => alert !== undefined);

interface AlertTest {
  name: string;
  alert_rule_test: { alertname: string; exp_alerts: { exp_labels: { severity: string } }[] }[];
}
const tests = readdirSync(TESTS).flatMap(
  (file) => parse(readFileSync(join(TESTS, file), 'utf8')).tests as AlertTest[],
);

test.each(alerts.map((rule) => [`${rule.alert} (${rule.labels?.severity})`, rule] as const))(
  '%s has a summary, a runbook, a test that fires it and one that does not',
  (_, { alert, labels, annotations }) => {
    expect(['page', 'ticket']).toContain(labels?.severity);
    expect(annotations?.summary).toMatch(/.{20}/);
    const book = annotations?.runbook_url ?? '';
    expect(existsSync(join(ROOT, book)), book).toBe(true);
    expect(read(book)).toContain('## Act');
    expect(read('docs/runbooks/README.md')).toContain(`| \`${alert}\` |`);
    const own = tests
      .flatMap((one) => one.alert_rule_test)
      .filter(({ alertname }) => alertname === alert)
      .map(({ exp_alerts }) => exp_alerts.map(({ exp_labels }) => exp_labels.severity));
    expect(own.some((severities) => severities.includes(labels?.severity ?? ''))).toBe(true);
    expect(own.some((severities) => severities.length === 0)).toBe(true);
  },
);

test('rules use only metrics that exist', async () => {
  const text = await createMetrics({ processMetrics: false }).text();
  const exposed = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]));
  const used = rules.flatMap(({ expr }) => expr.match(/\bworker_manager_\w+/g) ?? []);
  const unknown = used.filter((name) => {
    const base = name.replace(/_(bucket|sum|count)$/, '');
    return !exposed.has(name) && exposed.get(base) !== 'histogram';
  });
  expect(used.length).toBeGreaterThan(30);
  expect(unknown).toEqual([]);
});

test('recording rules that are used exist, and all are used', () => {
  const records = new Set(rules.flatMap(({ record }) => record ?? []));
  const used = new Set(rules.flatMap(({ expr }) => expr.match(/\bworker_manager:[\w:]+/g) ?? []));
  expect([...used].sort()).toEqual([...records].sort());
});

test('every runbook is the page of an alert, and its links lead somewhere', () => {
  const pages = new Set(alerts.map(({ annotations }) => annotations?.runbook_url));
  for (const file of readdirSync(BOOKS)) {
    if (file !== 'README.md') expect(pages).toContain(`docs/runbooks/${file}`);
    const links = [...readFileSync(join(BOOKS, file), 'utf8').matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)];
    for (const [, path = ''] of links)
      expect(existsSync(join(dirname(join(BOOKS, file)), path)), `${file}: ${path}`).toBe(true);
  }
});

const promtool = spawnSync('promtool', ['--version']).status === 0;
describe.skipIf(!promtool)(
  `promtool${promtool ? '' : ' (skipped: there is no promtool; Debian has it in the package prometheus)'}`,
  () => {
    test.each([
      ['check', 'rules', ...RULE_FILES],
      ['test', 'rules', ...readdirSync(TESTS).map((file) => join(TESTS, file))],
    ])('promtool %s %s', (...args) => {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: ROOT, encoding: 'utf8' });
      expect(status, stdout + stderr).toBe(0);
    });
  },
);
