import { ratioOf } from '../../statistics.ts';
import { type Drained, drainAlone, drainBacklog } from '../drain.ts';
import { interleave } from '../rounds.ts';
import type { Scenario } from '../scenario.ts';

/** The same jobs drained from a long line, from a short one, and from one in which nothing else waits. */
export const backlog: Scenario = {
  name: 'backlog',
  async run(stage, { quick, rounds, rows, say, statements }) {
    const long = quick ? Math.min(rows, 150_000) : rows;
    const count = quick ? 5_000 : 20_000;
    // Enough for what the worker takes while it warms up.
    const short = quick ? 60_000 : 120_000;
    const told = statements ? say : undefined;
    const runs = [
      () => drainBacklog(stage, long, count, told),
      () => drainBacklog(stage, short, count, told),
      () => drainAlone(stage, short, count, told),
    ];
    const [own = [], base = [], alone = []] = await interleave(rounds ?? (quick ? 1 : 3), runs);
    const show = (figures: readonly number[]) => figures.map((figure) => figure.toFixed(1)).join(', ');
    const of = (pick: (one: Drained) => number) => [own.map(pick), base.map(pick), alone.map(pick)] as const;
    const [cost, baseCost, aloneCost] = of((one) => one.processorTime);
    const [buffers, baseBuffers, aloneBuffers] = of((one) => one.buffersPerClaimedRow);
    const [memory, baseMemory, aloneMemory] = of((one) => one.redisBytes);
    say(
      `  ${long} waiting: ${show(cost)} µs a job, ${show(buffers)} buffers a claimed row, Redis ${show(memory)} bytes`,
    );
    say(`  ${short} waiting: ${show(baseCost)} µs, ${show(baseBuffers)} buffers, Redis ${show(baseMemory)} bytes`);
    say(
      `  nothing else waiting: ${show(aloneCost)} µs, ${show(aloneBuffers)} buffers, Redis ${show(aloneMemory)} bytes`,
    );
    return [
      {
        name: `${long} waiting, processor time a job`,
        baseline: 'nothing else waiting',
        ratio: ratioOf(cost, aloneCost),
        goal: '≤ 1.1',
      },
      {
        name: `${long} waiting, processor time a job`,
        baseline: `${short} waiting`,
        ratio: ratioOf(cost, baseCost),
        goal: '≤ 1.1',
      },
      {
        name: `${long} waiting, buffers a claimed row`,
        baseline: '5',
        ratio: ratioOf(
          buffers,
          buffers.map(() => 5),
        ),
        goal: '≤ 1',
      },
      {
        name: `${long} waiting, Redis memory`,
        baseline: `${short} waiting`,
        ratio: ratioOf(memory, baseMemory),
        goal: '≤ 1.1',
      },
    ];
  },
};
