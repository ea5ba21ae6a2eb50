/** Rows of text for a terminal: the first column to the left, the others to the right; a row of two cells is a remark. */
export function table(header, rows) {
  const lines = [header, ...rows].map((row) => row.map(String));
  const isRemark = (cells) => cells.length === 2 && header.length > 2;
  const widths = header.map((_, c) =>
    Math.max(...lines.map((cells) => (c > 0 && isRemark(cells) ? 0 : (cells[c]?.length ?? 0)))),
  );
  return lines
    .map((cells) =>
      cells
        .map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c])))
        .join('  ')
        .trimEnd(),
    )
    .map((text) => `  ${text}`)
    .join('\n');
}

/** A Markdown table. */
export function markdownTable(header, rows) {
  const row = (cells) => `| ${cells.map((cell) => `${cell}`.replaceAll('|', '\\|')).join(' | ')} |`;
  return [row(header), `|${header.map(() => '---|').join('')}`, ...rows.map(row)].join('\n');
}

/** Three digits that mean something: 0.26, 1.58, 17.5, 542. */
export function short(value) {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 100) return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
  return value.toFixed(size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

export const percent = (share) => `${(100 * share).toFixed(share < 0.095 ? 1 : 0)} %`;

/** Counts of a step: '7', '0.04'. */
export const perStep = (value) => (value < 0.05 ? value.toFixed(2) : value.toFixed(value < 10 ? 1 : 0));

export const firstLine = (text, most = 90) => text.split('\n')[0].slice(0, most);
