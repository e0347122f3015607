/** The parts of which the panels of the Grafana dashboard are made. */

/** Units as Grafana names them. */
type Unit = 'short' | 's' | 'bytes' | 'percentunit' | 'ops' | 'bool';

export interface Query {
  expr: string;
  /** A name for each series, with labels such as `{{pool}}`. */
  legend: string;
}

export interface Panel {
  title: string;
  /** What the values mean, and what to look at if they are bad. */
  about: string;
  unit: Unit;
  /** `stat` shows only the last value. */
  kind?: 'stat';
  queries: Query[];
}

export interface DashboardSection {
  title: string;
  panels: Panel[];
}

export const M = 'worker_manager_';
/** The last interval that a rate can be computed of, as Grafana chooses it. */
const RATE = '[$__rate_interval]';

export const value = (metric: string, by: string, legend: string, labels = ''): Query => ({
  expr: `sum by (${by}) (${M}${metric}{job="$job"${labels && `,${labels}`}})`,
  legend,
});
export const latest = (metric: string, legend = '', labels = ''): Query => ({
  expr: `max(${M}${metric}{job="$job"${labels && `,${labels}`}})`,
  legend,
});
export const rate = (metric: string, by: string, legend: string, labels = ''): Query => ({
  expr: `sum by (${by}) (rate(${M}${metric}{job="$job"${labels && `,${labels}`}}${RATE}))`,
  legend,
});
export const quantiles = (metric: string, by = '', labels = ''): Query[] =>
  [0.5, 0.95].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (le${by && `, ${by}`}) (rate(${M}${metric}_bucket{job="$job"${labels && `,${labels}`}}${RATE})))`,
    legend: `p${quantile * 100}${by
      .split(', ')
      .filter(Boolean)
      .map((label) => ` {{${label}}}`)
      .join('')}`,
  }));
