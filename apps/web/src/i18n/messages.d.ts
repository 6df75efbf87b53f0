import type en from '../../messages/en.json';

type OwnMessages = typeof en;

declare global {
  /** The keys of the whole catalogue; each module adds its own beside its pages. */
  interface BallastMessages extends OwnMessages {}
}

declare module 'next-intl' {
  interface AppConfig {
    Messages: BallastMessages;
    Locale: 'en-GB';
  }
}
