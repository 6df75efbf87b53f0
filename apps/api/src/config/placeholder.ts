/**
 * Whether a value is what a template left behind and no one's secret. Short words
 * count only when they stand alone: random base64 contains "xxx" now and then.
 */
export function isPlaceholder(value: string): boolean {
  const words = value.toLowerCase();
  return alone.test(words) || inside.test(words) || sameCharacter.test(words) || isPlaceholderUrl(value);
}

const alone =
  /^(?:secret|secrets|password|passwd|pass|test|testing|todo|tbd|none|null|undefined|default|admin|root|postgres|redis|ballast|letmein|qwerty|dev|development|key|token|foo|bar|\d{1,8}|<.*>|\$\{.*\}|\{\{.*\}\})$/;
const inside =
  /change[-_ ]?(?:me|this|it)|placeholder|replace[-_ ]?(?:me|this)|(?:^|[^a-z])your[-_ ]|example|insert[-_ ]?here|dummy|do[-_ ]?not[-_ ]?use|for[-_ ]development|(?:^|[-_ .])(?:super)?(?:secret|password)(?:$|[-_ .])/;
const sameCharacter = /^(.)\1*$/;

/** A connection's password may be one too. */
function isPlaceholderUrl(value: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(value) || !URL.canParse(value)) return false;
  const { password } = new URL(value);
  return password !== '' && isPlaceholder(decode(password));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
