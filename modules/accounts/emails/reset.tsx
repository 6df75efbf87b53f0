import { Button, Heading, Layout, Note, Paragraph } from '@ballast/mail/layout';

const words = {
  subject: 'Choose a new password',
  preview: 'The link to set a new password for your account.',
  text: 'You asked to set a new password for your account. Doing so signs you out on all devices.',
  button: 'Choose a new password',
  note: (minutes: number) =>
    `The link works once, for ${minutes} minutes. Was it not you? Then do nothing: your password stays as it is.`,
  reason: 'You receive this mail because a new password was requested for your account.',
};

export const subject = words.subject;

export interface ResetProps {
  link: string;
  minutes: number;
}

export function Reset({ link, minutes }: ResetProps) {
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
export const sample: ResetProps = { link: 'http://localhost:3000/reset?token=example', minutes: 60 };
