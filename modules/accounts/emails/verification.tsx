import { Button, Heading, Layout, Note, Paragraph } from '@ballast/mail/layout';

const words = {
  subject: 'Confirm your e-mail address',
  preview: 'One click, and your account is ready.',
  // No name and no greeting: until it is confirmed, whoever filled in the form would be writing to a stranger.
  text: 'Someone, hopefully you, created an account with this address. Confirm that it is yours and you can start.',
  button: 'Confirm address',
  note: (hours: number) =>
    `The link works once, for ${hours} hours. Was it not you? Then do nothing: without your confirmation nobody can use it.`,
  reason: 'You receive this mail because your address was entered when an account was created.',
};

export const subject = words.subject;

export interface VerificationProps {
  link: string;
  hours: number;
}

export function Verification({ link, hours }: VerificationProps) {
  return (
    <Layout preview={words.preview} reason={words.reason}>
      <Heading>{words.subject}</Heading>
      <Paragraph>{words.text}</Paragraph>
      <Button href={link}>{words.button}</Button>
      <Note>{words.note(hours)}</Note>
    </Layout>
  );
}

/** For the preview. */
export const sample: VerificationProps = { link: 'http://localhost:3000/verify?token=example', hours: 24 };
