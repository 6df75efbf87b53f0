import type en from '../messages/en.json';

declare global {
  interface BallastMessages {
    accounts: typeof en;
  }
}
