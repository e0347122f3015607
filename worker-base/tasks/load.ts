import { messageOf } from '../../src/model/fault.ts';
import type { TaskConsumer } from '../../src/tasks/consumer.ts';
import type { TaskQueue } from '../../src/tasks/tasks.ts';
import type { Log } from '../log.ts';
import type { Load, Pulse } from '../pulse.ts';
import type { Durations } from './runs.ts';
import type { TaskSettings } from './settings.ts';
import { type Vitals, VitalsMeter } from './vitals.ts';

interface Parts {
  own: Pick<TaskSettings, 'slots' | 'checkMs' | 'maxCpuPercent' | 'maxMemoryPercent'>;
  consumer: Pick<TaskConsumer, 'active' | 'paused' | 'pause' | 'resume'>;
  queue: Pick<TaskQueue, 'counts' | 'addDurations'>;
  durations: Pick<Durations, 'take'>;
  pulse: Pulse;
  log: Log;
  meter?: Pick<VitalsMeter, 'look' | 'own' | 'cores' | 'memoryBytes'>;
}

/** Watches what the worker has to do and what it uses; above its limits it takes nothing new until it is below them. */
export class LoadMeter {
  readonly #parts: Parts;
  readonly #meter: Pick<VitalsMeter, 'look' | 'own' | 'cores' | 'memoryBytes'>;
  #timer: NodeJS.Timeout | undefined;
  #counting = false;
  #stopped = false;
  vitals: Vitals = { cpuPercent: 0, memoryPercent: 0 };
  queueSize = 0;
  /** Where the node API answers. */
  url: string | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#meter = parts.meter ?? new VitalsMeter();
    parts.pulse.load = () => this.#load();
  }

  get active(): number {
    return this.#parts.consumer.active().length;
  }
  get cores(): number {
    return this.#meter.cores;
  }
  get memoryBytes(): number {
    return this.#meter.memoryBytes;
  }

  start(): void {
    if (this.#stopped) return;
    this.#check();
    this.#timer = setInterval(() => this.#check(), this.#parts.own.checkMs);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** A task has begun or ended. */
  changed(): void {
    this.#parts.pulse.changed();
  }

  #check(): void {
    const { own, consumer, log } = this.#parts;
    this.vitals = this.#meter.look();
    const { cpuPercent, memoryPercent } = this.vitals;
    const above =
      cpuPercent > (own.maxCpuPercent ?? Number.POSITIVE_INFINITY) ||
      memoryPercent > (own.maxMemoryPercent ?? Number.POSITIVE_INFINITY);
    if (above !== consumer.paused) {
      if (above) consumer.pause();
      else consumer.resume();
      const figures = { cpu_percent: cpuPercent, memory_percent: memoryPercent };
      log.info(
        above ? 'above its limits: takes no new tasks' : 'below its limits: takes tasks again',
        figures,
      );
      this.changed();
    }
    void this.#count();
    void this.tell();
  }

  /** Adds how long tasks took to what the pool has in Redis, where the manager reads it. */
  async tell(): Promise<void> {
    const told = this.#parts.durations.take();
    if (!told) return;
    await this.#parts.queue.addDurations(told).catch((error) => {
      this.#parts.log.debug('durations could not be told', { error: messageOf(error) });
    });
  }

  async #count(): Promise<void> {
    if (this.#counting) return;
    this.#counting = true;
    try {
      this.queueSize = (await this.#parts.queue.counts()).queued;
    } catch (error) {
      this.#parts.log.debug('the queue could not be counted', { error: messageOf(error) });
    } finally {
      this.#counting = false;
    }
  }

  #load(): Load & { busy: boolean } {
    const active = this.#parts.consumer.active();
    const oldest = active.map(({ started_at }) => started_at).sort()[0];
    return {
      // Counted when it is said: a task is under way until the queue has taken its end.
      busy: active.length > 0,
      active_tasks: active.length,
      slots: this.#parts.own.slots,
      queue_size: this.queueSize,
      // Of a direct worker only the manager can tell the figures from the machine's.
      ...(this.#meter.own && {
        cpu_percent: Math.round(this.vitals.cpuPercent * this.cores * 10) / 10,
        memory_percent: this.vitals.memoryPercent,
      }),
      ...(oldest !== undefined && { job_started_at: oldest }),
      ...(this.#parts.consumer.paused && { paused: true }),
      ...(this.url !== undefined && { node_url: this.url }),
    };
  }
}
