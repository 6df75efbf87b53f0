import { Button, Heading, Layout, Note, Paragraph } from '@ballast/mail/layout';

const words = {
  subject: 'Finish creating your account',
  preview: 'Your account waits for its confirmation.',
  text: 'Someone, hopefully you, created an account with this address and it was never confirmed. Choose a password to confirm it now.',
  button: 'Choose a password',
  note: (minutes: number) => `The link works once, for ${minutes} minutes. Was it not you? Then do nothing.`,
  reason: 'You receive this mail because your address was entered when an account was created.',
};

export const subject = words.subject;

export interface FinishAccountProps {
  link: string;
  minutes: number;
}

/** For an account that nobody confirmed: its password may be a stranger's, so the link sets a new one. */
export function FinishAccount({ link, minutes }: FinishAccountProps) {
  return (
    <Layout preview={words.preview} reason={words.reason}>
      <Heading>{words.subject}</Heading>
      <Paragraph>{words.text}</Paragraph>
      <Button href={link}>{words.button}</Button>
      <Note>{words.note(minutes)}</Note>
    </Layout>
  );
}

/** For the preview. */
export const sample: FinishAccountProps = { link: 'http://localhost:3000/reset?token=example', minutes: 60 };
