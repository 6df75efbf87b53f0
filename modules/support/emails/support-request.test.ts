import { renderMail } from '@ballast/mail';
import { expect, test } from 'vitest';
import { SupportRequest, sample } from './support-request.tsx';

test('says who asks what, in both parts, and lets nobody write HTML into the mailbox', async () => {
  const body = 'Hello,\n<img src="https://evil.example/pixel.png">\n<script>alert(1)</script>';
  const { html, text } = await renderMail(SupportRequest({ ...sample, body, subject: '<b>Bold</b>' }));
  expect(html).not.toMatch(/<img|<script|<b>/);
  expect(html).toContain('&lt;b&gt;Bold&lt;/b&gt;');
  expect(text).toContain(`${sample.name} (${sample.email}) asks for help:`);
  expect(text).toContain(body);
  expect(text).toContain(sample.requestId);
});
