/**
 * The probability that all of `servers` are busy when work arrives: Erlang's C formula.
 * `load` is arrivals a second times seconds of service: how many servers are busy on average.
 *
 * Computed from Erlang's B by its recursion, which neither overflows nor cancels for any number of servers.
 * Source: A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in
 * automatic telephone exchanges", 1917; the recursion in L. Kleinrock, Queueing Systems I, 1975, section 3.5.
 */
export function erlangC(servers: number, load: number): number {
  if (!Number.isInteger(servers) || servers < 1) throw new RangeError('There must be at least one server.');
  if (!(load >= 0)) throw new RangeError('The load must not be negative.');
  if (load >= servers) return 1;
  let blocked = 1;
  for (let server = 1; server <= servers; server++) blocked = (load * blocked) / (server + load * blocked);
  return blocked / (1 - (load / servers) * (1 - blocked));
}

/** How long work waits for a free server, in the unit of `serviceTime`: on average, and for all but one in a hundred. */
export interface Wait {
  mean: number;
  p99: number;
}

/** M/M/c: random arrivals, random service times, one line before all servers. Infinite when the load exceeds them. */
export function waitFor(servers: number, arrivals: number, serviceTime: number): Wait {
  const load = arrivals * serviceTime;
  if (load >= servers) return { mean: Number.POSITIVE_INFINITY, p99: Number.POSITIVE_INFINITY };
  if (load === 0) return { mean: 0, p99: 0 };
  const waits = erlangC(servers, load);
  const drain = (servers - load) / serviceTime;
  return { mean: waits / drain, p99: Math.max(0, Math.log(waits / 0.01) / drain) };
}
