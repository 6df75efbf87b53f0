/**
 * The one header of W3C Trace Context that Ballast reads and stores: which span of
 * which trace caused what follows. A door of its own (`@ballast/kernel/trace-parent`),
 * since modules need none of it.
 *
 * @example
 * const cause = parseTraceParent(request.header('traceparent'));
 * cause?.traceId; // '0af7651916cd43dd8448eb211c80319c'
 */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  /** Whether the trace is kept; whoever began it has decided. */
  sampled: boolean;
}

/** The name under which Ballast's own spans are made; spans of libraries have other names and are not exported. */
export const tracerName = 'ballast';

// Later versions may append fields behind the flags; `ff` is forbidden.
const form =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]{0,200})?$/;

/** Null for whatever is not a well-formed header, so that nothing else can get into a trace. */
export function parseTraceParent(text: string | null | undefined): TraceParent | null {
  const found = form.exec(text ?? '');
  if (!found) return null;
  const [, version, traceId = '', spanId = '', flags = '', more] = found;
  if (version === '00' && more !== undefined) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** As version 00, without whatever a later version or another flag may mean. */
export function formatTraceParent({ traceId, spanId, sampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}
