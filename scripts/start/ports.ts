import { createConnection, createServer } from 'node:net';
import { holderOf } from './port-holder.ts';
import { StartProblem } from './start-problem.ts';

export interface WantedPort {
  port: number;
  /** What it is for, as a person calls it. */
  use: string;
  /** The variable that changes it. */
  variable: string;
}

/** Refuses ports that are taken, all in one message, each with its holder and its variable. */
export async function requireFreePorts(wanted: readonly WantedPort[]): Promise<void> {
  const problems: string[] = [];
  const seen = new Map<number, WantedPort>();
  for (const want of wanted) {
    const other = seen.get(want.port);
    if (other) problems.push(`${other.variable} and ${want.variable} are both ${want.port}: give each its own.`);
    else if (await isTaken(want)) problems.push(taken(want, await holderOf(want.port)));
    seen.set(want.port, want);
  }
  if (problems.length > 0) throw new StartProblem(problems.join('\n  '));
}

export function taken(want: WantedPort, holder: string | undefined): string {
  return (
    `Port ${want.port}, wanted for ${want.use}, is in use${holder ? ` by ${holder}` : ''}. ` +
    `Stop that, or choose another port: ${want.variable}=${want.port + 1000} npm start.`
  );
}

/** Also by a server on the other loopback address: a browser might reach that one as "localhost". */
async function isTaken(want: WantedPort): Promise<boolean> {
  if (await answers('::1', want.port)) return true;
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(true);
      else if (error.code === 'EACCES') {
        reject(
          new StartProblem(`This user may not open port ${want.port}. Choose one above 1023 in ${want.variable}.`),
        );
      } else reject(error);
    });
    server.listen({ port: want.port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(false)));
  });
}

function answers(host: string, port: number): Promise<boolean> {
  const socket = createConnection({ host, port, timeout: 500 });
  return new Promise((resolve) => {
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => done(true));
    socket.once('timeout', () => done(false));
    socket.once('error', () => done(false));
  });
}
