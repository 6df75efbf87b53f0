import { freePort } from '@ballast/test-kit/free-port';
import { startTraceReceiver, type TraceReceiver } from '@ballast/test-kit/trace-receiver';
import { trace } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';
import { openTracing, type Tracing } from './tracing.ts';

const lines: string[] = [];
const log = createLogger({
  level: 'info',
  base: { service: 'test' },
  destination: { write: (line) => lines.push(line) },
});
const logged = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

/** Inside a span of the given tracer. */
function within<Result>(tracer: string, name: string, work: () => Result): Result {
  return trace.getTracer(tracer).startActiveSpan(name, (span) => {
    try {
      return work();
    } finally {
      span.end();
    }
  });
}

let receiver: TraceReceiver;
let tracing: Tracing;
beforeEach(async () => {
  lines.length = 0;
  receiver = await startTraceReceiver();
});
afterEach(async () => {
  await tracing.close();
  await receiver.close();
});

const open = (more: Partial<Parameters<typeof openTracing>[0]> = {}) =>
  openTracing({ serviceName: 'ballast-test', release: '1.2.3', exporterUrl: receiver.url, log, ...more });

const names = () => receiver.spans.map(({ name }) => name);

describe('off', () => {
  it('makes no span and says no id', async () => {
    tracing = await open({ exporterUrl: undefined });
    expect(tracing.on).toBe(false);
    within('ballast', 'work', () => {
      expect(trace.getActiveSpan()).toBeUndefined();
      log.info({}, 'inside');
    });
    expect(logged()[0]).not.toHaveProperty('trace_id');
    await tracing.close();
    expect(receiver.spans).toEqual([]);
  });
});

describe('on', () => {
  it('sends spans with what the process is, and what the receiver asks for', async () => {
    tracing = await open({ headers: { 'api-key': 'k' }, attributes: { 'deployment.environment.name': 'staging' } });
    within('ballast', 'outer', () => within('ballast', 'inner', () => {}));
    await tracing.close();
    // Closing waits for three seconds; what it sent may arrive after that.
    await expect.poll(names).toHaveLength(2);
    const [inner, outer] = receiver.spans;
    expect(outer).toMatchObject({ name: 'outer', service: 'ballast-test', scope: 'ballast', parentId: '' });
    expect(inner).toMatchObject({ name: 'inner', traceId: outer?.traceId, parentId: outer?.spanId });
    expect(receiver.headers).toMatchObject({ 'api-key': 'k', 'content-type': 'application/x-protobuf' });
    expect(receiver.text()).toContain('staging');
  });

  it("puts the span's ids on each line of the log, also after something was awaited", async () => {
    tracing = await open();
    let ids = {};
    await within('ballast', 'work', async () => {
      const { traceId, spanId } = trace.getActiveSpan()?.spanContext() ?? {};
      ids = { trace_id: traceId, span_id: spanId };
      await new Promise((resolve) => setTimeout(resolve, 1));
      log.child({ jobId: 'j' }).info({}, 'inside');
    });
    log.info({}, 'outside');
    expect(logged()[0]).toMatchObject(ids);
    expect(logged()[1]).not.toHaveProperty('trace_id');
  });

  it('leaves the spans of libraries unmade, whose errors hold the parameters of statements', async () => {
    tracing = await open();
    within('ballast', 'ours', () => {
      const active = trace.getActiveSpan()?.spanContext().traceId;
      trace.getTracer('better-auth').startActiveSpan('theirs', (span) => {
        span.recordException(new Error('Failed query\nparams: ada@acme.test'));
        expect(trace.getActiveSpan()?.spanContext().traceId).toBe(active);
        span.end();
      });
    });
    await tracing.close();
    await expect.poll(names).toContain('ours');
    expect(names()).toEqual(['ours']);
    expect(receiver.text()).not.toContain('ada@acme.test');
  });

  it('keeps the share that is asked for, and says ids all the same', async () => {
    tracing = await open({ ratio: 0 });
    within('ballast', 'dropped', () => log.info({}, 'inside'));
    await tracing.close();
    expect(receiver.spans).toEqual([]);
    expect(logged()[0]?.trace_id).toMatch(/^[0-9a-f]{32}$/);
  });

  it('says once in a while that they are refused, and work goes on', async () => {
    tracing = await open();
    receiver.answer(400);
    for (let n = 0; n < 1_500; n++) within('ballast', `work ${n}`, () => {});
    const warnings = () => logged().filter(({ msg }) => String(msg).includes('traces cannot be delivered'));
    // More than fit into one export.
    await expect.poll(() => receiver.spans.length).toBeGreaterThan(512);
    await expect.poll(warnings).toHaveLength(1);
    await tracing.close();
    expect(warnings()).toHaveLength(1);
  });

  it('does not keep the process from ending when nobody listens', async () => {
    tracing = await open({ exporterUrl: `http://127.0.0.1:${await freePort()}` });
    within('ballast', 'work', () => {});
    await tracing.close();
    expect(trace.getTracer('ballast').startSpan('after').isRecording()).toBe(false);
  });
});
