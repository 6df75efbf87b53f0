/** A process of its own that signs up one person, to be killed by a test. Arguments: the app's database URL, the address. */
import { openPatiently } from '@ballast/test-kit/pools';
import { openAuth } from '../auth/open-auth.ts';

const [url = '', email = ''] = process.argv.slice(2);
const log = { debug() {}, info() {}, warn() {}, error() {} };
const auth = openAuth({
  database: openPatiently({ url, applicationName: 'paused-sign-up', role: 'ballast_auth', maxConnections: 1 }),
  secret: 'a-secret-of-the-tests-that-is-long-enough',
  publicUrl: 'http://localhost:3000',
  sessionDays: 30,
  verificationHours: 24,
  resetMinutes: 60,
  keepUnconfirmedDays: 30,
  log,
});
await auth.api.signUpEmail({ body: { name: 'Ada Lovelace', email, password: 'correct horse battery' } });
process.stdout.write('committed\n');
// Stays until it is killed: nothing may depend on an orderly end.
setInterval(() => {}, 1000);
