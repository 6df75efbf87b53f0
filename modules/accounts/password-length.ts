/** Long enough to resist guessing, short enough that hashing one stays cheap. */
export const passwordLength = { min: 10, max: 128 } as const;
