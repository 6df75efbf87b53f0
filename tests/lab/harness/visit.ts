import https from 'node:https';

export interface Site {
  host: string;
  /** Where it is asked, whatever its name would lead to; by default here. */
  address?: string;
  port: number;
  /** Whoever signed its certificate. */
  ca: string;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  issuer: string;
}

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  agent?: https.Agent | undefined;
  timeoutMs?: number;
}

/** One request to a site, wherever its name would lead. Its path is sent as it is written. */
export function visit(site: Site, path: string, asked: Asked = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, agent, timeoutMs = 15_000 } = asked;
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        ...{
          host: site.address ?? '127.0.0.1',
          port: site.port,
          servername: site.host,
          ca: site.ca,
          path,
          method,
          agent,
        },
        headers: {
          host: site.host,
          origin: `https://${site.host}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        const { socket } = response;
        const issuer =
          'getPeerCertificate' in socket ? String((socket as never as Tls).getPeerCertificate().issuer?.CN) : '';
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => (text += chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, issuer }),
        );
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}

interface Tls {
  getPeerCertificate(): { issuer?: { CN: string } };
}
