/** Where Ballast runs, which decides what the commands look like that mend it. */
export type Place = 'compose' | 'laptop' | 'elsewhere' | Swarm;

/** A stack of Docker Swarm: its services bear its name in front of their own. */
export interface Swarm {
  stack: string;
}

/** What is examined: the settings of the process beside which doctor runs, and what its build contains. */
export interface Subject {
  place: Place;
  environment: 'local' | 'production';
  /** What is wrong with the settings, each a sentence; the rest is examined with those that are right. */
  problems: readonly string[];
  /** Names that look mistyped. */
  warnings: readonly string[];
  /** Settings that the running processes have, and doctor was not given. */
  notHere: readonly string[];
  /** As `ballast_app`. */
  databaseUrl: string | null;
  /** The same through the pooler that requests go through; null without one. */
  poolerUrl: string | null;
  /** What a session of the pooler is held to: a request's time. */
  requestMs: number;
  poolSize: number;
  /** Of the API's pool for identity, which has a size of its own. */
  authPoolSize: number;
  queueUrl: string | null;
  cacheUrl: string | null;
  smtpUrl: string | null;
  publicUrl: string | null;
  /** Where the proxy that holds the certificate listens, for a place that the public address does not lead to. */
  tlsEdge: { host: string; port: number } | null;
  /** Whether the process beside doctor takes jobs, and so sends mail. */
  consumes: boolean;
  /** Answers of living processes, as far as it is known where they listen. */
  metrics: readonly Endpoint[];
  release: string;
  /** Where each replica of the API answers, as far as it is known. */
  apis: readonly string[];
  /** Of this build. */
  migrations: readonly { module: string; name: string }[];
  /** `name@version` of this build's jobs. */
  jobs: readonly string[];
  /** Why this build's generated code is not that of its app.config.ts; null when it is. */
  staleSnapshot: string | null;
  /** This machine's clock. */
  now: () => number;
  /** Folders of this machine that must not fill up. */
  folders: readonly string[];
}

export interface Endpoint {
  name: 'api' | 'worker';
  /** Null when the process serves none. */
  url: string | null;
  /** The setting that says where it listens. */
  setting: string;
}
