/**
 * Named places where a test stops or kills the process. A test sets
 * `BALLAST_FAILPOINTS=name=kill,other=pause:5000`, or `name=kill@20` for the twentieth
 * passage; without it a failpoint is one comparison, and no promise is made
 * (`failpoint.test.ts` measures it).
 */
const armed = new Map(
  (process.env.BALLAST_FAILPOINTS ?? '')
    .split(',')
    .filter(Boolean)
    .map((entry) => entry.split('=') as [string, string]),
);

const passages = new Map<string, number>();

/** Does what the environment says for this name: nothing, in production. */
export function failpoint(name: string): Promise<void> | undefined {
  return armed.size === 0 ? undefined : strike(name);
}

async function strike(name: string): Promise<void> {
  const armedWith = armed.get(name);
  if (armedWith === undefined) return;
  const [action = '', passage] = armedWith.split('@');
  passages.set(name, (passages.get(name) ?? 0) + 1);
  if (passage !== undefined && passages.get(name) !== Number(passage)) return;
  process.stderr.write(`failpoint ${name}: ${action}\n`);
  if (action === 'kill') process.kill(process.pid, 'SIGKILL');
  if (action === 'freeze') process.kill(process.pid, 'SIGSTOP');
  const [verb, ms] = action.split(':');
  if (verb === 'pause') await new Promise((resolve) => setTimeout(resolve, Number(ms)));
  // SIGKILL is delivered asynchronously: nothing after this line may run.
  if (action === 'kill') await new Promise(() => {});
}
