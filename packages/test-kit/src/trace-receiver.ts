/**
 * A receiver of traces as processes really send them: OTLP over HTTP, in Protobuf.
 *
 * @example
 * const receiver = await startTraceReceiver();
 * const tracing = await openTracing({ serviceName: 'suite', release: 'test', exporterUrl: receiver.url, log });
 * await tracing.close();
 * receiver.spans.map((span) => span.name);
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Fields, readMessage } from './protobuf.ts';

export interface ReceivedSpan {
  /** `service.name` of the process that sent it. */
  service: string;
  scope: string;
  traceId: string;
  spanId: string;
  /** Empty where the trace begins. */
  parentId: string;
  name: string;
  /** 2 is a server's, 5 a consumer's. */
  kind: number;
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string; attributes: Record<string, unknown> }[];
  /** 2 is an error. */
  status: number;
}

export interface TraceReceiver {
  url: string;
  /** What has arrived so far. */
  spans: ReceivedSpan[];
  /** The headers of the latest export. */
  headers: Record<string, unknown>;
  /** Everything that has arrived, as text, for what must not be in there. */
  text(): string;
  /** What each export is answered with from now on. */
  answer(status: number): void;
  close(): Promise<void>;
}

export async function startTraceReceiver(): Promise<TraceReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: Buffer[] = [];
  const headers: Record<string, unknown> = {};
  let status = 200;
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    if (request.method === 'POST' && request.url === '/v1/traces') {
      bodies.push(body);
      Object.assign(headers, request.headers);
      spans.push(...spansOf(body));
    }
    response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    headers,
    text: () => Buffer.concat(bodies).toString('latin1'),
    answer(next) {
      status = next;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The numbers are those of opentelemetry/proto/trace/v1/trace.proto. */
function spansOf(body: Buffer): ReceivedSpan[] {
  return messages(readMessage(body), 1).flatMap((resourceSpans) => {
    const [resource = new Map()] = messages(resourceSpans, 1);
    const service = String(attributesOf(messages(resource, 1))['service.name']);
    return messages(resourceSpans, 2).flatMap((scopeSpans) => {
      const [scope = new Map()] = messages(scopeSpans, 1);
      return messages(scopeSpans, 2).map((span) => ({
        service,
        scope: text(scope, 1),
        traceId: hex(span, 1),
        spanId: hex(span, 2),
        parentId: hex(span, 4),
        name: text(span, 5),
        kind: Number(span.get(6)?.[0] ?? 0),
        attributes: attributesOf(messages(span, 9)),
        links: messages(span, 13).map((link) => ({
          traceId: hex(link, 1),
          spanId: hex(link, 2),
          attributes: attributesOf(messages(link, 4)),
        })),
        status: Number(messages(span, 15)[0]?.get(3)?.[0] ?? 0),
      }));
    });
  });
}

function attributesOf(pairs: Fields[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [value = new Map()] = messages(pair, 2);
      return [text(pair, 1), value.has(1) ? text(value, 1) : value.has(3) ? Number(value.get(3)[0]) : value];
    }),
  );
}

const bytes = (fields: Fields, field: number) => (fields.get(field)?.[0] as Buffer | undefined) ?? Buffer.alloc(0);
const text = (fields: Fields, field: number) => bytes(fields, field).toString('utf8');
const hex = (fields: Fields, field: number) => bytes(fields, field).toString('hex');
const messages = (fields: Fields, field: number) =>
  (fields.get(field) ?? []).map((part) => readMessage(part as Buffer));
