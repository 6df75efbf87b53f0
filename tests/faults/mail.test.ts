/**
 * Mails that were sent and not recorded: row 3 of the fault table, and an outage of
 * Postgres under a thousand of them. Counted at a real SMTP server, by Message-ID.
 */
import { queueBackends } from '@ballast/test-kit/queue';
import { startSmtpSink } from '@ballast/test-kit/smtp-sink';
import { openTcpProxy } from '@ballast/test-kit/tcp-proxy';
import { describe, expect, test, vi } from 'vitest';
import { exited, goalMs, on, saying } from './stage.ts';

describe.concurrent.each(queueBackends)('mails of workers on %s', { timeout: 6 * goalMs }, (backend) => {
  test('are repeated under the same Message-ID after a kill between DATA and the record (row 3)', () =>
    on(backend, async (stage) => {
      const sink = await startSmtpSink();
      const SMTP_URL = sink.url;
      const victim = await stage.worker({ SMTP_URL, FAULT_HANDLER: 'mail-then-killed' });
      const [killed, ...others] = await stage.produce(12);
      await exited(victim);
      await stage.worker({ SMTP_URL, FAULT_HANDLER: 'mail' });
      await stage.allDone(12);
      const times = (id: string | undefined) => sink.received.filter((mail) => mail === `<${id}@faults.test>`).length;
      expect(times(killed)).toBe(2);
      for (const id of others) expect([1, 2]).toContain(times(id));
      expect(new Set(sink.received).size).toBe(12);
      await sink.close();
    }));

  test('are not sent again when Postgres was away while 1,000 of them were recorded', () =>
    on(backend, async (stage) => {
      const count = 1_000;
      const sink = await startSmtpSink();
      const app = await openTcpProxy(stage.database.appUrl);
      const dispatcher = await openTcpProxy(stage.database.dispatcherUrl);
      const environment = { SMTP_URL: sink.url, APP_URL: app.url, DISPATCHER_URL: dispatcher.url };
      const sender = await stage.worker({
        ...environment,
        FAULT_HANDLER: 'mail-together',
        FAULT_SLOTS: String(count),
        FAULT_GATHER: String(count),
      });
      const gathered = saying(sender, 'gathered');
      await stage.produce(count);
      await gathered;
      // A neighbour that would take the work over if it took the sender for dead.
      await stage.worker({ ...environment, FAULT_HANDLER: 'mail' });
      await Promise.all([app.stop(), dispatcher.stop()]);
      const downAt = performance.now();
      sender.kill('SIGUSR2');
      // So many mails take as long as they take: no goal is measured here.
      await vi.waitFor(() => expect(sink.received.length).toBe(count), { timeout: 3 * goalMs });
      // Longer than the silence that means death.
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 18_000 - (performance.now() - downAt))));
      expect((await stage.states()).done ?? 0).toBe(0);
      await Promise.all([app.start(), dispatcher.start()]);
      await stage.allDone(count);
      // As long as it takes to be taken for dead after all.
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      expect(sink.received.length).toBe(count);
      expect(new Set(sink.received).size).toBe(count);
      await stage.startedOnce();
      await Promise.all([app.close(), dispatcher.close()]);
      await sink.close();
    }));
});
