import type en from '../messages/en.json';

declare global {
  interface BallastMessages {
    domains: typeof en;
  }
}
