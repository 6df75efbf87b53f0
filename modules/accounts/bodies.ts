import { z } from 'zod';
import { passwordLength } from './password-length.ts';

const email = z.email().max(254);
const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'Must not hold line breaks or control characters.');
const newPassword = z.string().min(passwordLength.min).max(passwordLength.max);
/** What was once set: its length is not judged again, only bounded, since it will be hashed. */
const password = z.string().min(1).max(passwordLength.max);
const token = z.string().min(1).max(2000);

export const SignUp = z.strictObject({ name, email, password: newPassword });
export const SignIn = z.strictObject({ email, password });
export const Token = z.strictObject({ token });
export const Address = z.strictObject({ email });
export const Reset = z.strictObject({ token, password: newPassword });
export const Rename = z.strictObject({ name });
export const ChangeEmail = z.strictObject({ email, password });
export const ChangePassword = z.strictObject({ currentPassword: password, newPassword });

export const Nothing = z.strictObject({});
