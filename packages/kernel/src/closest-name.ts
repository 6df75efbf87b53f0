/**
 * The known name nearest to a mistyped one, for "did you mean …?", or null when
 * none is near. Distance after Levenshtein (1966), with swapped neighbours as one
 * edit (Damerau); "near" is one edit for each three letters, at least one.
 */
export function closestName(typed: string, known: readonly string[]): string | null {
  let best: { name: string; distance: number } | null = null;
  for (const name of known) {
    const distance = editDistance(typed.toLowerCase(), name.toLowerCase());
    if (!best || distance < best.distance) best = { name, distance };
  }
  const reach = Math.max(1, Math.floor(typed.length / 3));
  return best && best.distance <= reach ? best.name : null;
}

function editDistance(left: string, right: string): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(
        at(rows, row - 1, column) + 1,
        (current[column - 1] ?? 0) + 1,
        at(rows, row - 1, column - 1) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) cost = Math.min(cost, at(rows, row - 2, column - 2) + 1);
      current.push(cost);
    }
    rows.push(current);
  }
  return at(rows, left.length, right.length);
}

function at(rows: number[][], row: number, column: number): number {
  return rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
}
