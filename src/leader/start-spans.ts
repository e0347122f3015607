/** The parts of a worker's start as spans, from its history and the report of its wrapper. Pure. */
import { deriveSpanId, type Heartbeat, type LifecycleEvent, parseInstant } from '../model/index.ts';
import type { EndedSpan } from '../telemetry/spans.ts';

/** Phases of a start that are worth a span, and its name. */
const NAMES: Record<string, string> = {
  queued: 'wait in start queue',
  building: 'image build',
  creating: 'create body',
  booting: 'boot',
  assigned: 'claim warm body',
};

/** One span for each phase between two events. */
export function phaseSpans(root: EndedSpan, events: readonly LifecycleEvent[]): EndedSpan[] {
  const changes = events.filter(({ phase }, at) => phase !== events[at - 1]?.phase);
  return changes.flatMap(({ phase, timestamp, message }, at) => {
    const name = NAMES[phase];
    const start = parseInstant(timestamp);
    const end = parseInstant(changes[at + 1]?.timestamp) ?? root.end;
    if (name === undefined || start === undefined) return [];
    const attributes = phase === 'building' ? { 'worker_manager.image': message } : {};
    return [toChild(root, name, start, end, attributes, at)];
  });
}

/** The boot of the wrapper, by its own clock: `boot` has the start, then `name=milliseconds` for each step. */
export function bootSpans(root: EndedSpan, { boot }: Pick<Heartbeat, 'boot'>): EndedSpan[] {
  const [began = '', ...steps] = boot?.split(' ') ?? [];
  const start = parseInstant(began);
  if (start === undefined || Math.abs(start - root.end) > MOST_APART_MS) return [];
  const wrapper = toChild(root, 'wrapper boot', start, start, {}, 0);
  const spans: EndedSpan[] = [];
  let at: number = start;
  for (const step of steps.slice(0, MOST_STEPS)) {
    const [, name, ms] = /^([a-z_]{1,40})=(\d{1,7})$/.exec(step) ?? [];
    if (name === undefined) continue;
    const end: number = at + Number(ms);
    spans.push({ ...toChild(root, `wrapper ${name}`, at, end, {}, 0), parentId: wrapper.spanId });
    at = end;
  }
  return [{ ...wrapper, end: at }, ...spans];
}

/** The wrapper writes its heartbeat, so it may say anything: steps of a boot, and how far its clock may be from ours. */
const MOST_STEPS = 16;
const MOST_APART_MS = 86_400_000;

function toChild(
  { traceId, spanId: parentId }: EndedSpan,
  name: string,
  start: number,
  end: number,
  attributes: EndedSpan['attributes'],
  number: number,
): EndedSpan {
  return { name, traceId, spanId: deriveSpanId(parentId, name, number), parentId, start, end, attributes };
}
