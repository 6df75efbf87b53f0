import { Button, Heading, Layout, Paragraph } from '@ballast/mail/layout';

const words = {
  subject: 'Welcome to Ballast',
  preview: 'Your address is confirmed and your account is ready.',
  heading: (name: string) => `Welcome, ${name}`,
  text: 'Your address is confirmed and your account is ready. Everything starts from your dashboard.',
  button: 'Open the dashboard',
  reason: 'You receive this mail once, because you confirmed your address.',
};

export const subject = words.subject;

export interface WelcomeProps {
  name: string;
  link: string;
}

export function Welcome({ name, link }: WelcomeProps) {
  return (
    <Layout preview={words.preview} reason={words.reason}>
      <Heading>{words.heading(name)}</Heading>
      <Paragraph>{words.text}</Paragraph>
      <Button href={link}>{words.button}</Button>
    </Layout>
  );
}

/** For the preview. */
export const sample: WelcomeProps = { name: 'Ada Lovelace', link: 'http://localhost:3000/dashboard' };
