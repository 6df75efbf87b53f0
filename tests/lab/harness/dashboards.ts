import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Board {
  file: string;
  uid: string;
  title: string;
  panels: Panel[];
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  datasource: { type: string; uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig: { defaults: { unit?: string } };
  targets: { refId: string; expr: string; legendFormat: string }[];
}

export function readBoards(folder: string): Board[] {
  return readdirSync(folder).map((file) => ({
    ...(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Omit<Board, 'file'>),
    file,
  }));
}

/** The labels that a legend shows: Grafana leaves a gap for one that the series has not. */
export const labelsOf = (legend: string): string[] =>
  [...legend.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, name]) => name ?? '');

/** What would lie on top of each other, or beyond the grid of 24 columns. */
export function misplaced({ panels }: Board): string[] {
  return panels.flatMap(({ title, gridPos: a }, index) => {
    const hit = panels
      .slice(index + 1)
      .find(({ gridPos: b }) => meets(a.x, a.w, b.x, b.w) && meets(a.y, a.h, b.y, b.h));
    const beyond = a.x < 0 || a.x + a.w > 24;
    return [...(hit ? [`${title} lies on ${hit.title}`] : []), ...(beyond ? [`${title} is beyond the edge`] : [])];
  });
}

const meets = (a: number, long: number, b: number, wide: number) => a < b + wide && b < a + long;
