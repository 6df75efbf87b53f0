// What a job's failure or a server says came from anywhere: it must neither move the cursor nor break a line.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g;

export interface Column<Row> {
  title: string;
  value(row: Row): string | number | null;
  /** Numbers stand on the right. */
  right?: boolean;
  /** Cut beyond this. */
  most?: number;
}

/** Rows as aligned text, without a line behind the last column. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map((column) => cell(column, row)))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((text, index) =>
          columns[index]?.right ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cell<Row>({ value, most = 200 }: Column<Row>, row: Row): string {
  const text = plain(String(value(row) ?? '-'));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** One line that is safe to show in a terminal. */
export function plain(text: string): string {
  return text.replace(controls, ' ');
}
