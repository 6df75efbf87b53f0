import { expect, test } from 'vitest';
import { Button, Heading, Layout, Note, Paragraph, Quote } from './layout.tsx';
import { messageIdOf } from './message-id.ts';
import { renderMail } from './render.ts';

const template = (
  <Layout preview="A preview that only the list shows." reason="You get this because you signed up.">
    <Heading>Confirm your address</Heading>
    <Paragraph>Hello {'<Ada & co>'},</Paragraph>
    <Button href="https://example.com/verify?token=a.b&c=d">Confirm</Button>
    <Quote>{'first line\n<b>second</b>'}</Quote>
    <Note>The link works for an hour.</Note>
  </Layout>
);

test('the plain part says the same, with the whole link, once', async () => {
  const { text } = await renderMail(template);
  expect(text).toContain('Confirm your address');
  expect(text).toContain('Hello <Ada & co>,');
  expect(text).toContain('first line\n<b>second</b>');
  expect(text.split('https://example.com/verify?token=a.b&c=d')).toHaveLength(2);
  expect(text).not.toContain('A preview that only the list shows.');
});

test('the HTML part escapes what people wrote, fetches nothing and knows the dark', async () => {
  const { html } = await renderMail(template);
  expect(html).toContain('&lt;b&gt;second&lt;/b&gt;');
  expect(html).not.toMatch(/<img|<link|url\(|@import|<script/i);
  expect(html).toContain('prefers-color-scheme: dark');
  expect(html).toContain('name="color-scheme" content="light dark"');
  expect(html).toContain('A preview that only the list shows.');
});

test('a Message-ID is the same for each repeat, and never a header of its own making', () => {
  expect(messageIdOf('0199-ab', 'ballast.example')).toBe('<0199-ab@ballast.example>');
  expect(() => messageIdOf('0199-ab', 'x>\r\nBcc: all@example.com')).toThrow(
    expect.objectContaining({ code: 'mail.refused' }),
  );
  expect(() => messageIdOf('', 'localhost')).toThrow();
});
