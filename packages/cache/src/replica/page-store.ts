/**
 * Keeps what pages were made of under tags, for one replica or for all. Nothing is read from here that was made
 * before one of its tags expired, whatever the store has forgotten meanwhile: an entry counts only while the store
 * knows each of its tags, and none of them expired since the entry's making began.
 */
export interface PageStore {
  /** `tags` are those that the reader names, beside those that the entry was kept with. */
  find(key: string, tags: readonly string[]): Promise<Found>;
  /** `since` is what `find` answered when the making began. */
  keep(key: string, entry: { value: Buffer; tags: readonly string[]; since: number }): Promise<void>;
  /** Without `lifetime` entries are gone at once; with it they are stale, and gone when its seconds are over. */
  expire(tags: readonly string[], lifetime?: { seconds?: number | undefined }): Promise<void>;
}

export type Found = { since: number | null; state: 'absent' } | Kept;

export interface Kept {
  since: number;
  state: 'fresh' | 'stale';
  value: Buffer;
  ageMs: number;
}

export const absent: Found = { since: null, state: 'absent' };
