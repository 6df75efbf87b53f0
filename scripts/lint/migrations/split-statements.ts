export interface Statement {
  /** As it stands in the file, without the comments before it. */
  text: string;
  /** In lower case, in one line, without comments and without the text of strings and functions. */
  words: string;
  /** The lines from the first to the last, counted from 1. */
  from: number;
  to: number;
  /** The comment that stands directly above. */
  above: string;
}

/** Comments, strings, quoted names and dollar-quoted bodies are units; what is between them is looked at letter by letter. */
const unit =
  /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|;|\s+|[^\s;'"$/-]+|[\s\S]/g;

/** Splits SQL at the semicolons between statements. `begin atomic` is not known here, and not used. */
export function splitStatements(sql: string): Statement[] {
  const statements: Statement[] = [];
  let [text, words, above, line] = ['', '', '', 1];
  let from = 0;
  let blank = 0;
  const end = () => {
    if (words.trim()) {
      statements.push({ text, words: words.replaceAll(/\s+/g, ' ').trim(), from, to: line, above: above.trim() });
      above = '';
    }
    [text, words, from] = ['', '', 0];
  };
  for (const [found] of sql.matchAll(unit)) {
    const comment = found.startsWith('--') || found.startsWith('/*');
    if (!from && comment) above = `${above}\n${found.replace(/^--\s?/, '')}`;
    // An empty line parts a comment from the statement below.
    if (!from && /^\s+$/.test(found)) blank = found.split('\n').length - 1;
    else blank = 0;
    if (!from && blank > 1) above = '';
    if (!from && !comment && !/^[\s;]+$/.test(found)) from = line;
    if (found === ';') end();
    else if (from) {
      text += found;
      if (!comment) words += /^'|^\$/.test(found) && found.length > 1 ? "''" : found.toLowerCase();
      else words += ' ';
    }
    line += found.split('\n').length - 1;
  }
  end();
  return statements;
}
