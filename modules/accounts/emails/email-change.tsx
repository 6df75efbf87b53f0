import { Button, Heading, Layout, Note, Paragraph } from '@ballast/mail/layout';

const words = {
  subject: 'Confirm your new e-mail address',
  preview: 'One click, and this is the address of your account.',
  text: 'You asked to use this address for your account. Confirm that it is yours; until then nothing changes.',
  button: 'Confirm new address',
  note: (hours: number) =>
    hours > 1
      ? `The link works once, for ${hours} hours. Was it not you? Then do nothing, and nothing changes.`
      : 'The link works once, for less than an hour. Was it not you? Then do nothing, and nothing changes.',
  reason: 'You receive this mail because this address was entered as the new address of an account.',
};

export const subject = words.subject;

export interface EmailChangeProps {
  link: string;
  hours: number;
}

export function EmailChange({ link, hours }: EmailChangeProps) {
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
export const sample: EmailChangeProps = { link: 'http://localhost:3000/verify?token=example', hours: 24 };
