/** The first rows of a CSV file, for a look at its columns. The server reads the file itself, and by its own rules. */
export function csvHead(text: string, rows: number): string[][] {
  const comma = mostOf([",", ";", "\t"], text.slice(0, text.indexOf("\n") + 1 || undefined));
  const found: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  const source = text.replace(/^\uFEFF/, "");
  const endCell = (): void => {
    row.push(cell);
    cell = "";
  };
  for (let at = 0; at < source.length && found.length < rows; at++) {
    const char = source[at];
    if (quoted && char === '"' && source[at + 1] === '"') cell += source[at++];
    else if (char === '"') quoted = !quoted;
    else if (!quoted && char === comma) endCell();
    else if (!quoted && char === "\n") {
      endCell();
      found.push(row);
      row = [];
    } else if (quoted || char !== "\r") cell += char;
  }
  if (found.length < rows && (cell || row.length > 0)) {
    endCell();
    found.push(row);
  }
  return found;
}

const mostOf = (candidates: readonly string[], line: string): string =>
  candidates.reduce((best, char) => (line.split(char).length > line.split(best).length ? char : best));
