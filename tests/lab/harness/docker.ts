import { spawn } from 'node:child_process';

interface RunOptions {
  cwd?: string | undefined;
  env?: Record<string, string> | undefined;
  input?: string | undefined;
  /** Whether a code other than 0 is an answer too. */
  mayFail?: boolean | undefined;
}

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the docker command; says all that it said when it fails. */
export function docker(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return run('docker', args, options);
}

export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd, env, input, mayFail } = options;
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: 'pipe' });
  const ran: Ran = { code: 1, stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (ran.stdout += chunk));
  child.stderr.on('data', (chunk) => (ran.stderr += chunk));
  // One that has ended before it read anything tells how by its code.
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      ran.code = code ?? 1;
      if (ran.code === 0 || mayFail) return resolve(ran);
      reject(new Error(`${program} ${args.join(' ')} ended with ${ran.code}\n${ran.stdout}\n${ran.stderr}`));
    });
  });
}
