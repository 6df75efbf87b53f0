import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:tls';

export interface At {
  port: number;
  /** The authority whose certificates are believed. */
  ca: string;
}

/** What is shown for a name: for which names it is, and by whom. Null when the handshake fails. */
export async function certificateFor(name: string, { port, ca }: At): Promise<{ names: string; by: string } | null> {
  const socket = connect({ host: '127.0.0.1', port, servername: name, ca });
  try {
    await once(socket, 'secureConnect');
    const shown = socket.getPeerCertificate();
    return { names: shown.subjectaltname ?? '', by: String(shown.issuer.CN) };
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}

export interface Asked {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Another name than that of the handshake. */
  host?: string;
}

/** One request over a connection of its own; rejects when there is no certificate that fits. */
export async function ask(name: string, { port, ca }: At, { body, host, path = '/', ...asked }: Asked = {}) {
  const headers = { host: host ?? `${name}:${port}`, ...asked.headers };
  const sent = request({
    ...asked,
    ...{ host: '127.0.0.1', port, path, ca, servername: name, agent: false, headers },
  }).end(body);
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const part of response) text += part;
  return { status: response.statusCode as number, headers: response.headers as Record<string, string>, text };
}

/** Caddy asks once a second who is there. */
export async function untilServed(name: string, at: At): Promise<void> {
  for (let tries = 0; tries < 800; tries++) {
    const status = await ask(name, at).then(
      (answer) => answer.status,
      () => null,
    );
    if (status === 200) return;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error(`${name} was never served.`);
}
