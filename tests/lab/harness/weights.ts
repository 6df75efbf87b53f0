import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';

/** Where an engine without systemd keeps its containers, in the words of both versions of cgroups, and what eight of them weigh. */
const groups = [
  { file: '/sys/fs/cgroup/cpu/docker/cpu.shares', weight: 8 * 1024 },
  { file: '/sys/fs/cgroup/docker/cpu.weight', weight: 8 * 100 },
];

/**
 * Gives the containers the part of a busy processor that they have on a server. There systemd keeps each of them, and each
 * weighs as much as Docker itself. An engine that keeps them itself puts all into one group, which weighs as much as a single
 * process beside it: the one that sends the requests, or the one that starts a container. Returns what takes it back. Where there is
 * no such group, or it may not be changed, all stays as it is.
 */
export function weighAsWithSystemd(): () => void {
  const group = groups.find(({ file }) => isWritable(file));
  if (!group) return () => {};
  const before = readFileSync(group.file, 'utf8');
  writeFileSync(group.file, String(group.weight));
  return () => writeFileSync(group.file, before);
}

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
