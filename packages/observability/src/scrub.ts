/**
 * What may be said in a log. Fields whose name smells of a secret are replaced,
 * errors keep a fixed list of properties, and everything is bounded, so that a
 * hostile value can neither leak, nor forge a line, nor flood the log.
 */
const secretName =
  /^(?:set-?)?cookies?$|authori[sz]ation|passw|passphrase|passcode|secret|token|credential|api-?_?key|private-?_?key|signature|^(?:otp|pin|jwt|hash|code_verifier)$/i;
const redacted = '[redacted]';
const maxDepth = 6;
const maxEntries = 50;
const maxLength = 4_000;

/** A copy of `value` that is safe to log. */
export function scrub(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? '[function]' : value;
  if (value instanceof Error) return scrubError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth >= maxDepth) return '[deeper]';
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((entry) => scrub(entry, depth + 1));
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  return scrubFields(value, depth);
}

/** Like `scrub`, for the fields of a line. */
export function scrubFields(fields: object, depth = 0): Record<string, unknown> {
  const entries = Object.entries(fields).slice(0, maxEntries);
  return Object.fromEntries(
    entries.map(([name, value]) => [cleanText(name), secretName.test(name) ? hide(value) : scrub(value, depth + 1)]),
  );
}

/** True or null beside a secret's name says nothing about the secret, and often matters. */
function hide(value: unknown): unknown {
  return value === null || value === undefined || typeof value === 'boolean' ? value : redacted;
}

function scrubError(error: Error & { code?: unknown; internal?: unknown }, depth: number): unknown {
  return {
    type: error.name,
    message: cleanText(withoutParameters(error.message)),
    ...(typeof error.code === 'string' || typeof error.code === 'number' ? { code: error.code } : {}),
    stack: frames(error.stack),
    ...(error.cause === undefined || depth >= maxDepth ? {} : { cause: scrub(error.cause, depth + 1) }),
  };
}

/** Drizzle puts a failed query's parameters into the message. They are people's data. */
function withoutParameters(message: string): string {
  const at = message.startsWith('Failed query:') ? message.indexOf('\nparams:') : -1;
  return at < 0 ? message : message.slice(0, at);
}

/** Only the frames: the stack's head repeats the message, parameters included. */
function frames(stack: string | undefined): string[] {
  const lines = (stack ?? '').split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line.startsWith('at '))
    .slice(0, 20)
    .map(cleanText);
}

// JSON escapes the controls below U+0020, and leaves these: the 8-bit CSI starts an ANSI sequence
// too, U+2028 ends a line for some readers, and direction marks reorder what an operator sees.
const invisible = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const urlPassword = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s/@]+@/gi;

/** A string without terminal controls or passwords in URLs, and of bounded length. */
export function cleanText(text: string): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}… (${text.length} characters)` : text;
  return cut
    .replace(invisible, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replace(urlPassword, `$1:${redacted}@`);
}
