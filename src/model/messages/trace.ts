/** The trace that a command or a task belongs to, in the format of the W3C (https://www.w3.org/TR/trace-context/). Pure. */
import { createHash } from 'node:crypto';

/** The header and the field of a trace: version, trace, span of the caller, flags. */
export const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
export const TRACEPARENT_ALLOWED =
  'must be a W3C traceparent, such as 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** What a span needs to know of the span that it belongs to. */
export interface TraceContext {
  /** 32 hex digits. */
  traceId: string;
  /** 16 hex digits; absent for the first span of a trace. */
  spanId?: string;
  /** Whether the caller records the trace. */
  sampled: boolean;
}

/** The header of a request as the field of a command; `undefined` if it is not valid and must be ignored. */
export function readTraceparent(header: string | string[] | undefined): string | undefined {
  // Later versions may have more fields, and the first four are those of version 00.
  const match = /^(?!ff)[0-9a-f]{2}(-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})(-|$)/.exec(String(header ?? ''));
  const text = `00${match?.[1]}`;
  return match && TRACEPARENT.test(text) ? text : undefined;
}

export function parseTraceparent(text: string): TraceContext {
  const [, traceId = '', spanId = '', flags = '00'] = text.split('-');
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export const toTraceparent = ({ traceId, sampled }: TraceContext, spanId: string): string =>
  `00-${traceId}-${spanId}-0${sampled ? 1 : 0}`;

/** The ID of the trace, for logs. */
export const toTraceId = (traceparent: string | undefined): string | undefined => traceparent?.split('-')[1];

/** The trace of something that was created without one: every manager derives the same. */
export function deriveTrace(subject: string): TraceContext {
  return { traceId: digest(`trace ${subject}`, 32), sampled: true };
}

/** The ID of a span that another manager may continue: derived from what it is about. */
export const deriveSpanId = (...parts: (string | number)[]): string => digest(`span ${parts.join(' ')}`, 16);

const digest = (text: string, length: number) =>
  createHash('sha256').update(text).digest('hex').slice(0, length);
