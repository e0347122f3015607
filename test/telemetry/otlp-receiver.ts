/** An OTLP receiver over HTTP and protobuf, with the messages of opentelemetry-proto 1.x that traces use. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';
import { onTestFinished } from 'vitest';

const { root } = protobuf.parse(
  `
syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { repeated Span spans = 2; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; Status status = 15;
}
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { string string_value = 1; int64 int_value = 3; ArrayValue array_value = 5; }
message ArrayValue { repeated AnyValue values = 1; }
`,
  { keepCase: true },
);
const request = root.lookupType('Request');

export interface ReceivedSpan {
  name: string;
  trace: string;
  id: string;
  parent: string | undefined;
  /** Milliseconds since 1970. */
  start: number;
  end: number;
  error: string | undefined;
  attributes: Record<string, unknown>;
  /** The process that sent it. */
  instance: string;
}

interface KeyValue {
  key: string;
  value: { string_value?: string; int_value?: string; array_value?: { values: { string_value: string }[] } };
}

interface PlainSpan {
  name: string;
  trace_id: string;
  span_id: string;
  parent_span_id?: string;
  start_time_unix_nano: string;
  end_time_unix_nano: string;
  attributes?: KeyValue[];
  status?: { message?: string };
}

const toMap = (pairs: KeyValue[] = []) =>
  Object.fromEntries(
    pairs.map(({ key, value }) => [
      key,
      value.array_value?.values?.map((one) => one.string_value) ??
        value.string_value ??
        Number(value.int_value),
    ]),
  );

const hex = (base64 = '') => Buffer.from(base64, 'base64').toString('hex');

function decode(body: Buffer): ReceivedSpan[] {
  const plain = request.toObject(request.decode(body), { longs: String, bytes: String }) as {
    resource_spans: {
      resource: { attributes: KeyValue[] };
      scope_spans: { spans: PlainSpan[] }[];
    }[];
  };
  return plain.resource_spans.flatMap(({ resource, scope_spans }) =>
    scope_spans.flatMap(({ spans }) =>
      spans.map((span) => ({
        name: span.name,
        trace: hex(span.trace_id),
        id: hex(span.span_id),
        parent: hex(span.parent_span_id) || undefined,
        start: Number(span.start_time_unix_nano) / 1e6,
        end: Number(span.end_time_unix_nano) / 1e6,
        error: span.status?.message,
        attributes: toMap(span.attributes),
        instance: String(toMap(resource.attributes)['service.instance.id']),
      })),
    ),
  );
}

export async function startOtlpReceiver() {
  const spans: ReceivedSpan[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      if (request.url === '/v1/traces') spans.push(...decode(Buffer.concat(parts)));
      response.writeHead(request.url === '/v1/traces' ? 200 : 404).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    ofTrace: (trace: string) => spans.filter((span) => span.trace === trace),
  };
}
