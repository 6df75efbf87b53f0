import { createConfig, lintFromString } from '@redocly/openapi-core';
import { describe, expect, it } from 'vitest';
import { routes } from '../generated/routes.ts';
import { edgeApp } from '../testing/edge-app.ts';

const { app } = edgeApp(routes, { modules: ['accounts', 'support'], publicUrl: 'https://app.acme.test' });

describe('the OpenAPI document', () => {
  it("passes Redocly's recommended rules", async () => {
    const response = await app.request('/api/openapi.json');
    expect(response.status).toBe(200);
    const config = await createConfig({ extends: ['recommended'] });
    const problems = await lintFromString({ source: await response.text(), absoluteRef: 'openapi.json', config });
    const said = problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer}`);
    expect(said).toEqual([]);
  });

  it('says who may call a route and how often', async () => {
    const document = (await (await app.request('/api/openapi.json')).json()) as {
      openapi: string;
      paths: Record<string, Record<string, Record<string, unknown>>>;
    };
    expect(document.openapi).toBe('3.1.0');
    const signIn = document.paths['/api/accounts/sign-in']?.post;
    expect(signIn).toMatchObject({ 'x-access': 'public', security: [], tags: ['accounts'] });
    expect(signIn?.['x-rate-limit']).toEqual(expect.arrayContaining([expect.objectContaining({ by: ['address'] })]));
    expect(document.paths['/api/accounts/me']?.get).toMatchObject({ 'x-access': 'session' });
  });
});

describe('the reference page', () => {
  it('loads its script from here and nothing from elsewhere', async () => {
    const page = await app.request('/api/reference');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    const html = await page.text();
    expect(html).toContain('src="/api/reference/scalar.js"');
    expect(html).not.toMatch(/https?:\/\//);
    const script = await app.request('/api/reference/scalar.js');
    expect(script.headers.get('content-type')).toContain('text/javascript');
    expect(script.headers.get('content-encoding')).toBe('gzip');
    expect((await script.arrayBuffer()).byteLength).toBeGreaterThan(500_000);
  });
});
