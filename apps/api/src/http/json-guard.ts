import { AppError } from '@ballast/kernel';

/** Deeper than any honest body, shallower than what a recursive reader stumbles over. */
const maxDepth = 32;

/**
 * The body as text that is safe to parse: UTF-8, and nested no deeper than 32. Only
 * brackets outside strings are counted; whether it is JSON the parser says.
 */
export function guardedText(bytes: Uint8Array): string {
  const text = decode(bytes);
  if (tooDeep(text)) throw invalidJson('The body is nested too deeply.');
  return text;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalidJson('The body is not valid UTF-8.');
  }
}

function tooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (inString) {
      if (char === backslash) at++;
      else if (char === quote) inString = false;
    } else if (char === quote) inString = true;
    else if (char === openBrace || char === openBracket) {
      if (++depth > maxDepth) return true;
    } else if (char === closeBrace || char === closeBracket) depth--;
  }
  return false;
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];

export function invalidJson(sentence: string): AppError {
  return new AppError('request.invalid_json', { status: 400, public: sentence });
}
