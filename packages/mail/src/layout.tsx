import type { CSSProperties, ReactNode } from 'react';
import { brand } from './brand.ts';

/**
 * The frame of every mail, and the few parts to fill it with. Tables and inline
 * styles, since that is what mail clients keep; dark colours by media query where
 * it is known, and light ones that stay readable where a client inverts by itself.
 * No image is fetched: nothing to block, nothing that reports who opened what.
 */
export function Layout({ preview, reason, children }: { preview: string; reason?: string; children: ReactNode }) {
  return (
    <html lang="en" dir="ltr">
      <head>
        <meta httpEquiv="Content-Type" content="text/html; charset=UTF-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <meta name="format-detection" content="telephone=no, date=no, address=no" />
        <style>{darkStyles}</style>
      </head>
      <body className="page" style={{ margin: 0, padding: 0, backgroundColor: brand.light.page }}>
        <Preview text={preview} />
        <Table className="page" style={{ backgroundColor: brand.light.page }}>
          <td align="center" style={{ padding: '32px 16px' }}>
            <Table style={{ maxWidth: 520, textAlign: 'left' }}>
              <td style={{ padding: '0 8px 16px' }}>
                <span className="text" style={{ ...text, fontSize: 17, fontWeight: 700, letterSpacing: '-0.01em' }}>
                  {brand.name}
                </span>
              </td>
            </Table>
            <Table
              className="card"
              style={{
                maxWidth: 520,
                textAlign: 'left',
                backgroundColor: brand.light.card,
                border: `1px solid ${brand.light.line}`,
                borderRadius: 12,
                borderCollapse: 'separate',
              }}
            >
              <td style={{ padding: '32px 32px 16px' }}>{children}</td>
            </Table>
            {reason === undefined ? null : (
              <Table style={{ maxWidth: 520, textAlign: 'left' }}>
                <td style={{ padding: '16px 8px 0' }}>
                  <p className="quiet" style={{ ...quiet, margin: 0 }}>
                    {reason}
                  </p>
                </td>
              </Table>
            )}
          </td>
        </Table>
      </body>
    </html>
  );
}

export function Heading({ children }: { children: ReactNode }) {
  return (
    <h1
      className="text"
      style={{
        ...text,
        fontSize: 22,
        lineHeight: '30px',
        fontWeight: 650,
        letterSpacing: '-0.015em',
        margin: '0 0 12px',
      }}
    >
      {children}
    </h1>
  );
}

export function Paragraph({ children }: { children: ReactNode }) {
  return (
    <p className="text" style={{ ...text, margin: '0 0 16px' }}>
      {children}
    </p>
  );
}

/** What is good to know but not the point. */
export function Note({ children }: { children: ReactNode }) {
  return (
    <p className="quiet" style={{ ...quiet, margin: '0 0 16px' }}>
      {children}
    </p>
  );
}

/** The one thing to do. Its address stands below in full: some readers show no buttons, and some people look before they click. */
export function Button({ href, children }: { href: string; children: ReactNode }) {
  return (
    <>
      <Table style={{ width: 'auto', margin: '8px 0 20px' }} width="auto">
        <td className="button" align="center" style={{ borderRadius: 8, backgroundColor: brand.light.accent }}>
          <a
            href={href}
            style={{
              display: 'inline-block',
              padding: '12px 22px',
              fontFamily: brand.font,
              fontSize: 15,
              lineHeight: '20px',
              fontWeight: 600,
              color: '#ffffff',
              textDecoration: 'none',
            }}
          >
            {children}
          </a>
        </td>
      </Table>
      <p className="quiet" data-skip-in-text="true" style={{ ...quiet, margin: '0 0 16px' }}>
        Or open this address in your browser:
        <br />
        <a className="link" href={href} style={{ color: brand.light.accent, wordBreak: 'break-all' }}>
          {href}
        </a>
      </p>
    </>
  );
}

/** Someone's own words, line breaks kept. */
export function Quote({ children }: { children: string }) {
  return (
    <Table className="quote" style={{ borderLeft: `3px solid ${brand.light.line}`, margin: '0 0 16px' }}>
      <td style={{ padding: '2px 0 2px 16px' }}>
        <p className="text" style={{ ...text, margin: 0, wordBreak: 'break-word' }}>
          {children.split('\n').flatMap((line, index) => {
            const key = `${index}`;
            return index === 0 ? [line] : [<br key={key} />, line];
          })}
        </p>
      </td>
    </Table>
  );
}

/** Hidden in the mail, shown beside the subject in the list of mails. */
function Preview({ text: words }: { text: string }) {
  return (
    <div
      data-skip-in-text="true"
      style={{ display: 'none', overflow: 'hidden', lineHeight: '1px', opacity: 0, maxHeight: 0, maxWidth: 0 }}
    >
      {words}
      {/* Keeps the list from filling the line with the words of the body. */}
      {' \u200C\u00A0'.repeat(Math.max(0, 110 - words.length))}
    </div>
  );
}

function Table({
  children,
  style,
  className,
  width = '100%',
}: {
  children: ReactNode;
  style?: CSSProperties;
  className?: string;
  width?: string;
}) {
  return (
    <table
      role="presentation"
      className={className}
      width={width}
      cellPadding={0}
      cellSpacing={0}
      border={0}
      style={style}
    >
      <tbody>
        <tr>{children}</tr>
      </tbody>
    </table>
  );
}

const text: CSSProperties = { fontFamily: brand.font, fontSize: 16, lineHeight: '26px', color: brand.light.text };
const quiet: CSSProperties = { fontFamily: brand.font, fontSize: 14, lineHeight: '22px', color: brand.light.quiet };

const darkRules = (scope: string) => `
${scope}.page { background-color: ${brand.dark.page} !important; }
${scope}.card { background-color: ${brand.dark.card} !important; border-color: ${brand.dark.line} !important; }
${scope}.quote { border-color: ${brand.dark.line} !important; }
${scope}.text { color: ${brand.dark.text} !important; }
${scope}.quiet { color: ${brand.dark.quiet} !important; }
${scope}.link { color: #8aa6ff !important; }
${scope}.button { background-color: ${brand.dark.accent} !important; }`;

/** Outlook.com rewrites instead of asking: it marks what it inverts with `data-ogsc`. */
const darkStyles = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {${darkRules('')}
}
${darkRules('[data-ogsc] ')}
`;
