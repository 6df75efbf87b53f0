import type { Redis } from 'ioredis';
import { logs, start } from '../commands.ts';
import { type Finding, finding } from '../finding.ts';
import { Away } from '../stores/away.ts';
import { codeOf } from '../stores/redis.ts';
import type { Subject } from '../subject.ts';
import { NotUsed } from '../view.ts';
import { placeOf } from '../words.ts';

/** One of the two Redis, with the names that it has for people. */
export interface Role {
  kind: 'queue' | 'cache';
  service: 'redis-queue' | 'redis-cache';
  setting: 'REDIS_QUEUE_URL' | 'REDIS_URL';
  /** What stands still meanwhile. */
  effect: string;
}

/** Whether it answers and takes a write, which says more than INFO does: full, read only, its disk gone. */
export async function redisTrouble(
  redis: Promise<Redis>,
  subject: Subject,
  url: string,
  role: Role,
): Promise<Finding[]> {
  try {
    // Gone by itself after a second, and under a name of its own.
    await (await redis).set(`ballast:doctor:${process.pid}`, '1', 'PX', 1_000);
    return [];
  } catch (error) {
    if (error instanceof NotUsed || !(error instanceof Error)) throw error;
    return [explain(error instanceof Away ? error.code : codeOf(error), error.message, subject, url, role)];
  }
}

function explain(code: string, message: string, { place }: Subject, url: string, role: Role): Finding {
  const { kind, setting, service, effect } = role;
  const evidence = [`${placeOf(url)}: ${message}`];
  // Redis writes why and hangs up; the client, which was about to write, often sees the second alone.
  if (/max number of clients|^Connection is closed/i.test(message) || code === 'EPIPE' || code === 'ECONNRESET') {
    return finding(`${kind}.unreachable`, {
      cause: `What listens at ${setting} ends connections at once: its Redis has as many clients as it may have, or it is no Redis. ${effect}`,
      evidence,
      fix: `Run fewer processes that use it, or raise its maxclients (redis-cli config set maxclients …); otherwise correct ${setting}. See ${logs(place, service)}`,
    });
  }
  switch (code) {
    case 'OOM':
      return finding(`${kind}.full`, {
        cause: `The Redis of ${setting} is full and takes no writes. ${effect}`,
        evidence,
        fix: `Raise its maxmemory (redis-cli config set maxmemory …)${kind === 'cache' ? ', and let it evict: maxmemory-policy allkeys-lru' : ''}.`,
      });
    case 'MISCONF':
      return finding(`${kind}.unwritable`, {
        cause: `The Redis of ${setting} cannot write to its disk, and so takes no writes. ${effect}`,
        evidence,
        fix: `Free its disk. It then goes on by itself. See ${logs(place, service)}`,
      });
    case 'READONLY':
    case 'MASTERDOWN':
      return finding(`${kind}.unwritable`, {
        cause: `${setting} points at a replica, which takes no writes. ${effect}`,
        evidence,
        fix: `Point ${setting} at the primary.`,
      });
    case 'WRONGPASS':
    case 'NOAUTH':
    case 'NOPERM':
    case 'ERR':
    case 'BUSY':
      return finding(`${kind}.refused`, { evidence, ...refusalOf(code, message, role) });
    case 'LOADING':
      return finding(`${kind}.loading`, {
        cause: `The Redis of ${setting} is warming up: it reads its files. ${effect}`,
        evidence,
        fix: 'Wait: it goes on by itself.',
      });
    default:
      return finding(`${kind}.unreachable`, {
        cause: `The Redis of ${setting} is down, or ${setting} is wrong. ${effect}`,
        evidence,
        fix: start(place, service),
      });
  }
}

/** ERR is what Redis begins everything with that it has no word for: only its sentence tells. */
function refusalOf(code: string, message: string, { setting, effect }: Role): { cause: string; fix: string } {
  if (code === 'BUSY') {
    return {
      cause: `The Redis of ${setting} runs a script, and answers nobody until it ends. ${effect}`,
      fix: 'Wait, or end it: redis-cli script kill (of a function: redis-cli function kill)',
    };
  }
  if (code === 'NOPERM') {
    return {
      cause: `The user in ${setting} may not do what Ballast needs. ${effect}`,
      fix: 'Give it all keys and all commands: redis-cli acl setuser … allkeys allchannels allcommands',
    };
  }
  if (code !== 'ERR' || /AUTH|password/i.test(message)) {
    return {
      cause: `Redis refuses the login of ${setting}: user or password are wrong. ${effect}`,
      fix: `Correct ${setting}.`,
    };
  }
  if (/DB index/i.test(message)) {
    return {
      cause: `${setting} names a logical database that its Redis does not have. ${effect}`,
      fix: `Correct the number at the end of ${setting}, or start its Redis with more databases.`,
    };
  }
  return {
    cause: `The Redis of ${setting} answers, and refuses what it is asked. ${effect}`,
    fix: `What it says is the reason. If it is no Redis of version 7 or newer, correct ${setting}.`,
  };
}
