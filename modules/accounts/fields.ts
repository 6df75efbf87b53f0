import { z } from 'zod';
import { passwordLength } from './password-length.ts';

/** What several actions are sent, so that one rule holds for each. */
export const email = z.email().max(254);
export const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'Must not hold line breaks or control characters.');
export const newPassword = z.string().min(passwordLength.min).max(passwordLength.max);
/** What was once set: its length is not judged again, only bounded, since it will be hashed. */
export const password = z.string().min(1).max(passwordLength.max);
export const token = z.string().min(1).max(2000);
