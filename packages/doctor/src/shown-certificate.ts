import { connect, type PeerCertificate } from 'node:tls';
import { within } from './deadline.ts';

const connectMs = 5_000;
const daySeconds = 86_400;
/** Two weeks are time enough to act. */
const warnDays = 14;

/** Whatever is shown for a name, also what nobody should trust: that is what is to be found out. */
export function readCertificate(hostname: string, at: { host: string; port: number }): Promise<PeerCertificate> {
  const isName = !/^[\d.:[\]]+$/.test(hostname);
  const socket = connect({ ...at, rejectUnauthorized: false, ...(isName ? { servername: hostname } : {}) });
  const shown = new Promise<PeerCertificate>((resolve, reject) => {
    socket.once('secureConnect', () => resolve(socket.getPeerCertificate()));
    socket.once('error', reject);
  });
  return within(connectMs, shown).finally(() => socket.destroy());
}

/** Until when it is valid, and whether it should have been renewed by now: short-lived ones, as Caddy's own, are when a third of their life is left. */
export function lifeOf(shown: PeerCertificate, now: number): { to: number; leftSeconds: number; ending: boolean } {
  const [from, to] = [Date.parse(shown.valid_from), Date.parse(shown.valid_to)];
  const leftSeconds = (to - now) / 1_000;
  const lifeSeconds = (to - from) / 1_000;
  const enoughSeconds = lifeSeconds > 30 * daySeconds ? warnDays * daySeconds : lifeSeconds / 6;
  return { to, leftSeconds, ending: leftSeconds <= enoughSeconds };
}
