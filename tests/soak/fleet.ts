/** The processes of a run, and their supervisor: whatever ends, and however, is started anew. */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Assignment, Role, Told } from './worker-process.ts';

export interface Member {
  number: number;
  role: Role;
  child: ChildProcess;
  /** As its heartbeat calls it; null until it is ready. */
  processId: string | null;
  startedAt: number;
  frozen: boolean;
  /** What somebody did to it. */
  fate: string | null;
  failpoint: string | null;
  ended: Promise<void>;
}

export interface FleetOptions {
  assignment: Omit<Assignment, 'role' | 'name'>;
  roles: readonly Role[];
  program: string;
  /** Where each process writes its log. */
  folder: string;
  failpointOf(started: number): string | null;
  onStarted(member: Member, jobIds: readonly string[]): void;
  /** How it ended, in the words of the report. */
  onEnd(member: Member, how: string): void;
}

export interface Fleet {
  /** Those that are ready and not frozen. */
  ready(role: Role): Member[];
  living(): Member[];
  /** Resolves when as many are ready as there should be. */
  whole(): Promise<void>;
  /** Starts no process that kills itself from now on. */
  calm(): void;
  close(): Promise<void>;
}

/** What the sessions of a process are called in Postgres. */
export const sessionsOf = (number: number) => `soak-process-${number}`;

export function openFleet(options: FleetOptions): Fleet {
  const members = new Set<Member>();
  let started = 0;
  let calm = false;
  let closing = false;

  function start(role: Role): void {
    const number = started++;
    const failpoint = role === 'elder' || calm ? null : options.failpointOf(number);
    const log = openSync(join(options.folder, `${role}-${number}.log`), 'w');
    const child = fork(options.program, {
      env: {
        ...process.env,
        NODE_ENV: 'production',
        NODE_COMPILE_CACHE: join(options.folder, 'compiled'),
        BALLAST_FAILPOINTS: failpoint ?? '',
        SOAK_ASSIGNMENT: JSON.stringify({ ...options.assignment, role, name: sessionsOf(number) }),
      },
      execArgv: [],
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    const member: Member = {
      number,
      role,
      child,
      processId: null,
      startedAt: Date.now(),
      frozen: false,
      fate: null,
      failpoint,
      ended: new Promise((resolve) => child.once('exit', () => resolve())),
    };
    members.add(member);
    child.on('message', (told: Told) => {
      if ('ready' in told) member.processId = told.ready;
      if ('started' in told) options.onStarted(member, told.started);
    });
    child.once('exit', (code, signal) => {
      members.delete(member);
      if (closing) return;
      options.onEnd(member, howItEnded(member, code, signal));
      start(role);
    });
  }

  for (const role of options.roles) start(role);
  return {
    ready: (role) =>
      [...members].filter(
        (member) => member.role === role && member.processId !== null && !member.frozen && !member.fate,
      ),
    living: () => [...members],
    async whole() {
      const deadline = Date.now() + 180_000;
      while ([...members].some((member) => member.processId === null)) {
        if (Date.now() > deadline) throw new Error(`The processes did not start; their logs are in ${options.folder}.`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    calm() {
      calm = true;
    },
    async close() {
      closing = true;
      for (const member of members) member.child.kill('SIGKILL');
      await Promise.all([...members].map((member) => member.ended));
    },
  };
}

function howItEnded(member: Member, code: number | null, signal: NodeJS.Signals | null): string {
  if (member.fate) return member.fate;
  if (code === 13) return 'poison';
  if (signal === 'SIGKILL' && member.failpoint) return `failpoint ${member.failpoint.split('=')[0]}`;
  // A process that believes itself wedged ends itself, as its supervisor would.
  if (code === 0) return 'watchdog';
  if (member.processId === null && code === 1) return 'did not start';
  return `unexpected: ${signal ?? code}`;
}
