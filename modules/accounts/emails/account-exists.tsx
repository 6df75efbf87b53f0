import { Button, Heading, Layout, Note, Paragraph } from '@ballast/mail/layout';

const words = {
  subject: 'You already have an account',
  preview: 'Someone tried to create an account with your address.',
  text: 'Someone, hopefully you, tried to create an account with this address. It has one already, so nothing was changed.',
  button: 'Sign in',
  note: 'Do you not remember your password? Choose "Forgot password" on the page to sign in. Was it not you? Then do nothing.',
  reason: 'You receive this mail because your address was entered when an account was created.',
};

export const subject = words.subject;

export interface AccountExistsProps {
  link: string;
}

export function AccountExists({ link }: AccountExistsProps) {
  return (
    <Layout preview={words.preview} reason={words.reason}>
      <Heading>{words.subject}</Heading>
      <Paragraph>{words.text}</Paragraph>
      <Button href={link}>{words.button}</Button>
      <Note>{words.note}</Note>
    </Layout>
  );
}

/** For the preview. */
export const sample: AccountExistsProps = { link: 'http://localhost:3000/sign-in' };
