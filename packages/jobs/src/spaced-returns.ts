/**
 * Rows that a process was handed and does not know go to whoever takes them next, which may be this process again:
 * beside one worker that knows them, each hand-out is heads or tails. So the next is soon. With a fixed wait of 5 s
 * one of 40 jobs came to its worker after 40 s, in a deploy of two workers (a new payload, an old one).
 */
const soonMs = 100;
/** A crowd of such rows comes back one at a time: twenty hand-outs in vain a second are some percent of a processor. */
const apartMs = 50;
/** None waits longer, however large the crowd. */
const longestMs = 5_000;

/** Returns what says, for each row that goes back, in how many milliseconds it is due again. `now` in milliseconds. */
export function spacedReturns(now: () => number = () => performance.now()): () => number {
  let lastAt = Number.NEGATIVE_INFINITY;
  return () => {
    const at = now();
    lastAt = Math.min(Math.max(at + soonMs, lastAt + apartMs), at + longestMs);
    return lastAt - at;
  };
}
