/** The deliveries that wait, without their messages, which are in the store. */
import { WEBHOOK_SOURCES, type WebhookSource } from '../telemetry/webhook-metrics.ts';

interface Waiting {
  lane: string;
  source: WebhookSource;
  /** When its message was created, in milliseconds since 1970. */
  since: number;
}

export class WaitingDeliveries {
  /** In the order in which they were created, besides those of an earlier manager, which are older. */
  readonly #known = new Map<string, Waiting>();
  readonly #counts: Record<WebhookSource, number> = { setting: 0, worker: 0 };

  get size(): number {
    return this.#known.size;
  }

  get ids(): string[] {
    return [...this.#known.keys()];
  }

  count(source: WebhookSource): number {
    return this.#counts[source];
  }

  has(id: string): boolean {
    return this.#known.has(id);
  }

  add(id: string, waiting: Waiting): void {
    this.#known.set(id, waiting);
    this.#counts[waiting.source] += 1;
  }

  /** Returns it; `undefined` if it was not known. */
  remove(id: string): Waiting | undefined {
    const waiting = this.#known.get(id);
    if (waiting && this.#known.delete(id)) this.#counts[waiting.source] -= 1;
    return waiting;
  }

  clear(): void {
    this.#known.clear();
    for (const source of WEBHOOK_SOURCES) this.#counts[source] = 0;
  }

  /** Those whose message was created before. */
  createdBefore(time: number): string[] {
    return [...this.#known].filter(([, { since }]) => since < time).map(([id]) => id);
  }

  /** When the oldest message for URLs of a source was created; `undefined` if none waits. */
  oldest(wanted: WebhookSource): number | undefined {
    if (this.#counts[wanted] > 0)
      for (const { source, since } of this.#known.values()) if (source === wanted) return since;
    return undefined;
  }
}
