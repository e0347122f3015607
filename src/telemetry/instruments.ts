import * as prom from 'prom-client';

/** The labels of a call: none if the metric has none, otherwise all of them. */
type Given<L> = [keyof L] extends [never] ? [] : [labels: L];

/** A value that only increases. */
export interface Counter<L = object> {
  inc(by: number, ...labels: Given<L>): void;
}
/** A value that can increase and decrease. */
export interface Gauge<L = object> {
  set(value: number, ...labels: Given<L>): void;
  /** Removes all label sets, before they are all set again. */
  reset(): void;
}
/** Counts observed values in buckets. */
export interface Histogram<L = object> {
  observe(value: number, ...labels: Given<L>): void;
  /** Exposes a label set before its first value, because Prometheus does not count a series that begins above 0. */
  expose(...labels: Given<L>): void;
}

/** A histogram that is maintained elsewhere and only exposed here. */
export interface TotalsHistogram<L = object> {
  /** `buckets`: the number of values at or below each bound. */
  set(totals: { count: number; sum: number; buckets: readonly number[] }, ...labels: Given<L>): void;
  /** Removes all label sets, before they are all set again. */
  reset(): void;
}

/** Maximum number of different values of one label; each adds to the cost of every scrape and every query. */
const VALUES_PER_LABEL = 50;
const WORD = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/;
/** Eight or more hexadecimal digits, with at least one decimal digit, are considered an ID or a hash. */
const ID = /^(?=.*\d)[0-9a-f-]{8,}$/i;

/**
 * Passes label values that are words, up to VALUES_PER_LABEL for each label; other values become `other`. IDs in a
 * label would grow the memory of this process and of Prometheus without limit. Values of `declared` labels are names
 * that users chose, such as a pool's, in metrics that are recomputed for each scrape, or values that this program bounds itself;
 * they always pass.
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

export type Instruments = ReturnType<typeof createInstruments>;

/** Creates metrics in a registry with a common prefix. The first arguments of each are name, help and label names. */
export function createInstruments(registry: prom.Registry, prefix: string) {
  const registers = [registry];
  const named = (name: string, help: string, labelNames: readonly string[]) => ({
    name: prefix + name,
    help,
    labelNames: [...labelNames],
    registers,
  });
  return {
    counter<L = object>(
      name: string,
      help: string,
      labels: readonly (keyof L & string)[],
      declared: readonly (keyof L & string)[] = [],
    ): Counter<L> {
      const metric = new prom.Counter(named(name, help, labels));
      const bounded = bound(declared);
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
      declared: readonly (keyof L & string)[] = [],
    ): Histogram<L> {
      const metric = new prom.Histogram({ ...named(name, help, labels), buckets });
      const bounded = bound(declared);
      return {
        observe: (value, ...[given]) =>
          metric.observe(bounded(given as Record<string, string> | undefined), value),
        expose: (...[given]) => metric.zero(bounded(given as Record<string, string> | undefined)),
      };
    },
    totalsHistogram<L = object>(
      name: string,
      help: string,
      bounds: readonly number[],
      declared: readonly (keyof L & string)[] = [],
    ): TotalsHistogram<L> {
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
    /** A counter that is maintained elsewhere. */
    totalsCounter<L = object>(
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

/** A metric whose series are passed in; prom-client only calls `get` to write its text. */
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
