import { createTestDatabase, onServer, type TestDatabase } from '@ballast/test-kit/database';
import { killStarted, start, untilReady } from '../../../apps/api/src/testing/start-process.ts';

export interface ApiBehind {
  url: string;
  /** The addresses that its log names for requests of this path, the newest last. */
  addressesOf(path: string): string[];
  confirm(email: string): Promise<void>;
  /** Where a person's sessions were opened from, as the database keeps it. */
  sessionAddresses(email: string): Promise<string[]>;
  stop(): Promise<void>;
}

/** The API as it runs behind one proxy, with a log to read. */
export async function startApiBehind(address: string, port: number, publicUrl: string): Promise<ApiBehind> {
  const database: TestDatabase = await createTestDatabase();
  const api = start('main', {
    BALLAST_ENV: 'local',
    PUBLIC_URL: publicUrl,
    DATABASE_URL: database.appUrl,
    AUTH_SECRET: 'a-secret-of-the-tests-that-is-long-enough',
    DISABLE_BACKGROUND_WORKERS: 'true',
    API_HOST: address,
    API_PORT: String(port),
    TRUSTED_PROXY_HOPS: '1',
  });
  const url = await untilReady(String(port), api, address);
  return {
    url,
    addressesOf: (path) =>
      api
        .said()
        .split('\n')
        // The last one may not have come to its end.
        .slice(0, -1)
        .filter((line) => line.startsWith('{') && line.includes(`"path":"${path}"`))
        .map((line) => JSON.parse(line).address),
    confirm: (email) =>
      onServer(database.adminUrl, async (admin) => {
        await admin`update accounts."user" set email_verified = true where email = ${email}`;
      }),
    sessionAddresses: (email) =>
      onServer(database.adminUrl, async (admin) => {
        const rows = await admin`
          select session.ip_address from accounts.session join accounts."user" on "user".id = session.user_id
          where email = ${email} order by session.created_at`;
        return rows.map((row) => row.ip_address as string);
      }),
    async stop() {
      killStarted();
      await database.drop();
    },
  };
}
