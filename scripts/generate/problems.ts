/** Everything that is wrong, at once: nobody should run the generator ten times to learn ten things. */
export class Problems extends Error {
  override readonly name = 'Problems';
  readonly list: readonly string[];

  constructor(list: readonly string[]) {
    super(list.join('\n'));
    this.list = list;
  }
}

/** Ends here when something is wrong. */
export function stopOn(list: readonly string[]): void {
  if (list.length > 0) throw new Problems(list);
}

/** `, did you mean 'billing'?`, or nothing when no name is near. */
export function didYouMean(name: string | null): string {
  return name === null ? '' : `, did you mean '${name}'?`;
}
