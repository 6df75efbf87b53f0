import https from 'node:https';
import type { TLSSocket } from 'node:tls';

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
  /** From the asking to the last byte of the answer. */
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
      },
      (response) => {
        const issuer = issuerOf(response.socket as TLSSocket);
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => (text += chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, issuer }),
        );
      },
    );
    // Timers of one length are one list, and cost less than a signal for each request.
    const patience = setTimeout(() => request.destroy(new Error(`not whole after ${timeoutMs} ms`)), timeoutMs);
    request.once('close', () => clearTimeout(patience));
    request.once('error', reject);
    request.end(body);
  });
}

const issuers = new WeakMap<TLSSocket, string>();

/** Asked once of each connection: to read a certificate costs more than the request. */
function issuerOf(socket: TLSSocket): string {
  let issuer = issuers.get(socket);
  if (issuer === undefined) {
    issuer = String(socket.getPeerCertificate().issuer?.CN);
    issuers.set(socket, issuer);
  }
  return issuer;
}
