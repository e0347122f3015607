import * as prom from 'prom-client';

/** The labels of one call: none where the metric has none, else all of them. */
type Given<L> = [keyof L] extends [never] ? [] : [labels: L];

/** Only rises. */
export interface Counter<L = object> {
  inc(by: number, ...labels: Given<L>): void;
}
/** Goes up and down. */
export interface Gauge<L = object> {
  set(value: number, ...labels: Given<L>): void;
  /** Forgets every set of labels, before they are all set anew. */
  reset(): void;
}
/** Counts how often a value was at most so high. */
export interface Histogram<L = object> {
  observe(value: number, ...labels: Given<L>): void;
}

/** A histogram that others keep, and that is only passed on. */
export interface Told<L = object> {
  /** `buckets`: how many values were no higher than each of the bounds. */
  set(totals: { count: number; sum: number; buckets: readonly number[] }, ...labels: Given<L>): void;
  /** Forgets every set of labels, before they are all set anew. */
  reset(): void;
}

/** Different values that one label may take; each costs every scrape and every query from then on. */
const VALUES_PER_LABEL = 50;
const WORD = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/;
/** Eight or more hexadecimal digits with one that is no letter are taken for an id or a hash. */
const ID = /^(?=.*\d)[0-9a-f-]{8,}$/i;

/**
 * Lets through label values that are words, and no more than VALUES_PER_LABEL of them for each label; the rest is
 * `other`. An id in a label would grow the memory of this process and of Prometheus for ever. Values of `declared`
 * labels are names that a person gave, such as a pool's, of metrics that are set anew for each scrape: they pass.
 */
function bound(declared: readonly string[] = []) {
  const known = new Map<string, Set<string>>();
  return (labels: Record<string, string> = {}): Record<string, string> => {
    const entries = Object.entries(labels).map(([label, value]) => {
      if (declared.includes(label)) return [label, value];
      const values = known.get(label) ?? new Set();
      known.set(label, values);
      if (values.has(value)) return [label, value];
      if (!WORD.test(value) || ID.test(value) || values.size >= VALUES_PER_LABEL) return [label, 'other'];
      values.add(value);
      return [label, value];
    });
    return Object.fromEntries(entries);
  };
}

/** Makes metrics in a registry, each name with the prefix. The first argument of each is name, help and label names. */
export function instruments(registry: prom.Registry, prefix: string) {
  const registers = [registry];
  const named = (name: string, help: string, labelNames: readonly string[]) => ({
    name: prefix + name,
    help,
    labelNames: [...labelNames],
    registers,
  });
  return {
    counter<L = object>(name: string, help: string, labels: readonly (keyof L & string)[]): Counter<L> {
      const metric = new prom.Counter(named(name, help, labels));
      const bounded = bound();
      return {
        inc: (by, ...[given]) => metric.inc(bounded(given as Record<string, string> | undefined), by),
      };
    },
    gauge<L = object>(
      name: string,
      help: string,
      labels: readonly (keyof L & string)[],
      declared: readonly (keyof L & string)[] = [],
    ): Gauge<L> {
      const metric = new prom.Gauge(named(name, help, labels));
      const bounded = bound(declared);
      return {
        set: (value, ...[given]) => metric.set(bounded(given as Record<string, string> | undefined), value),
        reset: () => metric.reset(),
      };
    },
    histogram<L = object>(
      name: string,
      help: string,
      labels: readonly (keyof L & string)[],
      buckets: number[],
    ): Histogram<L> {
      const metric = new prom.Histogram({ ...named(name, help, labels), buckets });
      const bounded = bound();
      return {
        observe: (value, ...[given]) =>
          metric.observe(bounded(given as Record<string, string> | undefined), value),
      };
    },
    told<L = object>(
      name: string,
      help: string,
      bounds: readonly number[],
      declared: readonly (keyof L & string)[] = [],
    ): Told<L> {
      const bounded = bound(declared);
      const series = passedOn(registry, prefix + name, help, 'histogram');
      return {
        set({ count, sum, buckets }, ...[given]) {
          const labels = bounded(given as Record<string, string> | undefined);
          const of = (suffix: string, value: number, more: object = {}) =>
            series.add(`_${suffix}`, value, { ...labels, ...more });
          for (const [at, le] of bounds.entries()) of('bucket', buckets[at] ?? 0, { le });
          of('bucket', count, { le: '+Inf' });
          of('sum', sum);
          of('count', count);
        },
        reset: series.reset,
      };
    },
    /** A counter that others keep. */
    toldCounter<L = object>(
      name: string,
      help: string,
      declared: readonly (keyof L & string)[] = [],
    ): Gauge<L> {
      const bounded = bound(declared);
      const series = passedOn(registry, prefix + name, help, 'counter');
      return {
        set: (value, ...[given]) =>
          series.add('', value, bounded(given as Record<string, string> | undefined)),
        reset: series.reset,
      };
    },
  };
}

/** A metric whose series are handed in: prom-client asks a metric for nothing else when it writes its text. */
function passedOn(registry: prom.Registry, name: string, help: string, type: 'histogram' | 'counter') {
  let values: { metricName: string; value: number; labels: object }[] = [];
  const described = { name, help, type, aggregator: 'sum' };
  const metric = { ...described, get: async () => ({ ...described, values }), reset: () => {} };
  registry.registerMetric(metric as unknown as prom.Metric);
  return {
    add: (suffix: string, value: number, labels: object) =>
      void values.push({ metricName: name + suffix, value, labels }),
    reset: () => {
      values = [];
    },
  };
}
