/**
 * Exports spans with OpenTelemetry's SDK over OTLP. Its packages take longer to load than the rest of the manager, so they
 * are loaded only if traces are on. The exporter reads its own variables, `OTEL_EXPORTER_OTLP_*`.
 */
import { hostname } from 'node:os';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Logger } from './log.ts';
import type { EndedSpan, SpanExport } from './spans.ts';

/** A killed manager loses the spans of this time. */
const DELAY_MS = 1000;
/** Spans that wait at most; more are dropped. */
const QUEUE = 8192;
/** A shutdown waits at most this long for the collector. */
const CLOSE_MS = 2000;
/** An export that fails is logged once in this time. */
const QUIET_MS = 60_000;
/** `SpanStatusCode.ERROR` and `UNSET`, and `SpanKind.INTERNAL`, as numbers: the package is loaded later. */
const ERROR = 2;
const UNSET = 0;
const INTERNAL = 0;

export async function openSpanExport(options: {
  serviceName: string;
  version: string;
  cell: string;
  log: Logger;
}): Promise<SpanExport> {
  const { serviceName, version, cell, log } = options;
  const [{ BatchSpanProcessor }, { OTLPTraceExporter }, { resourceFromAttributes }, { diag, DiagLogLevel }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/api'),
    ]);
  let warnedAt = Number.NEGATIVE_INFINITY;
  const warn = (why: string) => {
    const now = performance.now();
    log[now - warnedAt > QUIET_MS ? 'warn' : 'debug']({ why }, 'failed to export traces; dropping them');
    if (now - warnedAt > QUIET_MS) warnedAt = now;
  };
  const ignore = () => {};
  diag.setLogger({ error: warn, warn, info: ignore, debug: ignore, verbose: ignore }, DiagLogLevel.WARN);
  const processor = new BatchSpanProcessor({
    exporter: new OTLPTraceExporter(),
    scheduledDelayMillis: DELAY_MS,
    maxQueueSize: QUEUE,
  });
  const resource = resourceFromAttributes({
    'service.name': serviceName,
    'service.version': version,
    'service.instance.id': `${hostname()}-${process.pid}`,
    'worker_manager.cell': cell,
  });
  const scope = { name: 'worker-manager', version };
  const toReadable = (span: EndedSpan): ReadableSpan => {
    const { name, traceId, spanId, parentId, start, attributes, error } = span;
    const end = Math.max(start, span.end);
    const traceFlags = 1;
    return {
      name,
      kind: INTERNAL,
      spanContext: () => ({ traceId, spanId, traceFlags }),
      ...(parentId !== undefined && { parentSpanContext: { traceId, spanId: parentId, traceFlags } }),
      startTime: toHrTime(start),
      endTime: toHrTime(end),
      duration: toHrTime(end - start),
      status: error === undefined ? { code: UNSET } : { code: ERROR, message: error },
      attributes,
      links: [],
      events: [],
      ended: true,
      resource,
      instrumentationScope: scope,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  };
  return {
    add: (span) => processor.onEnd(toReadable(span)),
    async close() {
      const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      await Promise.race([processor.shutdown().catch(ignore), late]);
    },
  };
}

const toHrTime = (ms: number): [number, number] => {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
};
