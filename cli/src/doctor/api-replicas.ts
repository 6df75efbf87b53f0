import { lookup } from 'node:dns/promises';

/** A name server that is gone lets nobody wait for longer: doctor has ten seconds for everything. */
const nameMs = 2_000;

/**
 * Where each replica of the API answers: in the Compose file's networks, and in those of a Swarm, the service's name
 * has the address of every one (docs/decisions/0022). Nowhere, where nothing has that name.
 */
export async function apiReplicas(service: string, port: number): Promise<string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<[]>((resolve) => {
    timer = setTimeout(() => resolve([]), nameMs);
  });
  const found = await Promise.race([lookup(service, { all: true }).catch(() => []), late]);
  clearTimeout(timer);
  return found.map(({ address, family }) => `http://${family === 6 ? `[${address}]` : address}:${port}`);
}
