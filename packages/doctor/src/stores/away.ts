/** A store that cannot be asked, and why: a system's or the server's own code. */
export class Away extends Error {
  override readonly name = 'Away';
  readonly store: 'Postgres' | 'the queue' | 'the cache';
  readonly code: string;

  constructor(store: Away['store'], code: string, message: string) {
    super(message);
    this.store = store;
    this.code = code;
  }
}
