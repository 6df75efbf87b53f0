import type en from '../messages/en.json';

declare global {
  interface BallastMessages {
    support: typeof en;
  }
}
