import { describe, expect, it } from 'vitest';
import { createLogger, type LogLevel } from './logger.ts';

function recording(level: LogLevel = 'debug') {
  const lines: string[] = [];
  const log = createLogger({ level, base: { service: 'test' }, destination: { write: (line) => lines.push(line) } });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '') };
}

describe('createLogger', () => {
  it('writes one JSON line with time, level, service, fields and message', () => {
    const { log, lines, last } = recording();
    log.info({ status: 200 }, 'answered');
    expect(lines).toHaveLength(1);
    expect(last()).toMatchObject({ level: 'info', service: 'test', status: 200, msg: 'answered' });
    expect(new Date(last().time).getTime()).toBeGreaterThan(0);
  });

  it('keeps CR, LF and ANSI, 8-bit controls and direction marks from forging lines', () => {
    const { log, lines, last } = recording();
    const hostile = 'x\r\n{"level":"info"}\u001b[31mred\u009b31m\u2028\u202e';
    log.warn({ hostile, [hostile]: 1 }, hostile);
    expect(lines).toHaveLength(1);
    for (const char of '\r\n\u001b\u009b\u2028\u202e') expect(lines[0]?.trimEnd()).not.toContain(char);
    expect(last().hostile).toContain('\r\n');
  });

  it.each([
    'authorization',
    'Authorization',
    'cookie',
    'set-cookie',
    'password',
    'newPassword',
    'token',
    'access_token',
    'clientSecret',
    'AUTH_SECRET',
    'apiKey',
    'api_key',
    'x-api-key',
    'privateKey',
    'credential',
    'otp',
  ])('redacts %s, also deep inside', (name) => {
    const { log, lines } = recording();
    log.info({ [name]: 'hunter2', nested: [{ [name]: 'hunter2', list: { [name]: ['hunter2'] } }] }, 'x');
    log.child({ [name]: 'hunter2' }).info({}, 'x');
    expect(lines.join('')).not.toContain('hunter2');
    expect(lines[0]).toContain('[redacted]');
  });

  it('keeps what only resembles a secret', () => {
    const { log, last } = recording();
    log.info({ hasPassword: true, key: 'k', passed: 3, codec: 'utf8', spinner: 'on' }, 'x');
    expect(last()).toMatchObject({ hasPassword: true, key: 'k', passed: 3, codec: 'utf8', spinner: 'on' });
  });

  it('hides passwords in URLs, wherever they are', () => {
    const { log, lines } = recording();
    const url = 'postgres://ballast_app:hunter2@db:5432/ballast';
    log.error({ error: new Error(`cannot reach ${url}`), url }, `gone: ${url}`);
    expect(lines[0]).not.toContain('hunter2');
    expect(lines[0]).toContain('postgres://ballast_app:[redacted]@db:5432/ballast');
  });

  it('logs an error with its causes, and without properties that nobody chose', () => {
    const { log, last } = recording();
    const cause = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (email)=(a@b.c)' });
    log.error({ error: new Error('outer', { cause }) }, 'failed');
    expect(last().error).toMatchObject({ message: 'outer', cause: { message: 'duplicate key', code: '23505' } });
    expect(last().error.stack[0]).toMatch(/^at /);
    expect(JSON.stringify(last())).not.toContain('a@b.c');
  });

  it('leaves out the parameters of a failed Drizzle query', () => {
    const { log, lines } = recording();
    log.error({ error: new Error('Failed query: select $1\nparams: a@b.c,hash') }, 'failed');
    expect(lines[0]).toContain('select $1');
    expect(lines[0]).not.toContain('a@b.c');
  });

  it('survives circles, functions, huge strings and big integers', () => {
    const { log, lines, last } = recording();
    const circle: Record<string, unknown> = { big: 1n, run: () => {}, long: 'x'.repeat(1_000_000) };
    circle.self = circle;
    log.info(circle, 'x');
    expect(last()).toMatchObject({ big: '1', run: '[function]' });
    expect(lines[0]?.length).toBeLessThan(40_000);
  });

  it('writes each name once, the innermost value', () => {
    const { log, lines } = recording();
    log.child({ component: 'auth', requestId: 'r1' }).child({ component: 'mail' }).info({}, 'x');
    expect(lines[0]?.match(/"component"/g)).toHaveLength(1);
    expect(lines[0]).toContain('"component":"mail"');
    expect(lines[0]).toContain('"requestId":"r1"');
  });

  it('says nothing below its level', () => {
    const { log, lines } = recording('warn');
    log.info({}, 'x');
    log.warn({}, 'y');
    expect(lines).toHaveLength(1);
  });
});
