import { errorMessage } from '../../src/model/values/fault.ts';
import type { TaskConsumer } from '../../src/tasks/consumer/consumer.ts';
import { type ResultTotals, sinceThen } from '../../src/tasks/results.ts';
import type { TaskQueue } from '../../src/tasks/tasks.ts';
import type { Log } from '../log.ts';
import type { HeartbeatSender, Load } from '../streams/heartbeat.ts';
import { type LoadReading, ResourceMeter } from './resource-usage.ts';
import type { Durations } from './task-runs.ts';
import type { TaskSettings } from './task-settings.ts';

/** Maximum age of the CPU and memory usage, and the time between checks of a worker above its limits. */
const SAMPLE_MS = 1000;
/** Time between two counts of the queue for the heartbeat, and between two reports of durations. */
const REPORT_MS = 5000;
/** Requests within this time share one count of the queue. */
const COUNT_MS = 200;
/** If Redis is away, a response is delayed by at most this. */
const PATIENCE_MS = 500;

type Meter = Pick<ResourceMeter, 'read' | 'own' | 'cores' | 'memoryBytes'>;

interface LoadMonitorDeps {
  own: Pick<TaskSettings, 'slots' | 'checkMs' | 'maxCpuPercent' | 'maxMemoryPercent'>;
  consumer: Pick<TaskConsumer, 'active' | 'paused' | 'pause' | 'resume' | 'totals'>;
  queue: Pick<TaskQueue, 'counts' | 'addDurations' | 'addResults'>;
  /** Functions and commands that the kernel killed to free memory. */
  oomKills?: () => number;
  durations: Pick<Durations, 'take'>;
  waits: Pick<Durations, 'take'>;
  heartbeat: Pick<HeartbeatSender, 'load' | 'changed'>;
  log: Log;
  meter?: () => Meter;
}

/**
 * Monitors the worker's load and usage; above its limits it takes no new tasks until it is below them.
 *
 * Reported usage is at most seconds old, regardless of HEALTH_CHECK_INTERVAL, which is how often the limits
 * are checked, each time against the usage since the last check.
 */
export class LoadMonitor {
  readonly #deps: LoadMonitorDeps;
  readonly #meter: Meter;
  readonly #limits: Meter;
  readonly #timers: NodeJS.Timeout[] = [];
  #counting: Promise<void> | undefined;
  #countedAt = Number.NEGATIVE_INFINITY;
  #checkedAt = performance.now();
  #stopped = false;
  #reported: ResultTotals | undefined;
  #reporting = Promise.resolve();
  #queueSize = 0;
  vitals: LoadReading = { cpuPercent: 0, memoryPercent: 0 };
  /** The address of the node API. */
  url: string | undefined;

  constructor(deps: LoadMonitorDeps) {
    const { meter = () => new ResourceMeter() } = deps;
    this.#deps = deps;
    this.#meter = meter();
    this.#limits = meter();
    deps.heartbeat.load = () => this.#load();
  }

  get active(): number {
    return this.#deps.consumer.active().length;
  }
  get cores(): number {
    return this.#meter.cores;
  }
  get memoryBytes(): number {
    return this.#meter.memoryBytes;
  }

  start(): void {
    if (this.#stopped) return;
    const { checkMs } = this.#deps.own;
    this.#sample();
    // The CPU of a start is not a sign of the load to come.
    const { memoryPercent } = this.#limits.read();
    this.#applyLimits({ cpuPercent: 0, memoryPercent });
    this.#report();
    const every = (ms: number, act: () => void) => this.#timers.push(setInterval(act, Math.min(ms, checkMs)));
    every(SAMPLE_MS, () => this.#sample());
    every(REPORT_MS, () => this.#report());
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** A task has started or ended. */
  changed(): void {
    this.#deps.heartbeat.changed();
  }

  /** Number of tasks that wait in the queue; the last count if Redis does not respond. */
  async queueSize(): Promise<number> {
    if (performance.now() - this.#countedAt > COUNT_MS) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, PATIENCE_MS);
      });
      await Promise.race([this.#count(), late]);
      clearTimeout(timer);
    }
    return this.#queueSize;
  }

  /** Adds durations and results of tasks to the pool's totals in Redis, where the manager reads them. */
  report(): Promise<void> {
    // One after the other, because concurrent reports would count the same tasks twice.
    this.#reporting = this.#reporting.then(() => this.#sendReport());
    return this.#reporting;
  }

  async #sendReport(): Promise<void> {
    const { durations, waits, queue, consumer, oomKills, log } = this.#deps;
    const [totals, waited] = [durations.take(), waits.take()];
    const results = { ...consumer.totals().results, oom_kills: oomKills?.() ?? 0 };
    const more = sinceThen(results, this.#reported);
    try {
      if (totals) await queue.addDurations('durations', totals);
      if (waited) await queue.addDurations('waits', waited);
      if (more) await queue.addResults(more);
      this.#reported = results;
    } catch (error) {
      log.debug('failed to store durations and results', { error: errorMessage(error) });
    }
  }

  #sample(): void {
    this.vitals = this.#meter.read();
    const { own, consumer } = this.#deps;
    const now = performance.now();
    const due = consumer.paused ? Math.min(SAMPLE_MS, own.checkMs) : own.checkMs;
    // A timer that fires a little early must not put the check off by a whole sample.
    if (now - this.#checkedAt < due * 0.95) return;
    this.#checkedAt = now;
    this.#applyLimits(this.#limits.read());
  }

  #applyLimits({ cpuPercent, memoryPercent }: LoadReading): void {
    const { own, consumer, log } = this.#deps;
    const above =
      cpuPercent > (own.maxCpuPercent ?? Number.POSITIVE_INFINITY) ||
      memoryPercent > (own.maxMemoryPercent ?? Number.POSITIVE_INFINITY);
    if (above === consumer.paused) return;
    if (above) consumer.pause();
    else consumer.resume();
    const figures = { cpu_percent: cpuPercent, memory_percent: memoryPercent };
    log.info(above ? 'limits exceeded; not taking new tasks' : 'below limits; taking tasks again', figures);
    this.changed();
  }

  #report(): void {
    void this.#count();
    void this.report();
  }

  #count(): Promise<void> {
    this.#counting ??= this.#deps.queue
      .counts()
      .then(({ queued }) => {
        this.#queueSize = queued;
        this.#countedAt = performance.now();
      })
      .catch((error: unknown) =>
        this.#deps.log.debug('failed to count the queue', { error: errorMessage(error) }),
      )
      .finally(() => {
        this.#counting = undefined;
      });
    return this.#counting;
  }

  #load(): Load & { busy: boolean } {
    const active = this.#deps.consumer.active();
    const oldest = active.map(({ started_at }) => started_at).sort()[0];
    return {
      // Counted when it is reported: a task is running until the queue has stored its end.
      busy: active.length > 0,
      active_tasks: active.length,
      slots: this.#deps.own.slots,
      queue_size: this.#queueSize,
      // For a direct worker only the manager can separate its figures from the machine's.
      ...(this.#meter.own && {
        cpu_percent: Math.round(this.vitals.cpuPercent * this.cores * 10) / 10,
        memory_percent: this.vitals.memoryPercent,
      }),
      ...(oldest !== undefined && { job_started_at: oldest }),
      ...(this.#deps.consumer.paused && { paused: true }),
      ...(this.url !== undefined && { node_url: this.url }),
    };
  }
}
