/** The alerts of deploy/prometheus/rules, with the metrics that each uses. */
import { parse } from 'yaml';
import { read } from './write.ts';

export const RULE_FILES = ['deploy/prometheus/rules/alerts.yml', 'deploy/prometheus/rules/slo.yml'];

export interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export interface RuleFile {
  groups: { name: string; rules: Rule[] }[];
}

export const readRuleFile = (path: string): RuleFile => parse(read(path));

const SUFFIX = /_(bucket|sum|count)$/;

/** The names of the manager's metrics in an expression; those of recording rules are replaced by what they use. */
function metricsIn(expr: string, records: ReadonlyMap<string, string>): string[] {
  const direct = expr.match(/\bworker_manager_\w+/g) ?? [];
  const recorded = expr.match(/\bworker_manager:[\w:]+/g) ?? [];
  return [...direct, ...recorded.flatMap((name) => metricsIn(records.get(name) ?? '', records))];
}

/** For each metric, the alerts that use it and the paths of their pages. */
export function findAlertsByMetric(): Map<string, Map<string, string>> {
  const rules = RULE_FILES.flatMap((path) => readRuleFile(path).groups.flatMap((group) => group.rules));
  const records = new Map(rules.flatMap(({ record, expr }) => (record ? [[record, expr] as const] : [])));
  const byMetric = new Map<string, Map<string, string>>();
  // Of a counter whose name ends like a part of a histogram, there is none.
  for (const { alert, expr, annotations } of rules)
    for (const found of alert ? metricsIn(expr, records) : [])
      for (const name of [found, found.replace(SUFFIX, '')]) {
        const alerts = byMetric.get(name) ?? new Map();
        byMetric.set(name, alerts.set(alert ?? '', annotations?.runbook_url ?? ''));
      }
  return byMetric;
}
