import { describe, expect, it } from 'vitest';
import { formatTraceParent, parseTraceParent } from './trace-parent.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

describe('parseTraceParent', () => {
  it('reads what it writes', () => {
    for (const sampled of [true, false]) {
      const parent = { traceId, spanId, sampled };
      expect(parseTraceParent(formatTraceParent(parent))).toEqual(parent);
    }
  });

  it('reads later versions, and no flag but the one it knows', () => {
    expect(parseTraceParent(`cc-${traceId}-${spanId}-ff-what-the-future-says`)).toEqual({
      traceId,
      spanId,
      sampled: true,
    });
    expect(parseTraceParent(`01-${traceId}-${spanId}-02`)).toEqual({ traceId, spanId, sampled: false });
  });

  it.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['words', 'not a trace'],
    ['the forbidden version', `ff-${traceId}-${spanId}-01`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['a span id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['capitals', `00-${traceId.toUpperCase()}-${spanId}-01`],
    ['a trace id that is too short', `00-${traceId.slice(1)}-${spanId}-01`],
    ['more than version 00 has', `00-${traceId}-${spanId}-01-more`],
    ['two headers in one', `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`],
    ['a line break at the end', `00-${traceId}-${spanId}-01\n`],
    ['spaces around it', ` 00-${traceId}-${spanId}-01 `],
    ['more than anyone needs', `01-${traceId}-${spanId}-01-${'x'.repeat(201)}`],
  ])('refuses %s', (_case, text) => {
    expect(parseTraceParent(text)).toBeNull();
  });
});
