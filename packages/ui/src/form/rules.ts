/** The API's own rules, told early. The server is the truth: these only save a round trip. */
export type Rule = (value: string) => RuleProblem | null;
export type RuleProblem = 'required' | 'email' | 'passwordShort' | 'passwordLong' | 'long';

export const PASSWORD_MIN = 10;
export const PASSWORD_MAX = 128;
const EMAIL_MAX = 254;
/** Close enough to catch a slip; the API decides. */
const EMAIL = /^[^\s@<>,;:"()[\]\\]+@[^\s@.]+(\.[^\s@.]+)+$/;

export const required: Rule = (value) => (value.trim() === '' ? 'required' : null);

export const email: Rule = (value) => {
  const trimmed = value.trim();
  if (trimmed === '') return 'required';
  return EMAIL.test(trimmed) && trimmed.length <= EMAIL_MAX ? null : 'email';
};

/** For a new password. Counted as the API counts, in UTF-16 units; spaces are characters too. */
export const newPassword: Rule = (value) => {
  if (value === '') return 'required';
  if (value.length < PASSWORD_MIN) return 'passwordShort';
  return value.length > PASSWORD_MAX ? 'passwordLong' : null;
};

/** For one that exists: its rules may have been others when it was set. */
export const currentPassword: Rule = (value) => {
  if (value === '') return 'required';
  return value.length > PASSWORD_MAX ? 'passwordLong' : null;
};

export function text(max: number): Rule {
  return (value) => required(value) ?? (value.trim().length > max ? 'long' : null);
}
