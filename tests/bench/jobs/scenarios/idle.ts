import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Scenario, ScenarioRow } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { countStatements } from '../statements.ts';
import type { System } from '../system.ts';
import { ballastModules } from '../systems/ballast.ts';
import { bullmq } from '../systems/bullmq.ts';
import { graphileWorker } from '../systems/graphile-worker.ts';
import { pgBoss } from '../systems/pg-boss.ts';

/** What a worker with nothing to do asks of Redis and Postgres, a second. */
export const idle: Scenario = {
  name: 'idle',
  async run(stage, { quick, say }) {
    const seconds = quick ? 15 : 60;
    const rows: ScenarioRow[] = [];
    for (const system of [ballastModules, ...(quick ? [] : [bullmq, pgBoss, graphileWorker])]) {
      const { commands, statements, lines } = await cost(stage, system, seconds);
      say(`  ${system.name}: ${commands.toFixed(2)} Redis commands/s, ${statements.toFixed(2)} statements/s`);
      if (system === ballastModules) for (const line of lines) say(line);
      if (system !== ballastModules) continue;
      rows.push(once('idle worker, Redis commands/s', '2 a second', commands / 2));
      rows.push(once('idle worker, statements/s', '2 a second', statements / 2));
    }
    return rows;
  },
};

function once(name: string, baseline: string, value: number): ScenarioRow {
  return { name, baseline, ratio: { min: value, median: value, max: value }, goal: '≤ 1' };
}

async function cost(stage: Stage, system: System, seconds: number) {
  const crew = await stage.enter(system);
  const watcher = new Redis(stage.redisUrl);
  try {
    // What a start costs is not what idling costs.
    await sleep(5_000);
    const counting = await countStatements(stage.admin, crew.database);
    const monitor = await watcher.monitor();
    const seen = new Map<string, number>();
    monitor.on('monitor', (_time: string, [command = '']: string[], source: string) => {
      // What a script does inside Redis is no round trip.
      if (source !== 'lua') seen.set(command.toLowerCase(), (seen.get(command.toLowerCase()) ?? 0) + 1);
    });
    await sleep(seconds * 1_000);
    monitor.disconnect();
    const statements = await counting.stop();
    const commands = [...seen].reduce((sum, [, count]) => sum + count, 0) / seconds;
    return {
      commands,
      statements: statements.reduce((sum, { calls }) => sum + calls, 0) / seconds,
      lines: [
        ...[...seen].map(([command, count]) => `    ${(count / seconds).toFixed(2)}/s ${command}`),
        ...statements.map(({ calls, text }) => `    ${(calls / seconds).toFixed(2)}/s ${text.trim().slice(0, 100)}`),
      ],
    };
  } finally {
    watcher.disconnect();
    await crew.leave();
  }
}
