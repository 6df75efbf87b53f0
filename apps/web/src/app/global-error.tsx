'use client';
import './globals.css';
import { Button } from '@ballast/ui/button';
import { EmptyState } from '@ballast/ui/empty-state';
import { useReloadWhenOld } from '../components/old-tab.ts';

/** The last resort, when the layout itself failed: the catalogue may be what is missing, so its words are here. */
export default function GlobalError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  const reloading = useReloadWhenOld(error);
  return (
    <html lang="en">
      <body>
        <main className="grid min-h-dvh place-items-center" hidden={reloading}>
          <title>This page could not be shown</title>
          <EmptyState
            level={1}
            title="This page could not be shown"
            action={
              <Button variant="secondary" onClick={reset}>
                Try again
              </Button>
            }
          >
            <p>Something went wrong on our side. Try again, and quote the reference if it keeps happening.</p>
            {error.digest ? <p className="mt-2 font-mono text-xs">Reference {error.digest}</p> : null}
          </EmptyState>
        </main>
      </body>
    </html>
  );
}
