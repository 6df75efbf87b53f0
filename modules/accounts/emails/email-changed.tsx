import { Heading, Layout, Note, Paragraph } from '@ballast/mail/layout';

const words = {
  subject: 'The e-mail address of your account was changed',
  preview: 'From now on your account uses another address.',
  text: (address: string) => `Your account now uses ${address}. This address no longer signs in.`,
  note: 'Was it not you? Then someone knows your password: write to us at once, so that you get your account back.',
  reason: 'You receive this last mail because this was the address of your account.',
};

export const subject = words.subject;

export interface EmailChangedProps {
  newEmail: string;
}

export function EmailChanged({ newEmail }: EmailChangedProps) {
  return (
    <Layout preview={words.preview} reason={words.reason}>
      <Heading>{words.subject}</Heading>
      <Paragraph>{words.text(newEmail)}</Paragraph>
      <Note>{words.note}</Note>
    </Layout>
  );
}

/** For the preview. */
export const sample: EmailChangedProps = { newEmail: 'ada.new@example.com' };
