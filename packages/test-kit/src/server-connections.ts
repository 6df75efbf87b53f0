/**
 * How many sessions the suites' Postgres takes, whoever starts it: the crowds of the fault tests are up to fourteen workers at
 * once, of up to twenty sessions each, beside two other files, and those that were killed last until Postgres has seen it.
 */
export const serverConnections = 1_000;
