import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';
import { chromium as chromiumPath } from '../../../scripts/test/programs.ts';

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How much a page may shift after its first paint; 0.1 is what browsers call good. */
const maxLayoutShift = 0.02;

/**
 * Sums what shifts while a page loads. Of what shifts after an input a browser forgives half a second; here the answer to the
 * click may take longer, so that all is forgiven from a request that changes something until half a second after its answer.
 */
const watchShifts = `
  window.__shift = { sum: 0, moved: [] };
  const changes = [];
  const send = window.fetch;
  window.fetch = async (input, init) => {
    const method = init?.method ?? input.method ?? 'GET';
    // What is read again before a change has settled is part of it.
    if (/^get$/i.test(method) && changes.every(({ to }) => to < Infinity)) return send(input, init);
    const change = { from: performance.now(), to: Infinity };
    changes.push(change);
    const settle = async () => {
      // Not one wait of half a second: a page that is not run meanwhile has not settled.
      for (let ticks = 0; ticks < 5; ticks++) await new Promise((next) => setTimeout(next, 100));
      change.to = performance.now();
    };
    try {
      const response = await send(input, init);
      response.clone().arrayBuffer().catch(() => {}).then(settle);
      return response;
    } catch (error) {
      settle();
      throw error;
    }
  };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput || changes.some(({ from, to }) => from <= entry.startTime && entry.startTime <= to)) continue;
      window.__shift.sum += entry.value;
      for (const { node } of entry.sources) window.__shift.moved.push((node?.outerHTML ?? node?.nodeName ?? '?').slice(0, 120));
    }
  }).observe({ type: 'layout-shift', buffered: true });
`;

interface Shifts {
  sum: number;
  moved: string[];
}

export interface Visitor {
  page: Page;
  context: BrowserContext;
  /** Opens a path of the app and waits until it is at rest. */
  open(path: string): Promise<void>;
  /** Refusals that this journey provokes; the browser reports them as errors of its own. */
  expectRefusals(): void;
}

/** One Chromium per file, one context per visitor. Every visit fails on console errors and layout shifts. */
export function useBrowser(): { visitor(options?: Parameters<Browser['newContext']>[0]): Promise<Visitor> } {
  let browser: Browser;
  const open: { context: BrowserContext; check: () => Promise<void> }[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath() ?? 'chromium', args: flags, timeout: 120_000 });
  });
  afterEach(async () => {
    for (const { context, check } of open.splice(0)) {
      await check().finally(() => context.close());
    }
  });
  afterAll(() => browser?.close());

  return {
    async visitor(options) {
      const context = await browser.newContext({ baseURL: inject('webUrl'), locale: 'en-GB', ...options });
      context.setDefaultTimeout(60_000);
      await context.addInitScript(watchShifts);
      const page = await context.newPage();
      const errors: string[] = [];
      const shifts: string[] = [];
      let refusals = false;
      page.on('pageerror', (error) => errors.push(`${page.url()}: ${error.message}`));
      page.on('console', (message) => {
        const refused = refusals && message.text().startsWith('Failed to load resource');
        if (message.type() === 'error' && !refused) errors.push(`${page.url()}: ${message.text()}`);
      });
      const noteShift = async () => {
        const seen = (await page.evaluate('window.__shift').catch(() => undefined)) as Shifts | undefined;
        if (seen && seen.sum >= maxLayoutShift) {
          shifts.push(`${page.url()}: ${seen.sum.toFixed(3)} by ${seen.moved.join(' and ')}`);
        }
      };
      const check = async () => {
        await noteShift();
        expect({ errors, shifts }).toEqual({ errors: [], shifts: [] });
      };
      open.push({ context, check });
      return {
        page,
        context,
        async open(path) {
          await noteShift();
          await page.goto(path);
          await page.waitForLoadState('networkidle');
        },
        expectRefusals() {
          refusals = true;
        },
      };
    },
  };
}
