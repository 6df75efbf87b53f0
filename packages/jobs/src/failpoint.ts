/**
 * Named places where a test stops or kills the process. A test sets
 * `BALLAST_FAILPOINTS=name=kill,other=pause:5000`; without it a failpoint is one
 * comparison.
 */
const armed = new Map(
  (process.env.BALLAST_FAILPOINTS ?? '')
    .split(',')
    .filter(Boolean)
    .map((entry) => entry.split('=') as [string, string]),
);

/** Does what the environment says for this name: nothing, in production. */
export async function failpoint(name: string): Promise<void> {
  if (armed.size === 0) return;
  const action = armed.get(name);
  if (action === undefined) return;
  process.stderr.write(`failpoint ${name}: ${action}\n`);
  if (action === 'kill') process.kill(process.pid, 'SIGKILL');
  if (action === 'freeze') process.kill(process.pid, 'SIGSTOP');
  const [verb, ms] = action.split(':');
  if (verb === 'pause') await new Promise((resolve) => setTimeout(resolve, Number(ms)));
  // SIGKILL is delivered asynchronously: nothing after this line may run.
  if (action === 'kill') await new Promise(() => {});
}
