import { render, toPlainText } from '@react-email/render';
import type { ReactElement } from 'react';

/** A mail's two bodies from one template; the plain one is for readers that show no HTML. */
export async function renderMail(element: ReactElement): Promise<{ html: string; text: string }> {
  const html = await render(element);
  const text = toPlainText(html, {
    selectors: ['h1', 'h2', 'h3'].map((selector) => ({ selector, options: { uppercase: false } })),
  });
  // Each table of the frame ends in a blank line of its own.
  return { html, text: text.replaceAll(/\n{3,}/g, '\n\n').trim() };
}
