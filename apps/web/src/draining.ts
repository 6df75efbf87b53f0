/** Set by `serve.mjs` in the same process once it was told to stop. */
const flag = Symbol.for('ballast.web.draining');

export function isDraining(): boolean {
  return (globalThis as Record<symbol, unknown>)[flag] === true;
}
