import { Heading, Layout, Note, Paragraph, Quote } from '@ballast/mail/layout';

export interface SupportRequestProps {
  subject: string;
  body: string;
  name: string;
  email: string;
  requestId: string;
}

/** For the team. Answering it answers the person. */
export function SupportRequest({ subject, body, name, email, requestId }: SupportRequestProps) {
  return (
    <Layout preview={`${name}: ${body.slice(0, 90)}`} reason={`Request ${requestId}`}>
      <Heading>{subject}</Heading>
      <Paragraph>
        {name} ({email}) asks for help:
      </Paragraph>
      <Quote>{body}</Quote>
      <Note>Answer this e-mail: your answer goes to {email}.</Note>
    </Layout>
  );
}

/** For the preview. */
export const sample: SupportRequestProps = {
  subject: 'How do I invite my team?',
  body: 'Hello,\n\nI found the settings, but not where to invite others.\nCould you point me there?\n\nThank you!',
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  requestId: '0199c0de-0000-7000-8000-000000000000',
};
