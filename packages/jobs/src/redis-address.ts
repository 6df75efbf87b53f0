/**
 * The two forms of a Redis URL: of one server, and of a primary that sentinels know by
 * a name. Shared by the configuration, which validates it, and by whoever connects.
 *
 * @example
 * redisAddress('redis-sentinel://user:pass@h1:26379,h2:26379/queue?db=0');
 */
import { Redis, type RedisOptions } from 'ioredis';

export const sentinelForm = 'redis-sentinel://user:password@host:26379,host:26379/name?db=0';
/** ioredis' options, for answers in its usual form. */
type Settings = RedisOptions & { replyMapping?: 'legacy' };

const defaultSentinelPort = 26_379;
const known = ['db', 'sentinelUsername', 'sentinelPassword'];
/** What a sentinel may take to answer before the next one is asked. */
const sentinelAnswerMs = 2_000;

export const isSentinelUrl = (url: string) => /^rediss?-sentinel:/.test(url);

/** How to reach it, for ioredis and BullMQ. Throws a sentence that completes "REDIS_QUEUE_URL …". */
export function redisAddress(url: string): RedisOptions & { url?: string } {
  return isSentinelUrl(url) ? sentinelAddress(url) : { url };
}

/** Opens a connection. `Class` is ioredis' own, or one that extends it. */
export function openRedis(url: string, options: Settings, Class: typeof Redis = Redis): Redis {
  return isSentinelUrl(url) ? new Class({ ...sentinelAddress(url), ...options } as Settings) : new Class(url, options);
}

function sentinelAddress(url: string): RedisOptions {
  // Several hosts are no URL in the standard's sense: its parts are taken apart here.
  const parts = /^(rediss?)-sentinel:\/\/(?:([^@/?]*)@)?([^@/?]+)\/([^/?#]*)(?:\?([^#]*))?$/.exec(url);
  if (!parts) throw new Error(`must be ${sentinelForm}`);
  const [, scheme, login, hosts = '', name = '', query] = parts;
  if (name === '') throw new Error(`must name the primary that the sentinels watch: ${sentinelForm}`);
  const parameters = new URLSearchParams(query);
  for (const key of parameters.keys()) {
    if (!known.includes(key)) throw new Error(`has the unknown parameter "${key}"; known are ${known.join(', ')}`);
  }
  const db = parameters.get('db') ?? '0';
  if (!/^\d{1,4}$/.test(db)) throw new Error('must have a number as db');
  const [user, password] = login === undefined ? [] : loginOf(login);
  const sentinelUsername = parameters.get('sentinelUsername');
  const sentinelPassword = parameters.get('sentinelPassword');
  return {
    sentinels: hosts.split(',').map(sentinelOf),
    name: decode(name),
    db: Number(db),
    ...(user ? { username: user } : {}),
    ...(password ? { password } : {}),
    ...(sentinelUsername ? { sentinelUsername } : {}),
    ...(sentinelPassword ? { sentinelPassword } : {}),
    ...(scheme === 'rediss' ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
    connectTimeout: sentinelAnswerMs,
    sentinelCommandTimeout: sentinelAnswerMs,
    sentinelRetryStrategy: () => 1_000,
    // A primary that became a replica refuses writes and keeps the link: the sentinels know the new one.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  };
}

function sentinelOf(text: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) throw new Error(`must name its sentinels as host:port, separated by commas: ${sentinelForm}`);
  const number = port === undefined ? defaultSentinelPort : Number(port);
  if (number < 1 || number > 65_535) throw new Error(`has a sentinel with the port ${port}, which is none`);
  return { host, port: number };
}

function loginOf(login: string): [string, string | undefined] {
  const at = login.indexOf(':');
  return at < 0 ? [decode(login), undefined] : [decode(login.slice(0, at)), decode(login.slice(at + 1))];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('must have its special characters percent-encoded');
  }
}
