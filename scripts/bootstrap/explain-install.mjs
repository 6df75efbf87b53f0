const network =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b|META_FETCH_FAIL|fetch failed|network/i;

/** One sentence for what went wrong during an install, from what pnpm or npx wrote. */
export function explainInstall(output, log) {
  if (/\bENOSPC\b|no space left/i.test(output)) {
    return `The disk is full: installing needs about 1.5 GB. Free some space and run it again. (${log})`;
  }
  if (/OUTDATED_LOCKFILE/.test(output)) {
    return 'pnpm-lock.yaml does not fit the package.json files. Run `npx pnpm install` once to bring it up to date.';
  }
  if (/\b(EACCES|EPERM|EROFS)\b/.test(output)) {
    return `Installing may not write to this folder. Check who owns it and node_modules (chown). (${log})`;
  }
  if (network.test(output)) {
    return `The package registry cannot be reached. Installing needs the network once: check the connection or proxy, then run it again. (${log})`;
  }
  const last = output.trimEnd().split('\n').slice(-12).join('\n  ');
  return `Installing the packages failed. The last lines of ${log}:\n\n  ${last}`;
}
