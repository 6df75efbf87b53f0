import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** "node server.js (process 4711)" for who listens on a port, or undefined when the system does not tell. */
export async function holderOf(port: number): Promise<string | undefined> {
  const pid = process.platform === 'linux' ? await fromProc(port) : await fromLsof(port);
  if (pid === undefined) return undefined;
  const command = await run('ps', ['-o', 'args=', '-p', String(pid)]).then(
    ({ stdout }) => stdout,
    () => '',
  );
  return `${shortCommand(command)} (process ${pid})`;
}

/** "node server.js" from a whole command line: the program and its first argument, without their folders. */
export function shortCommand(line: string): string {
  const words = line.trim().split(/\s+/).slice(0, 2);
  const short = words.filter((word) => !word.startsWith('-')).map((word) => word.slice(word.lastIndexOf('/') + 1));
  return short.join(' ').slice(0, 60) || 'a process';
}

async function fromLsof(port: number): Promise<number | undefined> {
  const found = await run('lsof', ['-nP', '-t', `-iTCP:${port}`, '-sTCP:LISTEN']).catch(() => undefined);
  return Number(found?.stdout.split('\n')[0]) || undefined;
}

/** Linux tells the socket's inode in /proc/net, and its owner among the processes' open files. */
async function fromProc(port: number): Promise<number | undefined> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  const inode = tables.map((table) => listenerInode(table, port)).find((found) => found !== undefined);
  if (inode === undefined) return undefined;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      if (target === `socket:[${inode}]`) return Number(pid);
    }
  }
  return undefined;
}

/** The inode of the socket that listens (state 0A) on the port, from a table of /proc/net. */
export function listenerInode(table: string, port: number): string | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (fields[3] === '0A' && fields[1]?.endsWith(suffix)) return fields[9];
  }
  return undefined;
}
