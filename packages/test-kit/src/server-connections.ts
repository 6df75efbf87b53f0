/**
 * How many sessions the suites' Postgres takes, whoever starts it: the crowds of the fault tests are up to fourteen workers at
 * once, of up to twenty sessions each, beside two other files.
 */
export const serverConnections = 600;
