/** What Next gives a page that reads the query. */
export interface SearchProps {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}
